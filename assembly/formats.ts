// The accumulators and operands of the contract (docs/numerics.md, "Formats") as compile-time tags, and their
// roundings on vectors of four. Every function here is inlined; a branch on a tag costs nothing.

import { smallestResult } from "./limits";

/** Tags: the number type an accumulator or an operand has. */
export class Fp32 {}
export class Bf16 {}
export class Fp16 {}
/** fp16 sums of operands that are too large for `chainScale`. */
export class WideFp16 {}

// @ts-ignore: decorator
@inline
export function isFp32<T>(): bool {
  return idof<T>() == idof<Fp32>();
}

// @ts-ignore: decorator
@inline
export function isBf16<T>(): bool {
  return idof<T>() == idof<Bf16>();
}

// @ts-ignore: decorator
@inline
export function isFp16<T>(): bool {
  return idof<T>() == idof<Fp16>();
}

/**
 * A chain of multiply-accumulates runs on values times this power of two, which changes no rounding:
 * - bf16: 2^-4 keeps the 2^16-fold of every sum (below) finite; the smallest sum, 2^-114, stays normal.
 * - fp16: 2^99 puts the first power of two that fp16 does not have, 2^16, where `roundFp16` turns into NaN by
 *   itself, so that an overflow inside a chain is still seen at its end.
 */
// @ts-ignore: decorator
@inline
export function chainScale<A>(): f32 {
  if (isBf16<A>()) return <f32>reinterpret<f32>(0x3d800000); // 2^-4
  if (isFp16<A>()) return <f32>reinterpret<f32>(0x71000000); // 2^99
  return 1;
}

// @ts-ignore: decorator
@inline
export function chainUnscale<A>(): f32 {
  if (isBf16<A>()) return 16;
  if (isFp16<A>()) return <f32>reinterpret<f32>(0x0e000000); // 2^-99
  return 1;
}

/**
 * RNE to 8 significant bits, for |x| < 2^111: 2^16 x - RNE32((2^16 - 1) x).
 *
 * Let x = m 2^(e-23) with 2^23 <= m < 2^24, and u = 2^(e-7) the unit wanted; then g = 2^16 x is the multiple m u. What
 * is rounded, g - x, lies in one binade, that of unit u, unless x < (1 + 2^-16) 2^e; so its rounding rounds x to
 * a multiple of u, and the subtraction from g is exact. A tie has the low 16 bits of m equal to 0x8000, hence m even, and
 * "even" means the same before and after g is taken away. Below (1 + 2^-16) 2^e the finer unit u/2 rounds g - x to
 * g - 2^e all the same. (A sum with (2^16 + 1) x instead would leave the binade near 2^(e+1), and fail there.)
 */
// @ts-ignore: decorator
@inline
export function roundBf16(x: v128): v128 {
  return f32x4.sub(f32x4.mul(x, f32x4.splat(65536)), f32x4.mul(x, f32x4.splat(65535)));
}

/**
 * RNE to fp16, subnormals included: adding 1.5 * 2^13 times the power of two below |x|, at least that of 2^-14, leaves
 * exactly the bits fp16 keeps. `scale` is the power of two the values carry; with 2^99 a magnitude of 2^16 or more
 * gives NaN, without a scale it gives 2^16 or more.
 */
// @ts-ignore: decorator
@inline
export function roundFp16(x: v128, scale: f32): v128 {
  const smallestNormal = i32x4.splat(reinterpret<i32>(<f32>0.00006103515625 * scale));
  const power = i32x4.max_s(v128.and(x, i32x4.splat(0x7f800000)), smallestNormal);
  const magic = f32x4.mul(power, f32x4.splat(12288));
  return f32x4.sub(f32x4.add(x, magic), magic);
}

/** rA, outside of chains. */
// @ts-ignore: decorator
@inline
export function round<A>(x: v128): v128 {
  if (isBf16<A>()) return roundBf16(x);
  if (isFp16<A>()) return roundFp16(x, 1);
  return x;
}

/**
 * rA(s + a b) on values times `chainScale`. The product of two 16-bit operands is exact in fp32, so fusing it with the sum
 * changes no bit; the build with FUSED = 1 does so where a sum has no rounding of its own. fp32 operands never fuse.
 */
// @ts-ignore: decorator
@inline
export function macInChain<O, A>(s: v128, a: v128, b: v128): v128 {
  // @ts-ignore: FUSED is 1 in the build that may use relaxed SIMD, 0 in the other (asconfig.json)
  if (FUSED && isFp32<A>() && !isFp32<O>()) return v128.relaxed_madd<f32>(a, b, s);
  return roundInChain<A>(f32x4.add(s, f32x4.mul(a, b)));
}

// @ts-ignore: decorator
@inline
export function roundInChain<A>(x: v128): v128 {
  if (isBf16<A>()) return roundBf16(x);
  if (isFp16<A>()) return roundFp16(x, chainScale<A>());
  if (idof<A>() == idof<WideFp16>()) {
    const rounded = roundFp16(x, 1);
    // What is past the range stays an infinity or NaN to the end of the chain.
    const past = f32x4.ge(f32x4.abs(rounded), f32x4.splat(65536));
    return v128.or(rounded, v128.and(past, i32x4.splat(0x7f800000)));
  }
  return x;
}

/** z: what is smaller than 2^-100 becomes +0. */
// @ts-ignore: decorator
@inline
export function flushTiny(x: v128): v128 {
  return v128.and(x, f32x4.ge(f32x4.abs(x), f32x4.splat(smallestResult)));
}

/** All ones where a value has left fp16's range (or is NaN). */
// @ts-ignore: decorator
@inline
export function outOfFp16(x: v128): v128 {
  return v128.not(f32x4.lt(f32x4.abs(x), f32x4.splat(65536)));
}
