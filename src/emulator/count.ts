import { CountingArray } from "./count-array.js";
import { CountingColumn } from "./count-column.js";
import type { Observations } from "./count-storage.js";
import type { AttentionProblem, Operands } from "./problem.js";
import { keysOf, queriesOf, visibleKeys } from "./visible.js";

export interface Observation {
  /** AV [B,H,P,F]: the bits of the plain twin. */
  readonly av: Float32Array;
  readonly einsums: Observations;
}

/**
 * Emulates attention word by word under mapping 1 of FuseMax (section V: `for p2: for m1: for p1: parallel p0: parallel m0`, then AV for all
 * p1; p counts the queries of all heads that share keys) and counts every operation and every access as it happens. `queryTiles` is P1: how many query tiles share a tile of keys in the
 * buffer. It is slow, and knows nothing of the model that predicts the same numbers. Values out of an accumulator's range are not looked for.
 *
 * Where tensors live: Q, BK and BV come from DRAM through the buffer; RM, RD and RNV are kept in the buffer; LM, SLD and SLNV leave the
 * 2D array into the 1D array's file ("spill"), from which RM goes back up; AV goes to DRAM. SLNV is a new sum in each key tile (Eq. 48), as LM and
 * SLD are. The first tile counts as any other: initial RM, RD and RNV are read, PRM is computed. A masked score does not
 * exist, nor does a query in a tile where it sees no key.
 */
export function observe(problem: AttentionProblem, operands: Operands, queryTiles: number): Observation {
  const { batch, heads, kvHeads, queries, valueDim } = problem.shape;
  const { m0, p0 } = problem.tile;
  const array = new CountingArray(problem, operands);
  const av = new Float32Array(batch * heads * queries * valueDim);
  const group = heads / kvHeads;
  for (let b = 0; b < batch; b += 1) {
    for (let kvHead = b * kvHeads; kvHead < (b + 1) * kvHeads; kvHead += 1) {
      const rows = queriesOf(problem, b) * group;
      const rowsAtOnce = queryTiles * p0;
      for (let first = 0; first < rows; first += rowsAtOnce) {
        const block = Array.from({ length: Math.min(rowsAtOnce, rows - first) }, (_, i) => {
          // The heads that share keys stand side by side, query by query.
          const p = Math.floor((first + i) / group);
          const h = (kvHead - b * kvHeads) * group + ((first + i) % group);
          const row = (b * heads + h) * queries + p;
          return new CountingColumn(i % p0, row, visibleKeys(problem, b, p), m0, valueDim);
        });
        const tiles = Array.from({ length: Math.ceil(block.length / p0) }, (_, i) => block.slice(i * p0, (i + 1) * p0));
        array.enterQueries();
        for (let m1 = 0; m1 * m0 < keysOf(problem, b); m1 += 1) {
          for (const tile of tiles) passTile(array, kvHead, m1, tile);
        }
        for (const tile of tiles)
          array.divide(
            tile.filter(({ seen }) => seen),
            av,
          );
      }
    }
  }
  return { av, einsums: array.observations };
}

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
