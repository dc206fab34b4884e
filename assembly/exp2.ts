// E2 of the contract: 2^(x' c) by a floor, a polynomial of degree five and an exponent add, on vectors of four.
import { Fp32, isBf16, isFp16, round } from "./formats";
import { smallestExponent } from "./limits";

/** c0 … c5, rounded to the accumulator's type (docs/numerics.md, "E2"). */
// @ts-ignore: decorator
@inline
function coefficient<A>(bits32: u32, bitsBf16: u32, bitsFp16: u32): v128 {
  if (isBf16<A>()) return i32x4.splat(bitsBf16);
  if (isFp16<A>()) return i32x4.splat(bitsFp16);
  return i32x4.splat(bits32);
}

// @ts-ignore: decorator
@inline
function step<A>(p: v128, f: v128, c: v128): v128 {
  return round<A>(f32x4.add(f32x4.mul(p, f), c));
}

// @ts-ignore: decorator
@inline
function polynomial<A>(f: v128): v128 {
  let p = coefficient<A>(0x3af4ba7d, 0x3af50000, 0x3af4c000);
  p = step<A>(p, f, coefficient<A>(0x3c13bc2b, 0x3c140000, 0x3c13c000));
  p = step<A>(p, f, coefficient<A>(0x3d648e73, 0x3d650000, 0x3d648000));
  p = step<A>(p, f, coefficient<A>(0x3e75edab, 0x3e760000, 0x3e75e000));
  p = step<A>(p, f, coefficient<A>(0x3f31725d, 0x3f310000, 0x3f318000));
  return step<A>(p, f, coefficient<A>(0x3f800000, 0x3f800000, 0x3f800000));
}

/** Takes out the lanes in which t is below `smallestExponent`. */
// @ts-ignore: decorator
@inline
function orZero(e2: v128, t: v128): v128 {
  return v128.andnot(e2, f32x4.lt(t, f32x4.splat(smallestExponent)));
}

/** E2 of the difference x' <= 0, already rounded to the accumulator. */
// @ts-ignore: decorator
@inline
export function exp2<A>(x: v128, c: v128): v128 {
  const t = f32x4.mul(x, c);
  const n = f32x4.floor(t);
  const p = polynomial<A>(round<A>(f32x4.sub(t, n)));
  // n + 1.5 * 2^23 has n in its low bits; shifted, only the nine that matter to an exponent and a sign remain.
  const exponent = i32x4.shl(f32x4.add(n, f32x4.splat(12582912)), 23);
  return orZero(i32x4.add(p, exponent), t);
}

/**
 * rO(E2(x')) for bf16 operands and fp32 sums. p lies between 1 and 2, so p + 98304 is rounded, to even, to a multiple of
 * 2^-7, the unit of bf16 there; the bits of p rounded are 0x3f00 + 128 p, those of p 2^n are 0x3f00 + 128 (p + n). The 126 makes
 * the 0x3f00, and adding n is exact: the sum stays between 2^16 and 2^17. Shifted up, its low 16 bits are the result.
 */
// @ts-ignore: decorator
@inline
export function exp2ToBf16(x: v128, c: v128): v128 {
  const t = f32x4.mul(x, c);
  const n = f32x4.floor(t);
  const p = polynomial<Fp32>(f32x4.sub(t, n));
  return orZero(i32x4.shl(f32x4.add(f32x4.add(p, f32x4.splat(98304 + 126)), n), 16), t);
}
