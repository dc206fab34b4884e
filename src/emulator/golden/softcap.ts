import type { ArithmeticSpec } from "../../numerics/arithmetic.js";
import { exponentialOf } from "../../numerics/exponential.js";
import { accumulatorRounder } from "../../numerics/rounding.js";
import { softcapFactors } from "../../numerics/softcap.js";

/**
 * The soft-cap of a score (docs/numerics.md, "Softcap"): y = RNE32(|s| * g), e = E2(-y),
 * r = RNE32(RNE32(1 - e) / RNE32(1 + e)), s' = rA(±RNE32(w * r)) with the sign of s.
 */
export function softcapOf(arithmetic: ArithmeticSpec, cap: number, scale: number): (s: number) => number {
  const { g, w } = softcapFactors(cap, scale);
  const e2 = exponentialOf(arithmetic);
  const toA = accumulatorRounder(arithmetic.accumulator);
  return s => {
    const y = Math.fround(Math.abs(s) * g);
    const e = e2(-y);
    const r = Math.fround(Math.fround(1 - e) / Math.fround(1 + e));
    const capped = Math.fround(w * r);
    return toA(s < 0 ? -capped : capped) + 0;
  };
}
