import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import { type InputName, tensorShapes, valuesOf } from "../../src/attention/shape.js";
import { generateNormal } from "../../src/emulator/generate.js";
import { goldenAttention } from "../../src/emulator/golden/attention.js";
import { specFiles } from "../../src/io/spec-files.js";
import { formatNames } from "../../src/numerics/format.js";
import { sha256OfValues } from "../../src/numerics/sha256.js";
import type { RunResult } from "../../src/report/run-result.js";
import { loadArithmetic } from "../../src/spec/load.js";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-arithmetic-"));
afterAll(() => rmSync(folder, { recursive: true }));
const save = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const small = ["--heads", "2", "--q-len", "3", "--kv-len", "13", "--head-dim", "8", "--array", "4x4"] as const;

async function run(...args: readonly string[]): Promise<{ readonly result: RunResult; readonly stderr: string }> {
  const { code, stdout, stderr } = await invoke("run", ...small, "--engine", "cpu", "--json", ...args);
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  return { result: JSON.parse(stdout) as RunResult, stderr };
}
const shaOf = async (...args: readonly string[]): Promise<string> => (await run(...args)).result.output.sha256;

describe("run --arithmetic", () => {
  it("gives the whole arithmetic, which read as a file is the same", async () => {
    const { result } = await run("--arithmetic", "fa4-fp8");
    expect(result).toMatchObject({ format: null, kvSplits: 1, saturated: { q: 0, k: 0, v: 0, p: 0 } });
    const file = save("again.yaml", JSON.stringify(result.arithmetic));
    expect(loadArithmetic(specFiles, file)).toEqual(loadArithmetic(specFiles, "fa4-fp8"));
    expect(await shaOf("--arithmetic", file)).toBe(result.output.sha256);
  });

  it.each(formatNames)("%s is the format", async name => {
    const { result } = await run("--arithmetic", name);
    expect([result.format, result.arithmetic.name]).toEqual([name, name]);
    expect(result.output.sha256).toBe(await shaOf("--format", name));
    expect(result.error?.baseline).not.toBeNull();
  });

  it("measures errors in any arithmetic, on operands and on inputs", async () => {
    const { result } = await run("--arithmetic", "mxfp8", "--check", "full");
    const { error } = result;
    expect(error).toMatchObject({ checkedRows: 6, baseline: null });
    // Elements of e4m3 are 2^-4 off in relative terms: rounding them is most of the error.
    expect(error?.withInputRounding.rmsRelative).toBeGreaterThan(2 ** -8);
    expect(error?.withInputRounding.rmsRelative).toBeLessThan(2 ** -2);
    expect(error?.rmsRelative).toBeLessThan(error?.withInputRounding.rmsRelative ?? 0);
  });

  it("counts operands that saturate, and says that numerators may", async () => {
    const text = readFileSync(join(import.meta.dirname, "../../specs/arithmetic/fa4-fp8.yaml"), "utf8");
    const file = save("lazy.yaml", text.replace("threshold: 0", "threshold: 4"));
    const { result, stderr } = await run("--arithmetic", file, "--spread", "8", "--seed", "2");
    expect(stderr).toContain("numerators may saturate: threshold + offset allow 2^12, the largest fp8-e4m3 is 448");
    expect(result.saturated.p).toBeGreaterThan(0);
    const { stdout } = await invoke("run", ...small, "--arithmetic", file, "--spread", "8", "--seed", "2");
    expect(stdout).toMatch(new RegExp(`saturated +${result.saturated.p} of p at the largest value`));
    // A run that was cut short and goes on counts what one run does.
    const kept = join(folder, "saturated.rows");
    const resumed = (...more: readonly string[]) =>
      run("--arithmetic", file, "--spread", "8", "--seed", "2", "--resume", kept, ...more);
    expect((await resumed()).result.saturated).toEqual(result.saturated);
    expect((await resumed()).result).toMatchObject({
      saturated: result.saturated,
      output: { sha256: result.output.sha256 },
    });
    writeFileSync(kept, readFileSync(kept).subarray(0, -1));
    expect((await resumed()).result).toMatchObject({
      saturated: result.saturated,
      output: { sha256: result.output.sha256 },
    });
  });

  it("is the design's own where none is named", async () => {
    const design = readFileSync(join(import.meta.dirname, "../../specs/designs/fusemax.yaml"), "utf8");
    const file = save("own.yaml", `${design}\narithmetic: hopper-fp8\n`);
    expect((await run("--design", file)).result.arithmetic.name).toBe("hopper-fp8");
    expect((await run("--design", file, "--format", "fp16")).result.format).toBe("fp16");
  });
});

describe("what run computes", () => {
  /** Inputs of the small workload, as run generates them. */
  const shape = { batch: 1, heads: 2, kvHeads: 2, queries: 3, keys: 13, headDim: 8, valueDim: 8 };
  const given = (name: InputName): Float32Array => generateNormal(0, name, valuesOf(tensorShapes(shape)[name]));

  it.each(specFiles.names("arithmetic"))("are the golden bits and counts in %s, split and masked", async name => {
    const arithmetic = loadArithmetic(specFiles, name);
    const golden = goldenAttention(
      {
        ...{ shape, mask: { ...noMask, right: 0 }, tile: { m0: 4, p0: 4 }, arithmetic },
        ...{ scale: 1 / Math.sqrt(8), kvSplits: 2 },
      },
      { q: given("q"), k: given("k"), v: given("v") },
    );
    const { result } = await run("--arithmetic", name, "--causal", "--kv-splits", "2", "--check", "full");
    expect(result.output.sha256).toBe(sha256OfValues(golden.av));
    expect(result.saturated).toEqual(golden.saturated);
    expect(result.error?.maxAbs).toBeLessThan(0.5);
  });
});

describe("run --kv-splits", () => {
  it("1 is no split, and more runs than tiles are a run a tile", async () => {
    const whole = await shaOf();
    expect(await shaOf("--kv-splits", "1")).toBe(whole);
    const { result } = await run("--kv-splits", "4");
    expect(result).toMatchObject({ format: "bf16", kvSplits: 4 });
    expect(await shaOf("--kv-splits", "1000")).toBe(result.output.sha256);
    expect(result.output.sha256).not.toBe(whole);
  });

  it("depends on the keys of a batch alone, and not on the array's columns", async () => {
    const split = ["--kv-splits", "2", "--arithmetic", "fa3-fp8"];
    expect(await shaOf(...split, "--array", "4x1")).toBe(await shaOf(...split, "--array", "4x7"));
  });
});

describe("the other commands that take a design", () => {
  const commands: readonly (readonly [name: string, ...options: string[]])[] = [
    ["model", "--seq", "1K"],
    ["tables", "--seq", "1K"],
    ["sweep", "--seq", "1K"],
    ["schedule", "--seq", "512"],
    ["trace", "--seq", "512", "--out", join(folder, "none.svg")],
  ];

  it.each(commands)("%s refuses an arithmetic that its cascade does not have", async (name, ...options) => {
    const { code, stderr } = await invoke(name, ...options, "--design", "flat", "--arithmetic", "fa3-bf16");
    expect(stderr).toMatch(/^fusemax: --arithmetic fa3-bf16: got exponent: fused with the cascade attention-3-pass/);
    expect(code).toBe(2);
  });

  it("say that a design in other words than 16 bits is not the paper's", async () => {
    const ofArithmetic = async (name: string) =>
      (await invoke("model", "--design", "fusemax", "--seq", "1K", "--arithmetic", name)).stdout;
    expect(await ofArithmetic("fp16")).toMatch(/^Accounting: published/);
    expect(await ofArithmetic("hopper-fp8")).toMatch(/^Accounting: corrected/);
  });
});

describe("bad arithmetics", () => {
  const cases: Readonly<Record<string, readonly [args: readonly string[], message: RegExp]>> = {
    "both names": [
      ["--format", "bf16", "--arithmetic", "fp32"],
      /^fusemax: --format: cannot be given with --arithmetic; /,
    ],
    "a name that there is not": [
      ["--arithmetic", "fa9"],
      /^fusemax: --arithmetic: got "fa9"; expected one of .* others in specs\/arithmetic/,
    ],
    "a file that is not there": [
      ["--arithmetic", join(folder, "none.yaml")],
      /none\.yaml: no such file or folder; expected/,
    ],
    "a step of one pass in another cascade": [
      ["--design", "flat", "--arithmetic", "fa3-bf16"],
      /^fusemax: --arithmetic fa3-bf16: got exponent: fused with the cascade attention-3-pass; expected difference/,
    ],
    "scales of numerators in another cascade": [
      ["--design", "flat", "--arithmetic", "mxfp8"],
      /got operands\.p\.scale: mx with the cascade/,
    ],
    "split keys of another cascade": [
      ["--design", "flat", "--kv-splits", "2"],
      /^fusemax: --kv-splits: got the cascade attention-3-pass; expected FuseMax's own/,
    ],
    "no runs": [["--kv-splits", "0"], /^fusemax: --kv-splits: got "0"; expected a whole number of at least 1/],
  };

  it.each(Object.entries(cases))("refuses %s in one line", async (_, [args, message]) => {
    const { code, stdout, stderr } = await invoke("run", ...small, ...args);
    expect(stderr).toMatch(message);
    expect({ code, stdout, lines: stderr.trimEnd().split("\n").length }).toEqual({ code: 2, stdout: "", lines: 1 });
  });
});
