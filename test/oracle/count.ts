import { groupOf } from "../../src/attention/heads.js";
import { maskOf, sequenceOf } from "../../src/attention/mask.js";
import type { AttentionProblem, Operands } from "../../src/attention/problem.js";
import { allRows, rowAt } from "../../src/attention/rows.js";
import { CountingArray } from "./count-array.js";
import { CountingColumn } from "./count-column.js";
import type { Observations } from "./count-observation.js";

export interface Observation {
  /** AV [B,H,P,F]: the bits of the plain twin. */
  readonly av: Float32Array;
  readonly einsums: Observations;
}

/**
 * Emulates attention word by word under mapping 1 of FuseMax (section V: `for p2: for m1: for p1: parallel p0: parallel
 * m0`, then AV for all p1) and counts every operation and every access as it happens. Heads that share keys are side
 * by side on the columns where the queries of one do not fill them; else each has query tiles of its own. `queryTiles`
 * (P1) tiles of each of `headTiles` (G1) such heads share a tile of keys in the buffer. It is slow, and knows nothing
 * of the model that predicts the same numbers. Values out of an accumulator's range are not looked for.
 *
 * SLNV is a new sum in each key tile (Eq. 49), as LM and SLD are. The first tile counts as any other: initial RM, RD
 * and RNV are read, PRM is computed. A masked score does not exist, nor does a query in a tile where it sees no key.
 */
export function observe(problem: AttentionProblem, operands: Operands, queryTiles: number, headTiles = 1): Observation {
  const { shape } = problem;
  const { batch, kvHeads, valueDim } = shape;
  const { m0, p0 } = problem.tile;
  const array = new CountingArray(problem, operands);
  const av = new Float32Array(allRows(problem).end * valueDim);
  const group = groupOf(shape);
  const mask = maskOf(problem);
  const batches = Array.from({ length: batch }, (_, b) => b).filter(b => sequenceOf(problem, b).keys > 0);
  const longest = Math.max(0, ...batches.map(b => sequenceOf(problem, b).queries));
  const together = longest < p0 ? group : 1;
  for (const b of batches) {
    const { queries, keys } = sequenceOf(problem, b);
    /** The tiles of heads that are side by side: their queries, query by query. */
    const tilesOf = (firstHead: number): readonly CountingColumn[][] => {
      const columns = Array.from({ length: queries * together }, (_, i) => {
        const row = rowAt(shape, { b, h: firstHead + (i % together), p: Math.floor(i / together) });
        return new CountingColumn(i % p0, row, mask.span(row), m0, valueDim);
      });
      return cut(columns, p0);
    };
    for (let kvHead = 0; kvHead < kvHeads; kvHead += 1) {
      const own = Array.from({ length: group / together }, (_, g) => tilesOf(kvHead * group + g * together));
      for (const headsAtOnce of cut(own, headTiles)) {
        for (let p2 = 0; headsAtOnce.some(tiles => p2 < tiles.length); p2 += queryTiles) {
          const block = headsAtOnce.flatMap(tiles => tiles.slice(p2, p2 + queryTiles));
          array.enterQueries();
          for (let m1 = 0; m1 * m0 < keys; m1 += 1) {
            for (const tile of block) passTile(array, b * kvHeads + kvHead, m1, tile);
          }
          for (const tile of block) {
            const seeing = tile.filter(({ seen }) => seen);
            array.divide(seeing, av);
          }
        }
      }
    }
  }
  return { av, einsums: array.observations };
}

/** A list cut into pieces of `size`, the last of what is left. */
const cut = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));

/** All of Cascade 5 but its last Einsum for the queries of a tile that see a key in it. */
function passTile(array: CountingArray, kvHead: number, m1: number, tile: readonly CountingColumn[]): void {
  const columns = tile.filter(column => column.enter(m1));
  if (columns.length === 0) return;
  array.enterKeys(kvHead, m1);
  array.scores(columns);
  array.localMaxima(columns);
  array.runningMaxima(columns);
  array.numerators(columns);
  array.localDenominators(columns);
  array.localValues(columns);
  array.corrections(columns);
  array.correctDenominators(columns);
  array.runningDenominators(columns);
  array.correctValues(columns);
  array.runningValues(columns);
}
