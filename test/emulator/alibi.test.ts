import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import { alibiOf, alibiSlopes, withAlibi } from "../../src/emulator/alibi.js";
import { emulate } from "../../src/emulator/emulate.js";
import { generateNormal } from "../../src/emulator/generate.js";
import { roundOperands } from "../../src/emulator/operands.js";
import { formats } from "../../src/numerics/format.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";

const shape = { batch: 1, heads: 4, kvHeads: 2, queries: 3, keys: 600, headDim: 8, valueDim: 4 };
const scale = 0.25;
const inputs = {
  q: generateNormal(2, "q", 4 * 3 * 8),
  k: generateNormal(2, "k", 2 * 600 * 8),
  v: generateNormal(2, "v", 2 * 600 * 4),
};

/** softmax(scale q.k + slope (m - i)) V of one causal row, in float64. */
function biasedRow(values: { q: ArrayLike<number>; k: ArrayLike<number>; v: ArrayLike<number> }, h: number, p: number) {
  const i = p + shape.keys - shape.queries;
  const kvHead = Math.floor(h / 2);
  const slope = alibiSlopes(4)[h] ?? Number.NaN;
  const scores = Array.from({ length: i + 1 }, (_, m) => {
    let s = 0;
    for (let e = 0; e < 8; e += 1)
      s += (values.q[(h * 3 + p) * 8 + e] ?? 0) * (values.k[(kvHead * 600 + m) * 8 + e] ?? 0);
    return scale * s + slope * (m - i);
  });
  const maximum = Math.max(...scores);
  const weights = scores.map(s => Math.exp(s - maximum));
  const sum = weights.reduce((a, b) => a + b, 0);
  return [0, 1, 2, 3].map(f =>
    weights.reduce((a, w, m) => a + (w / sum) * (values.v[(kvHead * 600 + m) * 4 + f] ?? 0), 0),
  );
}

describe("ALiBi by longer dot products", () => {
  it("has the published slopes", () => {
    expect(alibiSlopes(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map(h => 2 ** -h));
    expect(alibiSlopes(1)).toEqual([2 ** -8]);
    // Of the authors' get_slopes(12): those of 8 heads, then every other one of 16. Roots and products err by a few units of 2^-53.
    const twelve = [...alibiSlopes(8), ...[0.5, 1.5, 2.5, 3.5].map(x => 2 ** -x)];
    for (const [h, slope] of alibiSlopes(12).entries()) expect(slope / (twelve[h] ?? 0) - 1).toBeCloseTo(0, 14);
    expect(alibiSlopes(12)).toHaveLength(12);
  });

  it("law: where a tensor is cut into pieces changes nothing", () => {
    const { inputs: whole } = withAlibi(inputs, { shape, mask: noMask }, formats.bf16, scale, alibiSlopes(4));
    fc.assert(
      fc.property(fc.constantFrom("q", "k"), fc.array(fc.integer({ min: 0, max: 96 })), (name, cuts) => {
        const widen = alibiOf({ shape, mask: noMask }, formats.bf16, scale, alibiSlopes(4)).widener(name);
        const ends = [...cuts.sort((a, b) => a - b), inputs[name].length];
        const pieces = ends.map((end, i) => widen(inputs[name].subarray(i === 0 ? 0 : ends[i - 1], end)));
        expect(Float32Array.from(pieces.flatMap(piece => [...piece]))).toEqual(whole[name]);
      }),
      { numRuns: 25 },
    );
  });

  // 2^-8 and 2^-11 of the numerators' rounding; fp32: near the query, where weights are, scores are
  // sums of distances below 2^6 / scale, whose ulp is 2^-16 * scale. Twice each for slack.
  it.each([
    ["bf16", 2 ** -7],
    ["fp16", 2 ** -10],
    ["fp32", 2 ** -18],
  ] as const)("is attention with linear biases in %s", async (name, tolerance) => {
    const format = formats[name];
    const wide = withAlibi(inputs, { shape, mask: noMask }, format, scale, alibiSlopes(4));
    expect(wide.shape.headDim).toBe(8 + { bf16: 3, fp16: 2, fp32: 2 }[name]);
    const mask = { left: -1, right: 0, kvLens: null, qLens: null };
    const { av } = await emulate(
      { shape: wide.shape, mask, tile: { m0: 64, p0: 4 }, arithmetic: formatArithmetics[name], scale },
      wide.inputs,
    );
    const rounded = roundOperands(inputs, shape, formatArithmetics[name]);
    for (let h = 0; h < 4; h += 1) {
      for (let p = 0; p < 3; p += 1) {
        for (const [f, exact] of biasedRow(rounded, h, p).entries()) {
          expect(Math.abs((av[(h * 3 + p) * 4 + f] ?? Number.NaN) - exact)).toBeLessThan(2 * tolerance);
        }
      }
    }
  });

  it("refuses slopes that do not fit the heads", () => {
    expect(() => withAlibi(inputs, { shape, mask: noMask }, formats.bf16, scale, [1])).toThrow(
      "slopes: got 1; expected one for each of 4 query heads",
    );
  });
});
