import { describe, expect, it } from "vitest";
import { tensorShapes, valuesOf } from "../../../src/attention/shape.js";
import { generateNormal } from "../../../src/emulator/generate.js";
import { type GoldenProblem, goldenAttention } from "../../../src/emulator/golden/attention.js";
import { InputError } from "../../../src/errors.js";
import { specFiles } from "../../../src/io/spec-files.js";
import type { ArithmeticSpec, Scale } from "../../../src/numerics/arithmetic.js";
import { loadArithmetic } from "../../../src/spec/load.js";

const problem: Omit<GoldenProblem, "arithmetic"> = {
  shape: { batch: 2, heads: 4, kvHeads: 2, queries: 6, keys: 40, headDim: 20, valueDim: 5 },
  mask: { left: -1, right: 0, kvLens: [40, 33], qLens: [6, 4] },
  tile: { m0: 16, p0: 4 },
  scale: 0.2,
  kvSplits: 2,
};
const shapes = tensorShapes(problem.shape);
const generated = (name: "q" | "k" | "v") => generateNormal(3, name, valuesOf(shapes[name]));
const inputs = () => ({ q: generated("q"), k: generated("k"), v: generated("v") });

const withScale = (scale: Scale): ArithmeticSpec => {
  const arithmetic = loadArithmetic(specFiles, "fa3-fp8");
  const { q, k, v, p } = arithmetic.operands;
  return { ...arithmetic, operands: { q: { ...q, scale }, k: { ...k, scale }, v: { ...v, scale }, p } };
};

/** Output rows of which any value is another, by batch and head. */
function changedHeads(a: Float32Array, b: Float32Array): readonly string[] {
  const { heads, queries, valueDim } = problem.shape;
  const changed = new Set<string>();
  for (const [i, x] of a.entries()) {
    if (x === b[i]) continue;
    const head = Math.floor(i / (queries * valueDim));
    changed.add(`${Math.floor(head / heads)}.${head % heads}`);
  }
  return [...changed];
}

/** What changes when one element of a tensor becomes larger than all others. */
function reach(scale: Scale, name: "q" | "k" | "v", index: number): readonly string[] {
  const arithmetic = withScale(scale);
  const changed = inputs();
  changed[name][index] = 37;
  return changedHeads(
    goldenAttention({ ...problem, arithmetic }, inputs()).av,
    goldenAttention({ ...problem, arithmetic }, changed).av,
  );
}

describe("goldenAttention", () => {
  it("shares scales as far as their sets reach", () => {
    const all = ["0.0", "0.1", "0.2", "0.3", "1.0", "1.1", "1.2", "1.3"];
    expect(reach("tensor", "q", 0)).toEqual(all);
    expect(reach("tensor", "v", 0)).toEqual(all);
    expect(reach("head", "q", 0)).toEqual(["0.0", "0.1"]);
    expect(reach("head", "k", 0)).toEqual(["0.0", "0.1"]);
    expect(reach("none", "q", 0)).toEqual(["0.0"]);
    expect(reach("none", "v", valuesOf(shapes.v) / 2)).toEqual(["1.0", "1.1"]);
  });

  it("keeps padding out of every set", () => {
    const [, , keys, headDim] = shapes.k;
    // Key 33 of batch 1's first head, and its query 4.
    const key = 2 * keys * headDim + 33 * headDim;
    const query = 4 * 6 * headDim + 4 * headDim;
    for (const scale of ["tensor", "head"] as const) {
      expect(reach(scale, "k", key)).toEqual([]);
      expect(reach(scale, "q", query)).toEqual([]);
    }
  });

  it("leaves rows past a batch's queries at +0", () => {
    const { av } = goldenAttention({ ...problem, arithmetic: withScale("head") }, inputs());
    const start = (4 * 6 + 4) * 5;
    expect([...av.subarray(start, start + 10)].every(x => Object.is(x, 0))).toBe(true);
  });

  it("counts keys and values once, whoever reads them", () => {
    const arithmetic = withScale("none");
    const changed = inputs();
    for (const name of ["q", "k", "v"] as const) changed[name][0] = 600;
    expect(goldenAttention({ ...problem, arithmetic }, changed).saturated).toMatchObject({ q: 1, k: 1, v: 1 });
  });

  it("names the head of a value that cannot be", () => {
    const changed = inputs();
    changed.k[0] = Number.NaN;
    expect(() => goldenAttention({ ...problem, arithmetic: withScale("none") }, changed)).toThrow(InputError);
    expect(() => goldenAttention({ ...problem, arithmetic: withScale("none") }, changed)).toThrow(
      "batch 0, head 0: k[0,0]: got NaN; expected a finite number",
    );
  });
});
