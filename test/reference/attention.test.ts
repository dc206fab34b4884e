import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { referenceRow } from "../../src/reference/attention.js";

/** The formula of the textbook, term by term, without blocks or compensation. */
function naiveRow(q: number[], k: number[][], v: number[][], scale: number): number[] {
  const scores = k.map(key => scale * key.reduce((s, x, e) => s + x * (q[e] ?? 0), 0));
  const weights = scores.map(s => Math.exp(s - Math.max(...scores)));
  const sum = weights.reduce((a, b) => a + b, 0);
  return (v[0] ?? []).map((_, f) => weights.reduce((s, w, m) => s + (w / sum) * (v[m]?.[f] ?? 0), 0));
}

const small = fc.double({ min: -4, max: 4, noNaN: true });

describe("referenceRow", () => {
  it("is softmax(scale Q K^T) V over the keys it sees, for any sizes", () => {
    const sizes = fc.record({
      keys: fc.integer({ min: 1, max: 300 }),
      headDim: fc.integer({ min: 1, max: 5 }),
      valueDim: fc.integer({ min: 1, max: 5 }),
    });
    const problem = sizes.chain(s =>
      fc.record({
        sizes: fc.constant(s),
        q: fc.array(small, { minLength: s.headDim, maxLength: s.headDim }),
        seed: fc.integer({ min: 1, max: 1000 }),
        from: fc.integer({ min: 0, max: s.keys - 1 }),
      }),
    );
    fc.assert(
      fc.property(problem, ({ sizes: { keys, headDim, valueDim }, q, seed, from }) => {
        const k = Array.from({ length: keys }, (_, m) =>
          Array.from({ length: headDim }, (_, e) => Math.sin(seed * (m * 7 + e + 1))),
        );
        const v = Array.from({ length: keys }, (_, m) =>
          Array.from({ length: valueDim }, (_, f) => Math.cos(seed * (m * 5 + f + 2))),
        );
        const tensors = {
          q: Float64Array.from(q),
          k: Float64Array.from(k.flat()),
          v: Float64Array.from(v.flat()),
        };
        const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 1, keys, headDim, valueDim };
        const row = referenceRow(tensors, shape, 0.7, 0, { from, to: keys });
        const naive = naiveRow(q, k.slice(from), v.slice(from), 0.7);
        // Both are float64: a few hundred roundings of 2^-53, scores of at most 20 in the exponent.
        for (const [f, x] of row.entries()) expect(Math.abs(x - (naive[f] ?? Number.NaN))).toBeLessThan(1e-12);
      }),
    );
  });

  it("reads the key/value head of the query head's group", () => {
    const shape = { batch: 1, heads: 4, kvHeads: 2, queries: 1, keys: 1, headDim: 1, valueDim: 1 };
    const tensors = { q: new Float32Array(8), k: new Float32Array(4), v: Float32Array.of(10, 20, 30, 40) };
    const rows = [0, 1, 2, 3, 4, 5, 6, 7].map(row => referenceRow(tensors, shape, 1, row, { from: 0, to: 1 })[0]);
    expect(rows).toEqual([10, 10, 20, 20, 30, 30, 40, 40]);
  });

  it("gives zeros to a row that sees no key", () => {
    const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 1, keys: 2, headDim: 1, valueDim: 2 };
    const tensors = { q: Float32Array.of(1), k: Float32Array.of(1, 2), v: Float32Array.of(1, 2, 3, 4) };
    expect([...referenceRow(tensors, shape, 1, 0, { from: 2, to: 1 })]).toEqual([0, 0]);
  });

  it("does not lose digits over many keys: a mean of 100,000 equal values is that value", () => {
    const keys = 100_000;
    const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 1, keys, headDim: 1, valueDim: 1 };
    const tensors = { q: Float32Array.of(0), k: new Float32Array(keys), v: new Float64Array(keys).fill(0.1) };
    const [mean] = referenceRow(tensors, shape, 1, 0, { from: 0, to: keys });
    // Blocks of 128 plain terms: 2^-53 times a few dozen at the most, whatever the number of keys.
    expect(Math.abs((mean ?? 0) / 0.1 - 1)).toBeLessThan(64 * 2 ** -53);
  });

  it("law: what one key adds is not lost beside a sum that a large value made and another takes away", () => {
    const keys = 128 * 1000;
    const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 1, keys, headDim: 1, valueDim: 1 };
    const v = new Float64Array(keys).fill(1);
    v[0] = 2 ** 60;
    v[keys - 1] = -(2 ** 60);
    const tensors = { q: new Float64Array(1), k: new Float64Array(keys), v };
    const [mean = Number.NaN] = referenceRow(tensors, shape, 1, 0, { from: 0, to: keys });
    // Near 2^60 doubles are 256 apart: a plain sum of the blocks' 128 would be 2^60 all the way. What the first and the last
    // block round away is at most 128 each.
    expect(Math.abs(mean * keys - (keys - 2))).toBeLessThanOrEqual(512);
  });

  it("stands scores that would overflow an exponential", () => {
    const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 1, keys: 2, headDim: 1, valueDim: 1 };
    const tensors = { q: Float32Array.of(1000), k: Float32Array.of(1000, -1000), v: Float32Array.of(3, 5) };
    expect(referenceRow(tensors, shape, 1, 0, { from: 0, to: 2 })[0]).toBe(3);
  });
});
