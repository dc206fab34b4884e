import { describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import type { AttentionProblem } from "../../src/attention/problem.js";
import { cpuEngine, traceOverflow } from "../../src/emulator/cpu.js";
import { generateNormal } from "../../src/emulator/generate.js";
import { roundOperands } from "../../src/emulator/operands.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";

const shape = { batch: 1, heads: 2, kvHeads: 1, queries: 5, keys: 7, headDim: 3, valueDim: 4 };
const problem: AttentionProblem = {
  shape,
  mask: noMask,
  tile: { m0: 3, p0: 2 },
  arithmetic: formatArithmetics.fp32,
  scale: 0.5,
};
const inputs = {
  q: generateNormal(1, "q", 2 * 5 * 3),
  k: generateNormal(1, "k", 7 * 3),
  v: generateNormal(1, "v", 7 * 4),
};

describe("the twin", () => {
  it("computes attention: fp32 is close to the formula written out", async () => {
    const operands = roundOperands(inputs, shape, formatArithmetics.fp32);
    const session = await cpuEngine().open(problem, operands);
    const { av } = await session.run({ start: 0, end: 10 });
    for (let row = 0; row < 10; row += 1) {
      const dot = (m: number): number =>
        [0, 1, 2].reduce((s, e) => s + (inputs.q[row * 3 + e] ?? 0) * (inputs.k[m * 3 + e] ?? 0), 0);
      const weights = [0, 1, 2, 3, 4, 5, 6].map(m => Math.exp(0.5 * dot(m)));
      const sum = weights.reduce((a, b) => a + b);
      for (let f = 0; f < 4; f += 1) {
        const exact = weights.reduce((s, w, m) => s + (w / sum) * (inputs.v[m * 4 + f] ?? 0), 0);
        // 7 keys: some twenty roundings of 2^-24 on values of order 1, and E2's 3.9e-6.
        expect(Math.abs((av[row * 4 + f] ?? Number.NaN) - exact)).toBeLessThan(2e-5);
      }
    }
  });

  it("refuses a dump outside the grid of tiles", async () => {
    const session = await cpuEngine().open(problem, roundOperands(inputs, shape, formatArithmetics.fp32));
    await expect(session.dump({ b: 0, h: 0, m1: 3, p1: 0 })).rejects.toThrow(
      "tile coordinate m1: got 3; expected an integer from 0 to 2; the grid of tiles is b 1, h 2, m1 3, p1 3",
    );
  });

  it("names the first overflow of fp16-strict in the order of the steps", async () => {
    const arithmetic = formatArithmetics["fp16-strict"];
    const flat = { batch: 1, heads: 1, kvHeads: 1, queries: 2, keys: 4, headDim: 1, valueDim: 2 };
    const run = async (q: number[], k: number[], v: number[]) => {
      const operands = { q: Float32Array.from(q), k: Float32Array.from(k), v: Float32Array.from(v) };
      const p = { ...problem, shape: flat, arithmetic, tile: { m0: 2, p0: 2 }, scale: 1 };
      const session = await cpuEngine().open(p, operands);
      const { overflowRow } = await session.run({ start: 0, end: 2 });
      return overflowRow === null ? null : traceOverflow(p, operands, overflowRow);
    };
    const v = [1, 1, 1, 1, 1, 1, 1, 1];
    expect(await run([1, 256], [1, 1, 1, 255.75], v)).toBeNull();
    expect(await run([1, 256], [1, 1, 1, 256], v)).toEqual({ row: 1, tensor: "BQK", m1: 1, index: 1 });
    expect(await run([1, 256], [200, -200, 1, 1], v)).toEqual({ row: 1, tensor: "SLN", m1: 0, index: 1 });
    // A difference rounds to 65504 up to 65520, halfway to what would be the next value.
    expect(await run([1, 256], [255.875, -0.03125, 1, 1], v)).toBeNull();
    expect(await run([1, 256], [255.875, -0.0625, 1, 1], v)).toEqual({ row: 1, tensor: "SLN", m1: 0, index: 1 });
    expect(await run([1, 256], [-200, -200, 200, 200], v)).toEqual({ row: 1, tensor: "PRM", m1: 1, index: null });
    expect(await run([0, 0], [1, 1, 1, 1], [1, 1, 1, 1, 1, 65504, 1, 65504])).toEqual({
      row: 0,
      tensor: "SLNV",
      m1: 1,
      index: 1,
    });
    expect(await run([0, 0], [1, 1, 1, 1], [1, 40000, 1, 1, 1, 40000, 1, 1])).toEqual({
      row: 0,
      tensor: "RNV",
      m1: 1,
      index: 1,
    });
  });

  it("names RD where a flat row has too many keys", () => {
    const flat = { batch: 1, heads: 1, kvHeads: 1, queries: 1, keys: 2 ** 16, headDim: 1, valueDim: 1 };
    const tile = { m0: 2 ** 11, p0: 1 };
    const operands = { q: new Float32Array(1), k: new Float32Array(flat.keys), v: new Float32Array(flat.keys) };
    const p = { ...problem, shape: flat, arithmetic: formatArithmetics["fp16-strict"], tile };
    expect(traceOverflow(p, operands, 0)).toEqual({ row: 0, tensor: "RD", m1: 31, index: null });
    expect(traceOverflow({ ...p, shape: { ...flat, keys: flat.keys - tile.m0 } }, operands, 0)).toBeNull();
  });
});
