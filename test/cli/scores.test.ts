import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { RunResult } from "../../src/report/run-result.js";
import { npyBytes } from "../io/tensor-files.js";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-scores-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));
const save = (name: string, ...of: Parameters<typeof npyBytes>): string => {
  writeFileSync(at(name), npyBytes(...of));
  return at(name);
};

const small = [
  "run",
  "--engine",
  "cpu",
  "--q-len",
  "6",
  "--kv-len",
  "9",
  "--heads",
  "2",
  "--head-dim",
  "4",
  "--array",
  "4x4",
];
async function run(...args: readonly string[]): Promise<RunResult> {
  const { code, stdout, stderr } = await invoke(...small, "--json", ...args);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as RunResult;
}
const hashOf = async (...args: readonly string[]): Promise<string> => (await run(...args)).output.sha256;
const values = (name: string): Float32Array => {
  const bytes = readFileSync(at(name));
  const header = 10 + bytes.readUInt16LE(8);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset + header, bytes.byteOffset + bytes.length));
};

const causalBits = Array.from({ length: 54 }, (_, i) => (i % 9 <= Math.floor(i / 9) + 3 ? 1 : 0));

describe("--mask", () => {
  it("law: bits that say what a pattern says give its bits, and cost the same", async () => {
    const file = save("causal.npy", causalBits, { shape: [6, 9], descr: "|b1" });
    const [bits, pattern] = [await run("--mask", file), await run("--mask", "causal")];
    expect(bits.output.sha256).toBe(pattern.output.sha256);
    expect(bits.cost).toEqual(pattern.cost);
    expect(pattern.workload).toMatchObject({ corner: "bottom-right", masks: ["causal, bottom-right"] });
    expect(await hashOf("--causal")).toBe(pattern.output.sha256);
    expect(await hashOf("--mask", "causal:top-left")).not.toBe(pattern.output.sha256);
    // A bias of -inf hides as a mask does.
    const bias = save(
      "hides.npy",
      causalBits.map(bit => (bit === 1 ? 0 : Number.NEGATIVE_INFINITY)),
      { shape: [6, 9] },
    );
    expect(await hashOf("--bias", bias)).toBe(pattern.output.sha256);
  });

  it("intersects, says the corner, and takes documents, prefixes, blocks and padding", async () => {
    expect(await hashOf("--mask", "window:2,0", "--mask", "window:-1,3")).toBe(await hashOf("--window", "2,0"));
    expect(await hashOf("--causal", "--mask", "prefix:4")).toBe(await hashOf("--causal"));
    // Nothing is seen and nothing is done: the output is zeros, and no share of the time is a number by itself.
    const none = await run("--mask", save("all-hidden.npy", [0], { shape: [1, 1, 1, 1], descr: "|b1" }));
    expect(none.cost).toMatchObject({ cycles: 0, utilization: { "2d": 0, "1d": 0 } });
    expect(await hashOf("--mask", "prefix:9")).toBe(await hashOf());
    expect(await hashOf("--left-pad", "0")).toBe(await hashOf());
    const blocks = save("blocks.npy", [1, 0, 0, 1, 1, 0], { shape: [2, 3], descr: "|b1" });
    const bits = Array.from({ length: 54 }, (_, i) => {
      const [p, m] = [Math.floor(i / 9), i % 9];
      return ([1, 0, 0, 1, 1, 0][Math.floor(p / 3) * 3 + Math.floor(m / 3)] ?? 0) as number;
    });
    const same = save("same.npy", bits, { shape: [6, 9], descr: "|b1" });
    expect(await hashOf("--mask", `blocks:${blocks},3`)).toBe(await hashOf("--mask", `file:${same}`));
    const packed = ["--q-len", "9", "--mask"];
    expect(await hashOf(...packed, "document:9")).toBe(await hashOf("--q-len", "9"));
    expect(await hashOf(...packed, "document:4,5")).not.toBe(await hashOf("--q-len", "9"));
    const { stdout } = await invoke(...small, "--causal");
    expect(stdout).toContain("causal; aligned to the bottom-right corner: the last query is at the last key");
  });

  it("lets keys and values that no query sees hold anything", async () => {
    const normal = (n: number): number[] => Array.from({ length: n }, (_, i) => Math.sin(i + 1));
    const q = save("q.npy", normal(8), { shape: [1, 1, 2, 4] });
    const file = (name: string, bad: number): string =>
      save(
        `${name}.npy`,
        normal(20).map((x, i) => (Math.floor(i / 4) === 2 ? bad : x)),
        { shape: [1, 1, 5, 4] },
      );
    const mask = save("m.npy", [1, 1, 0, 1, 1], { shape: [5], descr: "|b1" });
    const hash = async (bad: number): Promise<string> => {
      const files = ["--q", q, "--k", file("k", bad), "--v", file("v", bad), "--mask", mask, "--check", "full"];
      const { code, stdout, stderr } = await invoke("run", "--engine", "cpu", "--json", ...files);
      expect(code, stderr).toBe(0);
      const { output, error } = JSON.parse(stdout) as RunResult;
      expect(error?.withInputRounding.maxAbs).toBeLessThan(0.1);
      return output.sha256;
    };
    expect(await hash(Number.NaN)).toBe(await hash(1));
  });
});

describe("scores", () => {
  it("writes the log-sum-exp and every stage of them", async () => {
    const format = ["--format", "fp32", "--softcap", "2", "--causal"];
    await run(...format, "--lse", at("lse.npy"), "--scores", `${at("s.npy")},biased`);
    const [lse, scores] = [values("lse.npy"), values("s.npy")];
    expect([lse.length, scores.length]).toEqual([12, 108]);
    for (const [row, x] of lse.entries()) {
      const own = scores.subarray(9 * row, 9 * row + 9);
      // fp32's sums of nine terms.
      expect(Math.log([...own].reduce((sum, s) => sum + Math.exp(s), 0))).toBeCloseTo(x, 5);
      expect(Math.max(...own.map(s => (s === Number.NEGATIVE_INFINITY ? 0 : Math.abs(s))))).toBeLessThanOrEqual(2);
      expect([...own].filter(s => s === Number.NEGATIVE_INFINITY)).toHaveLength(5 - (row % 6));
    }
    await run(...format, "--scores", `${at("p.npy")},softmax`);
    for (let row = 0; row < 12; row += 1) {
      const sum = values("p.npy")
        .subarray(9 * row, 9 * row + 9)
        .reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(1, 5);
    }
  });

  it("gives the same bits on every engine, with bias, sinks and bits", async () => {
    const bias = save(
      "b.npy",
      Array.from({ length: 9 }, (_, i) => i / 3),
      { shape: [9] },
    );
    const sink = save("sink.npy", [0.5, -1], { shape: [2] });
    const mask = save(
      "odd.npy",
      Array.from({ length: 54 }, (_, i) => (i % 4 === 0 ? 0 : 1)),
      { shape: [6, 9], descr: "|b1" },
    );
    const args = ["--bias", bias, "--sink", sink, "--mask", mask, "--softcap", "5", "--format", "bf16"];
    const onCpu = await hashOf(...args);
    const { stdout } = await invoke(...small, "--json", ...args, "--engine", "wasm");
    expect((JSON.parse(stdout) as RunResult).output.sha256).toBe(onCpu);
    expect(onCpu).not.toBe(await hashOf(...args.slice(2)));
  });

  it.each([
    [["--causal", "--mask", "causal:top-left"], /one corner/],
    [["--window", "3,0", "--mask", "causal:top-left"], /one corner; --mask window:l,r:top-left/],
    [["--mask", "document:4,5"], /as many queries as keys/],
    [["--mask", "window:1"], /--mask window: got "1"; expected LEFT,RIGHT/],
    [["--mask", "prefix:-1"], /--mask: got "prefix:-1"; expected prefix:N with N keys from 0 up/],
    [["--mask", "nosuch"], /--mask: got "nosuch"; expected causal, causal:top-left, .* or a file/],
    [["--mask", "causal:middle"], /top-left or bottom-right/],
    [["--mask", at("none.npy")], /none\.npy/],
    [["--softcap", "0"], /--softcap: got "0"/],
    [["--softcap", "-1"], /--softcap: got "-1"/],
    [["--alibi-slopes", "0.5"], /1 slopes; expected 2/],
    [["--left-pad", "1,2"], /--left-pad: got 2 lengths; expected 1/],
    [["--lse", at("x.npy"), "--resume", at("rows")], /--resume: cannot be given with --lse/],
    [["--lse", at("x.npy"), "--design", "flat"], /--lse: got the cascade/],
    [["--kv-splits", "2", "--scores", `${at("x.npy")},softmax`], /shares of keys that are split into runs/],
    [
      ["--design", "flat", "--scores", `${at("x.npy")},softmax`],
      /shares of the cascade attention-3-pass; .*raw, capped/,
    ],
    [
      ["--arithmetic", "mxfp8", "--scores", `${at("x.npy")},softmax`],
      /numerators with scales, p's mx in arithmetic mxfp8/,
    ],
  ] as const)("refuses %j in one line", async (args, text) => {
    const { code, stdout, stderr } = await invoke(...small, ...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(text);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  it("refuses files that do not fit in one line, with both shapes", async () => {
    const wide = save("wide.npy", Array(20).fill(1), { shape: [2, 10], descr: "|b1" });
    const nan = save("nan.npy", [0, Number.NaN, 0, 0, 0, 0, 0, 0, 0], { shape: [9] });
    const sinks = save("three.npy", [1, 2, 3], { shape: [3] });
    const floats = save("floats.npy", [0, 1, 0, 0, 0, 0, 0, 0, 0], { shape: [9] });
    for (const [args, text] of [
      [
        ["--mask", wide],
        /got shape \[2, 10\]; expected one that broadcasts to the scores \[B, H, P, M\] = \[1, 2, 6, 9\]/,
      ],
      [["--bias", nan], /bias\[0, 0, 0, 1\]: got NaN/],
      [["--sink", sinks], /got 3 logits; expected 2/],
      [["--mask", floats], /--bias takes masks that are added/],
      [["--bias", at("causal.npy")], /--mask takes truth values/],
    ] as const) {
      const { code, stdout, stderr } = await invoke(...small, ...args);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(text);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    }
  });
});

describe("--mask of model and schedule", () => {
  it("law: a file that says what a pattern says costs the same", async () => {
    const bits = Array.from({ length: 300 * 300 }, (_, i) => (i % 300 <= Math.floor(i / 300) ? 1 : 0));
    const file = save("square.npy", bits, { shape: [300, 300], descr: "|b1" });
    const model = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await invoke(
        "model",
        "--design",
        "fusemax",
        "--seq",
        "300",
        "--batch",
        "2",
        "--json",
        ...args,
      );
      expect(code, stderr).toBe(0);
      return (JSON.parse(stdout) as { results: { cycles: number; trafficBytes: number }[] }).results.map(
        ({ cycles, trafficBytes }) => [cycles, trafficBytes],
      );
    };
    const [byFile, byName] = [await model("--mask", file), await model("--mask", "causal")];
    expect(byFile).toEqual(byName);
    expect(byName).not.toEqual(await model());
    expect(await model("--mask", "document:300")).toEqual(await model());
    const schedule = async (mask: string) => {
      const { code, stdout, stderr } = await invoke(
        "schedule",
        "--seq",
        "300",
        "--heads",
        "1",
        "--batch",
        "1",
        "--mask",
        mask,
      );
      expect(code, stderr).toBe(0);
      return stdout;
    };
    expect(await schedule(file)).toBe(await schedule("causal"));
    const { code, stderr } = await invoke("model", "--seq", "300", "--layer", "--mask", file);
    expect([code, stderr.trimEnd().split("\n").length]).toEqual([2, 1]);
  });
});
