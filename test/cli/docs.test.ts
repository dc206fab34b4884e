import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { CheckResult } from "../../src/emulator/check.js";
import { opCases } from "../../src/emulator/self-test-cases.js";
import { formatNames } from "../../src/numerics/format.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { invoke } from "./invoke.js";

/** The law of the documents: what is under a `$ fusemax ...` line is what that command prints. */
const blocksOf = (page: string) =>
  [
    ...readFileSync(new URL(`../../docs/${page}`, import.meta.url), "utf8").matchAll(
      /^```console\n\$ fusemax (.*)\n([\s\S]*?)^```$/gm,
    ),
  ].map(([, command = "", output = ""]) => [command, output] as const);

const folder = mkdtempSync(join(tmpdir(), "fusemax-docs-"));
const before = process.cwd();
process.chdir(folder);
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});
writeFileSync("broken.cascade", "inputs: Q[e,p], K[e,m]\nQK[m,p] = Q[e,p] * K[e,m]\nGM[p] = QKK[m,p] :: max(m)\n");

describe("docs/numerics.md", () => {
  const numerics = readFileSync(new URL("../../docs/numerics.md", import.meta.url), "utf8");

  it.each(formatNames)("the measured errors in %s are those that fusemax run prints", async format => {
    const row =
      numerics.split("\n").find(line => line.startsWith(`| ${format} `) && line.split("|").length === 8) ?? "";
    const [, at1K, at4K, , asGiven, baseline] = row.split("|").slice(1, -1).map(Number);
    const measure = async (seq: string): Promise<CheckResult> =>
      JSON.parse((await invoke("run", "--seq", seq, "--format", format, "--check", "sample:64", "--json")).stdout)
        .error;
    const [short, long] = [await measure("1K"), await measure("4K")];
    const rounded = (x: number): number => Number(x.toPrecision(2));
    expect([short.rmsRelative, long.rmsRelative].map(rounded)).toEqual([at1K, at4K]);
    expect([long.withInputRounding.rmsRelative, long.baseline?.rmsRelative ?? Number.NaN].map(rounded)).toEqual([
      asGiven,
      baseline,
    ]);
  });

  it("counts the self-test's cases right", () => {
    const cases = formatNames
      .flatMap(name => opCases(formatArithmetics[name]))
      .reduce((sum, { expected }) => sum + expected.length, 0);
    expect(numerics).toContain(`${cases.toLocaleString("en-US")} golden cases`);
  });
});

describe.each([
  ["cascades.md", 5],
  ["derive.md", 6],
] as const)("docs/%s", (page, least) => {
  const blocks = blocksOf(page);

  it("has examples", () => expect(blocks.length).toBeGreaterThan(least));

  it.each(blocks)(
    "fusemax %s",
    async (command, output) => {
      const { stdout, stderr } = await invoke(...command.split(" "));
      expect(`${(stdout || stderr).trimEnd()}\n`).toBe(output);
    },
    60_000,
  );
});
