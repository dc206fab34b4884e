import { describe, expect, it } from "vitest";
import { onePassAttention } from "../../../src/emulator/golden/one-pass.js";
import { hexOf, readVector, vectorNames } from "../../arithmetic/vectors.js";

describe("the golden implementation", () => {
  it("has vectors", () => expect(vectorNames.length).toBe(14));

  it.each(vectorNames)("gives the bits of %s", name => {
    const { problem, inputs, av: expected } = readVector(name);
    const { shape, mask, tile, arithmetic, scale, kvSplits } = problem;
    const matrix = (values: Float32Array, columns: number) => ({
      rows: values.length / columns,
      columns,
      values: Float64Array.from(values),
    });
    const { av } = onePassAttention(arithmetic, {
      q: matrix(inputs.q, shape.headDim),
      k: matrix(inputs.k, shape.headDim),
      v: matrix(inputs.v, shape.valueDim),
      m0: tile.m0,
      scale,
      sees: (p, m) => mask.right < 0 || m <= p + shape.keys - shape.queries,
      kvSplits,
    });
    expect(hexOf(av.values)).toEqual(expected);
  });
});
