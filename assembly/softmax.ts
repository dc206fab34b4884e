// Steps 2 to 4 of a tile for eight queries: RM, SLN, PRM, SLD, in the order of docs/numerics.md.
import { exp2 } from "./exp2";
import {
  chainScale,
  chainUnscale,
  Fp32,
  isFp16,
  isFp32,
  outOfFp16,
  round,
  roundBf16,
  roundFp16,
  roundInChain,
} from "./formats";
import { bad, denominators, keyEnds, keyStarts, maxima, noMaximum, numeratorSums, corrections } from "./state";

/** rO of E2. E2 is +0 or at least 2^-50, which only the threshold of fp32 (2^-30) and the grid of fp16 (2^-24) notice. */
// @ts-ignore: decorator
@inline
function operand<O, A>(x: v128): v128 {
  if (isFp16<O>()) return roundFp16(x, 1);
  if (isFp32<O>()) return v128.and(x, f32x4.ge(x, f32x4.splat(reinterpret<f32>(0x30800000))));
  return isFp32<A>() ? roundBf16(x) : x;
}

/** rA(a - b); marks lanes that leave fp16's range. */
// @ts-ignore: decorator
@inline
function difference<A>(a: v128, b: v128, seen: v128, state: usize): v128 {
  const x = round<A>(f32x4.sub(a, b));
  if (isFp16<A>()) v128.store(state, v128.or(v128.load(state, bad), v128.and(seen, outOfFp16(x))), bad);
  return x;
}

/**
 * Replaces the scores BQK[m][8] of keys begin <= m < end by SLN[m][8] (times `chainScale`), for the four queries whose
 * state is at `state`. `partial`: some of the lanes do not see all of these keys.
 */
// @ts-ignore: decorator
@inline
export function softmax<O, A>(scores: usize, begin: i32, end: i32, partial: bool, state: usize, factor: f32): void {
  const c = f32x4.splat(factor);
  const first = scores + ((<usize>begin) << 5);
  const last = scores + ((<usize>end) << 5);
  const starts = v128.load(state, keyStarts);
  const ends = v128.load(state, keyEnds);
  const rmBefore = v128.load(state, maxima);
  let seen = i32x4.splat(-1);
  let m = i32x4.splat(begin);
  let rm = rmBefore;
  for (let p = first; p < last; p += 32) {
    let score = v128.load(p);
    if (!isFp32<A>()) {
      score = f32x4.mul(score, f32x4.splat(chainUnscale<A>()));
      v128.store(p, score);
    }
    if (partial) {
      seen = v128.and(i32x4.ge_s(m, starts), i32x4.lt_s(m, ends));
      m = i32x4.add(m, i32x4.splat(1));
    }
    if (isFp16<A>()) v128.store(state, v128.or(v128.load(state, bad), v128.and(seen, outOfFp16(score))), bad);
    if (partial) score = v128.bitselect(score, f32x4.splat(noMaximum), seen);
    rm = f32x4.pmax(rm, score);
  }
  v128.store(state, rm, maxima);

  const hadKeys = f32x4.ne(rmBefore, f32x4.splat(noMaximum));
  const sees = i32x4.lt_s(starts, ends);
  const shift = difference<A>(rmBefore, rm, v128.and(hadKeys, sees), state);
  v128.store(state, v128.and(round<A>(exp2<A>(shift, c)), hadKeys), corrections);

  let sum = i32x4.splat(0);
  m = i32x4.splat(begin);
  for (let p = first; p < last; p += 32) {
    if (partial) {
      seen = v128.and(i32x4.ge_s(m, starts), i32x4.lt_s(m, ends));
      m = i32x4.add(m, i32x4.splat(1));
    }
    let numerator = operand<O, A>(exp2<A>(difference<A>(v128.load(p), rm, seen, state), c));
    if (partial) numerator = v128.and(numerator, seen);
    if (isFp16<A>()) numerator = f32x4.mul(numerator, f32x4.splat(chainScale<A>()));
    v128.store(p, numerator);
    sum = isFp16<A>() ? roundInChain<A>(f32x4.add(sum, numerator)) : round<A>(f32x4.add(sum, numerator));
  }
  v128.store(state, sum, numeratorSums);
}
