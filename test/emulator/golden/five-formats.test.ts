import { describe, expect, it } from "vitest";
import { generateNormal } from "../../../src/emulator/generate.js";
import { onePassAttention } from "../../../src/emulator/golden/one-pass.js";
import { specFiles } from "../../../src/io/spec-files.js";
import { formatNames, formats } from "../../../src/numerics/format.js";
import { sha256OfValues } from "../../../src/numerics/sha256.js";
import { loadArithmetic } from "../../../src/spec/load.js";

/**
 * The sliding window of test/emulator/golden-attention.test.ts: digests by a C program that shares nothing with this
 * project.
 */
const sha256 = {
  bf16: "5c00c0367d9705ca69e1a3e2c83dcb9ad31aa258a6646d630e9fa4be56e593b8",
  "bf16-strict": "1731e10ac842031e1bde652c9c3873a972093791fbc4db511ad98f941d25d142",
  fp16: "84dd793dc5819f49388f7c031916645117e1762816e8b5a24613968f80de5970",
  "fp16-strict": "601f629fbe8fb234277d56e1189b43dc55d48475e14f2247b3651db3dc898a36",
  fp32: "efdaadd072915b3553e7839aad448c337a3492c7426dc038cb9e77c2aaf3ee5d",
};
const [heads, queries, keys, headDim, valueDim] = [2, 90, 80, 17, 9];
const [left, right] = [20, 3];

const matrix = (name: "q" | "k" | "v", rows: number, columns: number, head: number) => ({
  rows,
  columns,
  values: Float64Array.from(generateNormal(0, name, rows * columns, 1, head * rows * columns)),
});

describe("the five formats as files", () => {
  it.each(formatNames)("%s has the bits that it had", name => {
    const arithmetic = loadArithmetic(specFiles, name);
    const { operand, accumulator } = formats[name];
    expect(arithmetic.operands.q.type.name).toBe(operand);
    expect(arithmetic.accumulator).toBe(accumulator);
    const av = Array.from({ length: heads }, (_, h) => {
      const head = onePassAttention(arithmetic, {
        q: matrix("q", queries, headDim, h),
        k: matrix("k", keys, headDim, 0),
        v: matrix("v", keys, valueDim, 0),
        m0: 16,
        scale: 1,
        sees: (p, m) => m >= p + keys - queries - left && m <= p + keys - queries + right,
        kvSplits: 1,
      });
      return [...head.av.values];
    });
    expect(sha256OfValues(Float32Array.from(av.flat()))).toBe(sha256[name]);
  });
});
