import { describe, expect, it } from "vitest";
import { largestAlign, largestBlock } from "../../src/numerics/block-sum.js";
import * as limits from "../../src/numerics/limits.js";

describe("limits", () => {
  it("are the contract's (docs/numerics.md, docs/arithmetic.md)", () => {
    const { boundInWords, largestOperand, ...numbers } = limits;
    expect(numbers).toEqual({
      largestInput: 1125899906842624,
      smallestExponent: -50,
      largestExponent: 64,
      smallestCorrection: 8.881784197001252e-16,
      smallestResult: 7.888609052210118e-31,
      largestResult: 1.2676506002282294e30,
      noMaximum: -3.0000000054977558e38,
      smallestAmax: 9.094947017729282e-13,
      smallestScale: 0.000244140625,
      largestScale: 4096,
      largestHeadDim: 8192,
    });
    expect([largestAlign, largestBlock]).toEqual([40, 256]);
    expect([65504, 2 ** 127].map(largest => largestOperand({ largest }))).toEqual([65504, 2 ** 50]);
    expect([2 ** 50, 65504].map(boundInWords)).toEqual(["2^50", "65504"]);
  });
});
