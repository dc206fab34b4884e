import { describe, expect, it } from "vitest";
import { numberTypes } from "../../src/numerics/number-type.js";
import { amaxOf, mxScale, nvfp4HeadFactor, nvfp4Scale, sharedScale, unscaled } from "../../src/numerics/scales.js";

const fp8 = numberTypes["fp8-e4m3"];
const fp4 = numberTypes["fp4-e2m1"];

describe("scales (docs/arithmetic.md)", () => {
  it("take the largest magnitude of a set, and 0 for one below 2^-40", () => {
    expect(amaxOf([1, -3, 2])).toBe(3);
    expect(amaxOf([2 ** -40])).toBe(2 ** -40);
    expect(amaxOf([2 ** -41, -(2 ** -41)])).toBe(0);
    expect(amaxOf([])).toBe(0);
  });

  it("of one set: RNE32(amax / largest value), 1 and operands of 0 for no values", () => {
    const { scale, ratio } = sharedScale(fp8, 3);
    expect([scale, ratio(3), ratio(1)]).toEqual([Math.fround(3 / 448), 448, Math.fround(1 / Math.fround(3 / 448))]);
    const none = sharedScale(fp8, 0);
    expect([none.scale, none.ratio(2 ** -41)]).toEqual([1, 0]);
    expect([unscaled.scale, unscaled.ratio(3)]).toEqual([1, 3]);
  });

  it("mx: floor(log2 amax) less that of the largest value, from -127 to 127, an exact quotient", () => {
    expect([448, 447, 2 ** 50, 2 ** -40].map(amax => Math.log2(mxScale(fp8, amax).scale))).toEqual([0, 0, 42, -48]);
    expect([2 ** 200, 2 ** -200].map(amax => Math.log2(mxScale(fp8, amax).scale))).toEqual([127, -127]);
    expect(mxScale(fp4, 24).ratio(1 + 2 ** -40)).toBe((1 + 2 ** -40) / 4);
    const none = mxScale(fp8, 0);
    expect([Math.log2(none.scale), none.ratio(2 ** -41)]).toEqual([-127, 0]);
  });

  it("nvfp4: RNE32(2688 / amax) of a head, 1 where it has no values", () => {
    expect([1344, 2, 1.1, 0].map(nvfp4HeadFactor)).toEqual([2, 1344, Math.fround(2688 / 1.1), 1]);
  });

  it("nvfp4: e is fp8-e4m3 of an fp32 value, and a block whose scale is 0 has operands of 0", () => {
    const { scale, ratio } = nvfp4Scale(fp4, 2, 1344);
    expect([scale, ratio(2)]).toEqual([Math.fround(448 / 1344), 6]);
    // G * RNE32(amax / 6) is 4.25 + 2^-24, of which fp32 makes 4.25: a tie, which goes to 4, not to 4.5.
    expect(nvfp4Scale(fp4, Math.fround(0.01897321455180645), 1344).scale).toBe(Math.fround(4 / 1344));
    // e = 1 / 512 is the least value of fp8-e4m3, and what is half of it is 0.
    expect(nvfp4Scale(fp4, 6 * 2 ** -9, 1).ratio(6 * 2 ** -9)).toBe(6);
    const none = nvfp4Scale(fp4, 6 * 2 ** -10, 1);
    expect([none.scale, none.ratio(6 * 2 ** -10)]).toEqual([0, 0]);
    // A scale of 1 is no such one.
    expect([nvfp4Scale(fp4, 6, 1).scale, nvfp4Scale(fp4, 6, 1).ratio(3)]).toEqual([1, 3]);
  });
});
