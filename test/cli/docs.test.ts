import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { invoke } from "./invoke.js";

/** The law of the documents: what stands under a `$ fusemax ...` line is what that command prints. */
const document = readFileSync(new URL("../../docs/cascades.md", import.meta.url), "utf8");
const blocks = [...document.matchAll(/^```console\n\$ fusemax (.*)\n([\s\S]*?)^```$/gm)].map(
  ([, command = "", output = ""]) => [command, output] as const,
);

const folder = mkdtempSync(join(tmpdir(), "fusemax-docs-"));
const before = process.cwd();
process.chdir(folder);
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});
writeFileSync("broken.cascade", "inputs: Q[e,p], K[e,m]\nQK[m,p] = Q[e,p] * K[e,m]\nGM[p] = QKK[m,p] :: max(m)\n");

describe("docs/cascades.md", () => {
  it("has examples", () => expect(blocks.length).toBeGreaterThan(5));

  it.each(blocks)("fusemax %s", async (command, output) => {
    const { stdout, stderr } = await invoke(...command.split(" "));
    expect(`${(stdout || stderr).trimEnd()}\n`).toBe(output);
  });
});
