import { describe, expect, it } from "vitest";
import { tensorShapes, valuesOf } from "../../../src/attention/shape.js";
import { generateNormal } from "../../../src/emulator/generate.js";
import { goldenAttention } from "../../../src/emulator/golden/attention.js";
import { specFiles } from "../../../src/io/spec-files.js";
import { formatNames, formats } from "../../../src/numerics/format.js";
import { sha256OfValues } from "../../../src/numerics/sha256.js";
import { loadArithmetic } from "../../../src/spec/load.js";
import { goldenCases } from "../golden-cases.js";

/** The dense case has a hundred times the products of the others. */
const small = goldenCases.filter(({ what }) => what !== "dense, ragged");

describe("the five formats as files", () => {
  it("has cases", () => expect(small.length).toBe(goldenCases.length - 1));

  describe.each(small)("$what", ({ what: _, sha256, ...problem }) => {
    const generated = (name: "q" | "k" | "v"): Float32Array =>
      generateNormal(0, name, valuesOf(tensorShapes(problem.shape)[name]));
    const inputs = { q: generated("q"), k: generated("k"), v: generated("v") };

    it.each(formatNames)("%s has the bits that it had", name => {
      const arithmetic = loadArithmetic(specFiles, name);
      const { operand, accumulator } = formats[name];
      expect(Object.values(arithmetic.operands).map(({ type }) => type.name)).toEqual(Array(4).fill(operand));
      expect(arithmetic.accumulator).toBe(accumulator);
      const { av } = goldenAttention({ ...problem, arithmetic, kvSplits: 1 }, inputs);
      expect(sha256OfValues(av)).toBe(sha256[name]);
    });
  });
});
