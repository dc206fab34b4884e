import type { FloatRow } from "../numerics/mac-chains.js";
import { numberTypes } from "../numerics/number-type.js";

/**
 * Where a value first left the range of a binary16 accumulator: the tensor, the key tile, and m0 or f in it. SLD, SPD and
 * SPNV cannot: SLN and PRM are at most 1, and a sum of ones stands still at 2048.
 */
export interface Overflow {
  readonly tensor: "BQK" | "SLN" | "PRM" | "SLNV" | "RD" | "RNV";
  readonly m1: number;
  /** m0 or f; null for a tensor with one value per query. */
  readonly index: number | null;
}

/** What one query computed in one tile. */
interface TileValues {
  readonly bqk: FloatRow;
  readonly slnv: FloatRow;
}

/**
 * The first overflow of a query in tile m1 over keys start <= m0 < end, in the order of the steps, then of m0 or f; null if
 * there is none. SLN and PRM stand for the differences x' that go into their exponentials. `rmBefore` is null in
 * the query's first tile, which has no PRM. An infinity stays one to the end of its sum, so the sums alone are looked at.
 */
export function firstOverflow(
  { bqk, slnv }: TileValues,
  { rm, rd, rnv }: { readonly rm: number; readonly rd: number; readonly rnv: Float32Array },
  rmBefore: number | null,
  m1: number,
  start: number,
  end: number,
): Overflow | null {
  for (let m0 = start; m0 < end; m0 += 1) if (isOut(bqk.values[m0] as number)) return { tensor: "BQK", m1, index: m0 };
  for (let m0 = start; m0 < end; m0 += 1) {
    if (differenceIsOut(bqk.values[m0] as number, rm)) return { tensor: "SLN", m1, index: m0 };
  }
  if (rmBefore !== null && differenceIsOut(rmBefore, rm)) return { tensor: "PRM", m1, index: null };
  for (let f = 0; f < slnv.values.length; f += 1) {
    if (isOut(slnv.values[f] as number)) return { tensor: "SLNV", m1, index: f };
  }
  if (isOut(rd)) return { tensor: "RD", m1, index: null };
  for (let f = 0; f < rnv.length; f += 1) {
    if (isOut(rnv[f] as number)) return { tensor: "RNV", m1, index: f };
  }
  return null;
}

/** Not a finite fp16 value: the accumulator holds an infinity or what came of one. */
const isOut = (x: number): boolean => !(Math.abs(x) <= numberTypes.fp16.largest);

/** Whether rA(a - b) overflows: 65520, the middle between 65504 and the next step, rounds to even and so out. */
const differenceIsOut = (a: number, b: number): boolean => !(Math.abs(Math.fround(a - b)) < 65520);
