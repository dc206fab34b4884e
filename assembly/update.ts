// Steps 6 and 7 of a tile, and the division at the end, for a lane group of eight queries.
import { chainUnscale, flushTiny, isFp16, outOfFp16, round } from "./formats";
import { noMaximum } from "./limits";
import {
  bad,
  corrections,
  denominators,
  dumped,
  keyEnds,
  keyStarts,
  laneBytes,
  maxima,
  numeratorSums,
} from "./memory";

/**
 * RD = SLD + RD PRM and RNV = SLNV + RNV PRM for the queries that saw a key in this tile; the others keep theirs.
 * `outputs` and `sums` are RNV and SLNV, [F][8].
 */
// @ts-ignore: decorator
@inline
export function update<A>(state: usize, outputs: usize, sums: usize, features: i32): void {
  // SPD, SPNV; 0 where nothing is dumped.
  const dump = dumped != 0 ? dumped + laneBytes : 0;
  updateHalf<A>(state, outputs, sums, features, dump);
  updateHalf<A>(state + 16, outputs + 16, sums + 16, features, dump != 0 ? dump + 16 : 0);
}

function updateHalf<A>(state: usize, outputs: usize, sums: usize, features: i32, dump: usize): void {
  const sees = i32x4.lt_s(v128.load(state, keyStarts), v128.load(state, keyEnds));
  const unscale = f32x4.splat(isFp16<A>() ? chainUnscale<A>() : 1);
  const prm = v128.load(state, corrections);
  const rd = v128.load(state, denominators);
  const sld = f32x4.mul(v128.load(state, numeratorSums), unscale);
  const spd = flushTiny(round<A>(f32x4.mul(rd, prm)));
  const rdNew = round<A>(f32x4.add(sld, spd));
  let out = v128.or(v128.or(outOfFp16(sld), outOfFp16(spd)), outOfFp16(rdNew));
  v128.store(state, v128.bitselect(rdNew, rd, sees), denominators);
  if (dump != 0) v128.store(dump, spd);
  for (let f = 0; f < features; f++) {
    const rnv = v128.load(outputs);
    const slnv = f32x4.mul(v128.load(sums), unscale);
    const spnv = flushTiny(round<A>(f32x4.mul(rnv, prm)));
    if (dump != 0) v128.store((dump += laneBytes), spnv);
    const rnvNew = round<A>(f32x4.add(slnv, spnv));
    if (isFp16<A>()) out = v128.or(v128.or(out, outOfFp16(slnv)), v128.or(outOfFp16(spnv), outOfFp16(rnvNew)));
    v128.store(outputs, v128.bitselect(rnvNew, rnv, sees));
    outputs += 32;
    sums += 32;
  }
  if (isFp16<A>()) v128.store(state, v128.or(v128.load(state, bad), v128.and(out, sees)), bad);
}

/** AV = z(rA(RNV / RD)) in place, +0 for a query that saw no key. */
// @ts-ignore: decorator
@inline
export function divide<A>(state: usize, outputs: usize, features: i32): void {
  divideHalf<A>(state, outputs, features);
  divideHalf<A>(state + 16, outputs + 16, features);
}

function divideHalf<A>(state: usize, outputs: usize, features: i32): void {
  const saw = f32x4.ne(v128.load(state, maxima), f32x4.splat(noMaximum));
  const rd = v128.load(state, denominators);
  for (let f = 0; f < features; f++) {
    v128.store(outputs, v128.and(flushTiny(round<A>(f32x4.div(v128.load(outputs), rd))), saw));
    outputs += 32;
  }
}
