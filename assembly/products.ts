// Both products of attention, BQK = Q K and SLNV = SLN V, are one kernel: eight queries side by side in two vectors,
// against panels of four rows (four keys, or four features of the values), each sum in its own lane and in order.
import { macInChain } from "./formats";

/**
 * sums[r][8] = rA-chain over i < length of queries[i][8] * panel[i][r], for the four rows r of each panel.
 *
 * `queries` has eight lanes an element of the sum, `panels` four rows an element; panels lie `panelBytes` apart. The sums
 * start from what is in `sums` if `goOn`, else from +0. Two loads of queries, four broadcasts and eight multiply-adds
 * per iteration keep fifteen registers busy; a loop tested at its end and not unrolled is what V8 compiles best (bench/README.md).
 */
// @ts-ignore: decorator
@inline
export function products<O, A>(
  queries: usize,
  panels: usize,
  panelBytes: usize,
  panelCount: i32,
  length: i32,
  sums: usize,
  goOn: bool,
): void {
  const end = queries + ((<usize>length) << 5);
  for (let panel = 0; panel < panelCount; panel++) {
    let a0 = i32x4.splat(0);
    let b0 = a0;
    let a1 = a0;
    let b1 = a0;
    let a2 = a0;
    let b2 = a0;
    let a3 = a0;
    let b3 = a0;
    if (goOn) {
      a0 = v128.load(sums);
      b0 = v128.load(sums, 16);
      a1 = v128.load(sums, 32);
      b1 = v128.load(sums, 48);
      a2 = v128.load(sums, 64);
      b2 = v128.load(sums, 80);
      a3 = v128.load(sums, 96);
      b3 = v128.load(sums, 112);
    }
    let q = queries;
    let row = panels;
    do {
      const qa = v128.load(q);
      const qb = v128.load(q, 16);
      const r0 = v128.load_splat<f32>(row);
      a0 = macInChain<O, A>(a0, qa, r0);
      b0 = macInChain<O, A>(b0, qb, r0);
      const r1 = v128.load_splat<f32>(row, 4);
      a1 = macInChain<O, A>(a1, qa, r1);
      b1 = macInChain<O, A>(b1, qb, r1);
      const r2 = v128.load_splat<f32>(row, 8);
      a2 = macInChain<O, A>(a2, qa, r2);
      b2 = macInChain<O, A>(b2, qb, r2);
      const r3 = v128.load_splat<f32>(row, 12);
      a3 = macInChain<O, A>(a3, qa, r3);
      b3 = macInChain<O, A>(b3, qb, r3);
      q += 32;
      row += 16;
    } while (q < end);
    v128.store(sums, a0);
    v128.store(sums, b0, 16);
    v128.store(sums, a1, 32);
    v128.store(sums, b1, 48);
    v128.store(sums, a2, 64);
    v128.store(sums, b2, 80);
    v128.store(sums, a3, 96);
    v128.store(sums, b3, 112);
    sums += 128;
    panels += panelBytes;
  }
}
