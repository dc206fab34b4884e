// Both products of attention for one query, where the lanes of a lane group would be idle: keys, or features of the values,
// are side by side instead, and K and V are read as they are stored. Each sum is in its own lane and in order as ever.
import { macInChain } from "./formats";
import { featuresTogether, keysTogether, laneBytes } from "./memory";

/**
 * scores[m][8] = rA-chain over e < width of query[e][8] * keys[m][e], in one lane; `query` and `scores` point to that lane.
 * Keys come sixteen at a time: up to fifteen rows after the last are read, and their scores written.
 */
// @ts-ignore: decorator
@inline
export function scoresOfQuery<O, A>(query: usize, keys: usize, count: i32, width: i32, scores: usize): void {
  const rowBytes = (<usize>width) << 2;
  const fourRows = rowBytes << 2;
  const end = query + (<usize>width) * laneBytes;
  const endOfFours = query + (<usize>(width & ~3)) * laneBytes;
  for (let m = 0; m < count; m += keysTogether) {
    let a = i32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let q = query;
    let row = keys;
    if (q < endOfFours) {
      do {
        const q0 = v128.load_splat<f32>(q);
        const q1 = v128.load_splat<f32>(q, 32);
        const q2 = v128.load_splat<f32>(q, 64);
        const q3 = v128.load_splat<f32>(q, 96);
        let p = row;
        a = fourElements<O, A>(a, p, rowBytes, q0, q1, q2, q3);
        p += fourRows;
        b = fourElements<O, A>(b, p, rowBytes, q0, q1, q2, q3);
        p += fourRows;
        c = fourElements<O, A>(c, p, rowBytes, q0, q1, q2, q3);
        p += fourRows;
        d = fourElements<O, A>(d, p, rowBytes, q0, q1, q2, q3);
        q += 4 * laneBytes;
        row += 16;
      } while (q < endOfFours);
    }
    for (; q < end; q += laneBytes) {
      const qe = v128.load_splat<f32>(q);
      a = macInChain<O, A>(a, qe, gather(row, rowBytes));
      b = macInChain<O, A>(b, qe, gather(row + 4 * rowBytes, rowBytes));
      c = macInChain<O, A>(c, qe, gather(row + 8 * rowBytes, rowBytes));
      d = macInChain<O, A>(d, qe, gather(row + 12 * rowBytes, rowBytes));
      row += 4;
    }
    scatter(a, scores);
    scatter(b, scores + 4 * laneBytes);
    scatter(c, scores + 8 * laneBytes);
    scatter(d, scores + 12 * laneBytes);
    keys += (<usize>keysTogether) * rowBytes;
    scores += (<usize>keysTogether) * laneBytes;
  }
}

/** Four steps of the chains of four keys: their rows from `row` on, transposed. */
// @ts-ignore: decorator
@inline
function fourElements<O, A>(sum: v128, row: usize, rowBytes: usize, q0: v128, q1: v128, q2: v128, q3: v128): v128 {
  const a = v128.load(row);
  const b = v128.load(row + rowBytes);
  const c = v128.load(row + 2 * rowBytes);
  const d = v128.load(row + 3 * rowBytes);
  const abLow = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const cdLow = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  sum = macInChain<O, A>(sum, q0, v128.shuffle<i64>(abLow, cdLow, 0, 2));
  sum = macInChain<O, A>(sum, q1, v128.shuffle<i64>(abLow, cdLow, 1, 3));
  const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  sum = macInChain<O, A>(sum, q2, v128.shuffle<i64>(abHigh, cdHigh, 0, 2));
  return macInChain<O, A>(sum, q3, v128.shuffle<i64>(abHigh, cdHigh, 1, 3));
}

/**
 * sums[f][8] = rA-chain over m < count of numerators[m][8] * values[m][f], in one lane, from what is in `sums` if `goOn`, else
 * from +0. Features come 32 at a time: up to 31 after the last are read, and their sums written.
 */
// @ts-ignore: decorator
@inline
export function sumsOfQuery<O, A>(
  numerators: usize,
  values: usize,
  count: i32,
  width: i32,
  sums: usize,
  goOn: bool,
): void {
  const rowBytes = (<usize>width) << 2;
  const end = numerators + (<usize>count) * laneBytes;
  for (let f = 0; f < width; f += featuresTogether) {
    let s0 = i32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let s4 = s0;
    let s5 = s0;
    let s6 = s0;
    let s7 = s0;
    if (goOn) {
      s0 = gather(sums, laneBytes);
      s1 = gather(sums + 4 * laneBytes, laneBytes);
      s2 = gather(sums + 8 * laneBytes, laneBytes);
      s3 = gather(sums + 12 * laneBytes, laneBytes);
      s4 = gather(sums + 16 * laneBytes, laneBytes);
      s5 = gather(sums + 20 * laneBytes, laneBytes);
      s6 = gather(sums + 24 * laneBytes, laneBytes);
      s7 = gather(sums + 28 * laneBytes, laneBytes);
    }
    let n = numerators;
    let row = values + ((<usize>f) << 2);
    do {
      const sln = v128.load_splat<f32>(n);
      s0 = macInChain<O, A>(s0, sln, v128.load(row));
      s1 = macInChain<O, A>(s1, sln, v128.load(row, 16));
      s2 = macInChain<O, A>(s2, sln, v128.load(row, 32));
      s3 = macInChain<O, A>(s3, sln, v128.load(row, 48));
      s4 = macInChain<O, A>(s4, sln, v128.load(row, 64));
      s5 = macInChain<O, A>(s5, sln, v128.load(row, 80));
      s6 = macInChain<O, A>(s6, sln, v128.load(row, 96));
      s7 = macInChain<O, A>(s7, sln, v128.load(row, 112));
      n += laneBytes;
      row += rowBytes;
    } while (n < end);
    scatter(s0, sums);
    scatter(s1, sums + 4 * laneBytes);
    scatter(s2, sums + 8 * laneBytes);
    scatter(s3, sums + 12 * laneBytes);
    scatter(s4, sums + 16 * laneBytes);
    scatter(s5, sums + 20 * laneBytes);
    scatter(s6, sums + 24 * laneBytes);
    scatter(s7, sums + 28 * laneBytes);
    sums += (<usize>featuresTogether) * laneBytes;
  }
}

/** Four values that lie `apart` bytes apart. */
// @ts-ignore: decorator
@inline
function gather(at: usize, apart: usize): v128 {
  const a = v128.load_splat<f32>(at);
  const b = v128.load_lane<f32>(at + apart, a, 1);
  const c = v128.load_lane<f32>(at + 2 * apart, b, 2);
  return v128.load_lane<f32>(at + 3 * apart, c, 3);
}

/** Four lanes into one lane of four elements. */
// @ts-ignore: decorator
@inline
function scatter(x: v128, at: usize): void {
  v128.store_lane<f32>(at, x, 0);
  v128.store_lane<f32>(at, x, 1, 32);
  v128.store_lane<f32>(at, x, 2, 64);
  v128.store_lane<f32>(at, x, 3, 96);
}
