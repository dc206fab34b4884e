import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { invoke } from "./invoke.js";

/** The law of the page: what is under a `$ fusemax ...` line is what that command prints, but for the time it takes. */
const root = fileURLToPath(new URL("../../", import.meta.url));
const page = readFileSync(join(root, "docs/your-own-design.md"), "utf8");
const blocks = [...page.matchAll(/^```console\n\$ fusemax (.*)\n([\s\S]*?)^```$/gm)].map(
  ([, command = "", output = ""]) => [command, output] as const,
);
const withoutTimes = (text: string): string =>
  text
    .split("\n")
    .filter(line => !/^ {2}(emulated|in all) /.test(line))
    .map(line => line.trimEnd())
    .join("\n")
    .trimEnd();

const folder = mkdtempSync(join(tmpdir(), "fusemax-own-design-"));
const before = process.cwd();
process.chdir(root);
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

describe("docs/your-own-design.md", () => {
  it("shows passes, costs, values and a schedule", () =>
    expect(blocks.map(([command]) => command.split(" ")[0])).toEqual(["passes", "model", "run", "schedule"]));

  it.each(blocks)("fusemax %s", async (command, output) => {
    const { stdout } = await invoke(...command.split(" "));
    expect(withoutTimes(stdout)).toBe(withoutTimes(output));
  });

  it("says how a block of scores that is gone is refused", async () => {
    const example = join(root, "examples/your-own-design");
    for (const file of readdirSync(example)) copyFileSync(join(example, file), join(folder, file));
    const mapping = readFileSync(join(folder, "mapping.yaml"), "utf8");
    const turned = mapping.replace("&scores { dram: [B, H, G, P1, M1]", "&scores { dram: [B, H, G, M1, P1]");
    expect(turned).not.toBe(mapping);
    writeFileSync(join(folder, "mapping.yaml"), turned);
    const { code, stderr } = await invoke("model", "--design", join(folder, "design.yaml"));
    const shown = /( {4}mapping\.yaml:18:13[\s\S]*?)\n\n/.exec(page)?.[1] ?? "";
    expect(code).toBe(2);
    expect(stderr.trim()).toMatch(/^fusemax: \S*mapping\.yaml:18:13 einsums\.BM/);
    expect(stderr.trim().replace(/^fusemax: \S*mapping/, "mapping")).toBe(shown.trim().replace(/\s+/g, " "));
  });
});
