import fc from "fast-check";
import { maskOf } from "../../src/attention/mask.js";
import type { AttentionProblem } from "../../src/attention/problem.js";
import { allRows } from "../../src/attention/rows.js";
import type { TileCoordinates } from "../../src/attention/tile.js";
import type { TileDump } from "../../src/emulator/tile-dump.js";
import { requireFormat } from "../../src/numerics/format-of.js";
import type { RowData } from "../../src/numerics/tolerance.js";
import { goldenRow } from "../emulator/golden.js";
import type { Case } from "./arbitrary.js";

/** Rows of a tensor [outer, rows, width] in another order. */
export function permuteRows(x: Float32Array, rows: number, width: number, order: readonly number[]): Float32Array {
  const out = new Float32Array(x.length);
  for (let at = 0; at < x.length; at += rows * width) {
    for (const [to, from] of order.entries()) {
      out.set(x.subarray(at + from * width, at + (from + 1) * width), at + to * width);
    }
  }
  return out;
}

export const permutation = (n: number): fc.Arbitrary<number[]> => {
  const all = Array.from({ length: n }, (_, i) => i);
  return fc.shuffledSubarray(all, { minLength: n, maxLength: n });
};

/** What the error bounds need of one output element; null for a row that sees no key. */
export function rowData({ problem, operands }: Case, row: number, f: number): RowData | null {
  const { heads, kvHeads, queries, keys, headDim, valueDim } = problem.shape;
  const head = Math.floor(row / queries);
  const b = Math.floor(head / heads);
  const { from, to } = maskOf(problem).span(row);
  if (from >= to) return null;
  const first = (b * kvHeads + Math.floor((head % heads) / (heads / kvHeads))) * keys;
  const terms = Array.from({ length: to - from }, (_, i) =>
    Array.from(
      { length: headDim },
      (_, e) => (operands.q[row * headDim + e] ?? 0) * (operands.k[(first + from + i) * headDim + e] ?? 0),
    ),
  );
  const sum = (x: readonly number[]): number => x.reduce((s, y) => s + y, 0);
  return {
    format: requireFormat(problem.arithmetic, "row"),
    scale: problem.scale,
    m0: problem.tile.m0,
    headDim,
    scores: terms.map(sum),
    magnitudes: terms.map(x => sum(x.map(Math.abs))),
    values: terms.map((_, i) => operands.v[(first + from + i) * valueDim + f] ?? 0),
  };
}

/** Softmax attention of one element, in float64. */
export function exactElement({ scale, scores, values }: RowData): number {
  const maximum = Math.max(...scores);
  const weights = scores.map(s => Math.exp(scale * (s - maximum)));
  const denominator = weights.reduce((s, w) => s + w, 0);
  return weights.reduce((s, w, m) => s + w * (values[m] ?? 0), 0) / denominator;
}

export function forEachElement(problem: AttentionProblem, visit: (row: number, f: number, at: number) => void): void {
  const { valueDim } = problem.shape;
  for (let row = 0; row < allRows(problem).end; row += 1) {
    for (let f = 0; f < valueDim; f += 1) visit(row, f, row * valueDim + f);
  }
}

/** The dump of a tile from rows of the contract written out. */
export function goldenDump({ problem, operands }: Case, at: TileCoordinates): TileDump {
  const { shape, tile } = problem;
  const rows = Math.min(tile.m0, shape.keys - at.m1 * tile.m0);
  const columns = Math.min(tile.p0, shape.queries - at.p1 * tile.p0);
  const zeros = (length: number): Float32Array => new Float32Array(length * columns);
  const perKey = { bqk: zeros(rows), sln: zeros(rows) };
  const perValue = { slnv: zeros(shape.valueDim), spnv: zeros(shape.valueDim), rnv: zeros(shape.valueDim) };
  const perQuery = { lm: zeros(1), rm: zeros(1), sld: zeros(1), prm: zeros(1), spd: zeros(1), rd: zeros(1) };
  const exists = new Uint8Array(rows * columns);
  for (let p0 = 0; p0 < columns; p0 += 1) {
    const row = (at.b * shape.heads + at.h) * shape.queries + at.p1 * tile.p0 + p0;
    goldenRow(problem, operands, row, golden => {
      if (golden.m1 > at.m1) return;
      // What runs on keeps its value where a later tile shows the query no key.
      perQuery.rm[p0] = golden.rm;
      perQuery.rd[p0] = golden.rd;
      for (const [f, x] of golden.rnv.entries()) perValue.rnv[f * columns + p0] = x;
      if (golden.m1 < at.m1) return;
      for (const [n, m0] of golden.seen.entries()) {
        exists[m0 * columns + p0] = 1;
        for (const name of ["bqk", "sln"] as const) perKey[name][m0 * columns + p0] = golden[name][n] ?? Number.NaN;
      }
      for (const name of ["slnv", "spnv"] as const) {
        for (const [f, x] of golden[name].entries()) perValue[name][f * columns + p0] = x;
      }
      for (const name of ["lm", "sld", "prm", "spd"] as const) perQuery[name][p0] = golden[name];
    });
  }
  return { rows, columns, exists, ...perKey, ...perValue, ...perQuery };
}
