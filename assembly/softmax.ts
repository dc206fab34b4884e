// Steps 2 to 4 of a tile for eight queries: RM, SLN, PRM, SLD, in the order of docs/numerics.md.
import { exp2, exp2ToBf16 } from "./exp2";
import {
  chainScale,
  chainUnscale,
  isBf16,
  isFp16,
  isFp32,
  outOfFp16,
  round,
  roundFp16,
  roundInChain,
} from "./formats";
import { fp32Flush, noMaximum } from "./limits";
import {
  bad,
  corrections,
  dumped,
  keyEnds,
  keyStarts,
  maxima,
  numeratorSums,
  viewBegin,
  viewEnd,
  viewPartial,
} from "./memory";

/**
 * Replaces the scores BQK[m][8] of the keys that the lane group sees of this tile by SLN[m][8] (times `chainScale` for fp16
 * sums). `factor` is c of E2.
 */
// @ts-ignore: decorator
@inline
export function softmax<O, A>(scores: usize, state: usize, factor: f32): void {
  const begin = load<i32>(state, viewBegin);
  const end = load<i32>(state, viewEnd);
  const partial = load<i32>(state, viewPartial) != 0;
  for (let half: usize = 0; half < 32; half += 16) {
    const lm = partial
      ? softmaxHalf<O, A>(scores + half, begin, end, true, state + half, factor)
      : softmaxHalf<O, A>(scores + half, begin, end, false, state + half, factor);
    if (dumped != 0) v128.store(dumped + half, lm);
  }
}

/** Gives LM. */
// @ts-ignore: decorator
@inline
function softmaxHalf<O, A>(scores: usize, begin: i32, end: i32, partial: bool, state: usize, factor: f32): v128 {
  const first = scores + ((<usize>begin) << 5);
  const last = scores + ((<usize>end) << 5);
  const starts = v128.load(state, keyStarts);
  const ends = v128.load(state, keyEnds);
  const rmBefore = v128.load(state, maxima);

  let seen = i32x4.splat(-1);
  let m = i32x4.splat(begin);
  let lm = f32x4.splat(noMaximum);
  let p = first;
  do {
    let score = v128.load(p);
    if (!isFp32<A>()) {
      score = f32x4.mul(score, f32x4.splat(chainUnscale<A>()));
      v128.store(p, score);
    }
    if (partial) {
      seen = inside(m, starts, ends);
      m = i32x4.add(m, i32x4.splat(1));
    }
    if (isFp16<A>()) markBad(state, score, seen);
    lm = f32x4.pmax(lm, partial ? v128.bitselect(score, f32x4.splat(noMaximum), seen) : score);
    p += 32;
  } while (p < last);
  const rm = f32x4.pmax(rmBefore, lm);
  v128.store(state, rm, maxima);

  const c = f32x4.splat(factor);
  const hadKeys = f32x4.ne(rmBefore, f32x4.splat(noMaximum));
  const shift = round<A>(f32x4.sub(rmBefore, rm));
  if (isFp16<A>()) markBad(state, shift, v128.and(hadKeys, i32x4.lt_s(starts, ends)));
  v128.store(state, v128.and(round<A>(exp2<A>(shift, c)), hadKeys), corrections);

  let sum = i32x4.splat(0);
  m = i32x4.splat(begin);
  p = first;
  do {
    const x = round<A>(f32x4.sub(v128.load(p), rm));
    if (partial) {
      seen = inside(m, starts, ends);
      m = i32x4.add(m, i32x4.splat(1));
    }
    if (isFp16<A>()) markBad(state, x, seen);
    let numerator = numeratorOf<O, A>(x, c);
    if (partial) numerator = v128.and(numerator, seen);
    if (isFp16<A>()) numerator = f32x4.mul(numerator, f32x4.splat(chainScale<A>()));
    v128.store(p, numerator);
    sum = f32x4.add(sum, numerator);
    sum = isFp16<A>() ? roundInChain<A>(sum) : round<A>(sum);
    p += 32;
  } while (p < last);
  v128.store(state, sum, numeratorSums);
  return lm;
}

/** SLN = rO(E2(x')). E2 is +0 or at least 2^-50, which only the threshold of fp32 (2^-30) and the grid of fp16 (2^-24) notice. */
// @ts-ignore: decorator
@inline
function numeratorOf<O, A>(x: v128, c: v128): v128 {
  if (isBf16<O>() && isFp32<A>()) return exp2ToBf16(x, c);
  const e2 = exp2<A>(x, c);
  if (isFp16<O>()) return roundFp16(e2, 1);
  if (isFp32<O>()) return v128.and(e2, f32x4.ge(e2, f32x4.splat(fp32Flush)));
  return e2;
}

// @ts-ignore: decorator
@inline
function inside(m: v128, starts: v128, ends: v128): v128 {
  return v128.and(i32x4.ge_s(m, starts), i32x4.lt_s(m, ends));
}

/** Notes the lanes, among those in `where`, whose value has left fp16's range. */
// @ts-ignore: decorator
@inline
function markBad(state: usize, value: v128, where: v128): void {
  v128.store(state, v128.or(v128.load(state, bad), v128.and(where, outOfFp16(value))), bad);
}
