import { smallestAmax } from "./limits.js";
import { exponentOf, type FloatSpec, numberTypes, scaleExponents } from "./number-type.js";
import { roundToOperand } from "./rounding.js";
import { quotient32 } from "./single-rounding.js";

/** The largest magnitude of a set, taken as 0 when it is below 2^-40. */
export function amaxOf(values: Iterable<number>): number {
  let amax = 0;
  for (const value of values) amax = Math.max(amax, Math.abs(value));
  return amax < smallestAmax ? 0 : amax;
}

/** The scale of a set, and what of an element is rounded to an operand. */
export interface SetScale {
  readonly scale: number;
  /** x / scale, as far as the contract rounds it before rO. */
  ratio(x: number): number;
}

const withoutValues = (scale: number): SetScale => ({ scale, ratio: () => 0 });

/** Elements as they are. */
export const unscaled: SetScale = { scale: 1, ratio: x => x };

/** `tensor`, `head`, `rows`: s = RNE32(amax / largest value). */
export function sharedScale(type: FloatSpec, amax: number): SetScale {
  if (amax === 0) return withoutValues(1);
  const scale = quotient32(amax, type.largest);
  return { scale, ratio: x => quotient32(x, scale) };
}

/** `mx`: s = 2^X, X = floor(log2 amax) - emax between -127 and 127; the quotient is exact. */
export function mxScale(type: FloatSpec, amax: number): SetScale {
  const { least, greatest } = scaleExponents;
  if (amax === 0) return withoutValues(2 ** least);
  const exponent = Math.min(greatest, Math.max(least, exponentOf(amax) - exponentOf(type.largest)));
  const scale = 2 ** exponent;
  return { scale, ratio: x => x / scale };
}

/** The largest operand of nvfp4 with the largest scale of its blocks: 6 * 448. */
const nvfp4Largest = numberTypes["fp4-e2m1"].largest * numberTypes["fp8-e4m3"].largest;

/** `nvfp4`: G = RNE32(2688 / amax) of a head, 1 where amax is 0. */
export const nvfp4HeadFactor = (amax: number): number => (amax === 0 ? 1 : Math.fround(nvfp4Largest / amax));

/** `nvfp4`: e = fp8-e4m3 of RNE32(G * RNE32(amax / 6)), s = RNE32(e / G). */
export function nvfp4Scale(type: FloatSpec, amax: number, headFactor: number): SetScale {
  const wanted = Math.fround(headFactor * quotient32(amax, type.largest));
  const scale = quotient32(roundToOperand(wanted, numberTypes["fp8-e4m3"]), headFactor);
  return scale === 0 ? withoutValues(0) : { scale, ratio: x => quotient32(x, scale) };
}
