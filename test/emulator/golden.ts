import type { AttentionProblem, Operands } from "../../src/attention/problem.js";
import { requireFormat } from "../../src/numerics/format-of.js";
import { exponentFactor, processingElement } from "../../src/numerics/pe.js";

/** What a row computed in one tile; `seen` are the keys of the tile that it sees, as m0. */
export interface GoldenTile {
  readonly m1: number;
  readonly seen: readonly number[];
  readonly bqk: readonly number[];
  readonly sln: readonly number[];
  readonly slnv: readonly number[];
  readonly spnv: readonly number[];
  readonly rnv: readonly number[];
  readonly lm: number;
  readonly rm: number;
  readonly sld: number;
  readonly prm: number;
  readonly spd: number;
  readonly rd: number;
}

/**
 * The contract written out for one output row, one scalar operation of the PE after the other, with nothing shared with an
 * engine but the PE: what all engines are compared with. Null for a row in which a value left the accumulator's range.
 */
export function goldenRow(
  problem: AttentionProblem,
  operands: Operands,
  row: number,
  visit: (tile: GoldenTile) => void = () => {},
): number[] | null {
  const { shape, mask, tile, arithmetic, scale } = problem;
  const format = requireFormat(arithmetic, "golden row");
  const { heads, kvHeads, queries, keys, headDim, valueDim } = shape;
  const pe = processingElement(format);
  const c = exponentFactor(scale);
  const h = Math.floor(row / queries) % heads;
  const b = Math.floor(row / queries / heads);
  const p = row % queries;
  const kvHead = b * kvHeads + Math.floor(h / (heads / kvHeads));
  const queriesHere = mask.qLens?.[b] ?? queries;
  const keysHere = mask.kvLens?.[b] ?? keys;
  const i = p + keysHere - queriesHere;
  const sees = (m: number): boolean =>
    p < queriesHere && m < keysHere && (mask.left < 0 || m >= i - mask.left) && (mask.right < 0 || m <= i + mask.right);
  const limit = format.accumulator === "fp16" ? 65504 : Number.MAX_VALUE;
  let inRange = true;
  const checked = (x: number): number => {
    if (!(Math.abs(x) <= limit)) inRange = false;
    return x;
  };

  let rm: number | null = null;
  let rd = 0;
  let rnv = new Array<number>(valueDim).fill(0);
  for (let first = 0; first < keysHere && inRange; first += tile.m0) {
    const seen: number[] = [];
    for (let m = first; m < Math.min(first + tile.m0, keysHere); m += 1) if (sees(m)) seen.push(m);
    if (seen.length === 0) continue;
    const bqk = seen.map(m => {
      let s = 0;
      for (let e = 0; e < headDim; e += 1) {
        const key = operands.k[(kvHead * keys + m) * headDim + e] ?? Number.NaN;
        s = checked(pe.mac(s, operands.q[row * headDim + e] ?? Number.NaN, key));
      }
      return s;
    });
    const lm = bqk.reduce((x, y) => pe.max(x, y));
    const rmNew: number = rm === null ? lm : pe.max(rm, lm);
    const sln = bqk.map(s => pe.numerator(checked(pe.subtract(s, rmNew)), c));
    const prm = rm === null ? 0 : pe.correction(checked(pe.subtract(rm, rmNew)), c);
    rm = rmNew;
    const sld = sln.reduce((s, x) => checked(pe.add(s, x)), 0);
    const spd = checked(pe.mul(rd, prm));
    rd = checked(pe.add(sld, spd));
    const slnv = rnv.map((_, f) => {
      let s = 0;
      for (const [n, m] of seen.entries()) {
        s = checked(pe.mac(s, sln[n] ?? Number.NaN, operands.v[(kvHead * keys + m) * valueDim + f] ?? Number.NaN));
      }
      return s;
    });
    const spnv = rnv.map(old => checked(pe.mul(old, prm)));
    rnv = slnv.map((s, f) => checked(pe.add(s, spnv[f] ?? Number.NaN)));
    const m1 = first / tile.m0;
    visit({ m1, seen: seen.map(m => m - first), bqk, sln, slnv, spnv, rnv, lm, rm, sld, prm, spd, rd });
  }
  if (!inRange) return null;
  return rm === null ? rnv : rnv.map(x => pe.div(x, rd));
}
