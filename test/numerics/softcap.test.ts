import { expect, it } from "vitest";
import { largestSoftcap, smallestSoftcap, softcapFactors } from "../../src/numerics/softcap.js";

it("a soft-cap's factors are the contract's (docs/numerics.md, --softcap), each rounded to fp32 once", () => {
  // log2 e = 6497320848556798 / 2^52, so that 2 * log2 e / 3 and its like are quotients of integers.
  const log2E = 6497320848556798 / 2 ** 52;
  expect(softcapFactors(50, 0.0625)).toEqual({ g: Math.fround(log2E / 400), w: 800 });
  expect(softcapFactors(0.1, 3)).toEqual({ g: Math.fround((6 * log2E) / 0.1), w: Math.fround(0.1 / 3) });
  expect([smallestSoftcap, largestSoftcap]).toEqual([5.9604644775390625e-8, 16777216]);
});
