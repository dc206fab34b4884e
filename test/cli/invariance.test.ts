import { describe, expect, it } from "vitest";
import type { InvarianceResult, InvarianceRow } from "../../src/report/invariance.js";
import { invoke } from "./invoke.js";

const sizes = ["--batch", "2", "--heads", "4", "--kv-heads", "2", "--q-len", "21", "--kv-len", "50", "--head-dim", "8"];
const base = ["invariance", "--engine", "cpu", "--array", "16x8"];

async function find(...args: readonly string[]): Promise<InvarianceResult> {
  const { code, stdout } = await invoke(...base, ...args, "--json");
  expect(code).toBe(0);
  return JSON.parse(stdout) as InvarianceResult;
}
const rowsOf = ({ rows }: InvarianceResult, varied: string): readonly InvarianceRow[] =>
  rows.filter(row => row.varied === varied && row.difference !== null);
const changed = (rows: readonly InvarianceRow[]): readonly string[] =>
  rows.filter(({ difference }) => difference?.values !== 0).map(({ value }) => value);

describe("law: neither engine, nor queries per tile, nor what is computed beside changes a bit of the contract's formats", () => {
  it.each([
    ["bf16", []],
    ["fp32", ["--causal"]],
    ["fp16-strict", ["--window", "12,3", "--kv-lens", "50,31", "--q-lens", "21,9"]],
    ["bf16", ["--mask", "prefix:7", "--mask", "causal:top-left", "--softcap", "5", "--left-pad", "0,4"]],
    ["bf16-strict", ["--alibi"]],
  ] as const)("%s %j", async (format, more) => {
    const found = await find(...sizes, "--format", format, ...more);
    for (const varied of ["engine", "P0", "batch"]) {
      expect(rowsOf(found, varied).length).toBeGreaterThan(1);
      expect(changed(rowsOf(found, varied))).toEqual([]);
    }
    expect(found.keeps).toEqual(expect.arrayContaining(["engine", "P0", "batch"]));
    // Sums of other lengths and orders do: a comparison that finds nothing would find nothing here too.
    const strict = format.endsWith("strict");
    const sums = ["kv-splits", "M0", ...(strict ? [] : ["key order"])];
    for (const varied of sums) expect(changed(rowsOf(found, varied))).not.toEqual([]);
    expect(found.changes).toEqual(sums);
    for (const row of found.rows) expect(row.difference?.rmsRelative ?? 0).toBeLessThan(strict ? 0.1 : 0.01);
  });
});

describe("the report", () => {
  it("says of scales of a whole tensor that the batch changes them", async () => {
    const found = await find(...sizes, "--arithmetic", "fa3-fp8");
    expect(changed(rowsOf(found, "batch"))).toEqual(["queries in two halves"]);
    expect(rowsOf(found, "engine").map(({ value }) => value)).toEqual(["wasm", "webgpu", "the golden implementation"]);
    expect(changed(rowsOf(found, "engine"))).toEqual([]);
    expect(found.changes).toContain("batch");
  });

  it("says what was not computed, and why", async () => {
    const { rows } = await find("--seq", "20", "--mask", "document:8,12");
    const why = (value: string) => rows.find(row => row.value === value)?.why;
    expect(why("each sequence alone")).toBe("there is one");
    expect(why("queries in two halves")).toBe("its mask is not cut by queries");
    expect(why("K and V from the last key to the first")).toBe("masks and biases go by the keys' places");
  });

  it("is a table for people", async () => {
    const { stdout } = await invoke(...base, ...sizes, "--format", "fp32");
    expect(stdout).toMatch(
      /^Scores \[2, 4, 21, 50\] in fp32 on cpu, tiles of 16 keys by 8 queries\nsha256 [0-9a-f]{64}\n/,
    );
    expect(stdout).toMatch(/^P0 +1 query per tile +same$/m);
    expect(stdout).toMatch(/^M0 +64 keys per tile +CHANGED +\d+ of 1344 +\S+ +\S+$/m);
    expect(stdout).toMatch(/^Changes bits: kv-splits, M0, key order\nKeeps them: engine, P0, batch\n$/m);
  });

  it.each([
    [["--seq", "4K"], /the workload: got 2,147,483,648 multiply-accumulates; expected at most 67,108,864/],
    [["--design", "flat"], /unknown option '--design'/],
    [["--q", "none.npy"], /--q, --k, --v: no --k and no --v/],
  ])("%j is refused in a line", async (args, message) => {
    const { code, stdout, stderr } = await invoke(...base, ...args);
    expect(stderr).toMatch(/^fusemax: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});
