import { hull, type KeyRange, noKeys } from "../attention/key-range.js";
import { type Mask, maskOf, sequenceOf } from "../attention/mask.js";
import type { AttentionProblem, Operands } from "../attention/problem.js";
import { batchOf, keyRowAt, kvHeadOfRow, type RowRange } from "../attention/rows.js";
import { queryTileOf, type TileCoordinates } from "../attention/tile.js";
import type { Overflow } from "./overflow.js";
import { QueryColumn, type RunningState, startState } from "./query-column.js";
import { emptyDump, firstRowOf, requireTile, type TileDump } from "./tile-dump.js";

export interface RowOverflow extends Overflow {
  readonly row: number;
}

/** What a dump sees of one query in one tile, right after its pass. */
type Observer = (m1: number, row: number, state: RunningState, start: number, end: number) => void;

/** Takes all steps at once. */
function finish<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/**
 * The array as plain loops, `for m1: for each query`: key tile by key tile, and in each the queries one after the
 * other (mapping 1 of FuseMax section V without its parallelism, which changes no bit).
 */
export class Twin {
  private readonly problem: AttentionProblem;
  private readonly operands: Operands;
  private readonly mask: Mask;
  private readonly column: QueryColumn;
  /** The tile of K that is in the array, transposed to [E, m0]. */
  private readonly kT: Float32Array;
  private readonly stride: number;
  /** Tiles (p1, m1) computed so far: those in which at least one query saw a key. */
  tiles = 0;
  /** For each key tile the query tile that was last counted with it. */
  private readonly lastQueryTile: Float64Array;

  constructor(problem: AttentionProblem, operands: Operands) {
    this.problem = problem;
    this.operands = operands;
    this.mask = maskOf(problem);
    this.column = new QueryColumn(problem);
    this.stride = Math.min(problem.tile.m0, problem.shape.keys);
    this.kT = new Float32Array(this.stride * problem.shape.headDim);
    this.lastQueryTile = new Float64Array(Math.ceil(problem.shape.keys / problem.tile.m0)).fill(-1);
  }

  /** Computes rows of one head into `av` from its start. Gives the first row in which a value overflowed, or null. */
  rows(range: RowRange, av: Float32Array): RowOverflow | null {
    return finish(this.steps(range, av));
  }

  /** The same, key tile by key tile, so that who computes long rows may let other things happen between two. */
  *steps(range: RowRange, av: Float32Array): Generator<void, RowOverflow | null> {
    const states = yield* this.passTiles(range, Number.POSITIVE_INFINITY);
    for (const [i, state] of states.entries()) {
      if (state.overflow !== null) return { row: range.start + i, ...state.overflow };
      this.column.finish(state, av, i * this.problem.shape.valueDim);
    }
    return null;
  }

  /**
   * Every intermediate of one tile.
   * @throws InputError for coordinates outside the grid of tiles.
   */
  dump(at: TileCoordinates): TileDump {
    const { shape } = this.problem;
    requireTile(at, this.problem);
    const first = firstRowOf(this.problem, at);
    const dump = emptyDump(this.problem, at);
    const { columns } = dump;
    const { column } = this;
    const observe: Observer = (m1, p, _state, start, end) => {
      if (m1 !== at.m1) return;
      for (let m0 = start; m0 < end; m0 += 1) {
        dump.exists[m0 * columns + p] = 1;
        dump.bqk[m0 * columns + p] = column.bqk.values[m0] as number;
        dump.sln[m0 * columns + p] = column.sln[m0] as number;
      }
      for (const name of ["lm", "sld", "prm", "spd"] as const) dump[name][p] = column[name];
      for (let f = 0; f < shape.valueDim; f += 1) {
        dump.slnv[f * columns + p] = column.slnv.values[f] as number;
        dump.spnv[f * columns + p] = column.spnv[f] as number;
      }
    };
    const states = finish(this.passTiles({ start: first, end: first + columns }, at.m1, observe));
    for (const [p, state] of states.entries()) {
      dump.rm[p] = state.rm;
      dump.rd[p] = state.rd;
      for (let f = 0; f < shape.valueDim; f += 1) dump.rnv[f * columns + p] = state.rnv[f] as number;
    }
    return dump;
  }

  /**
   * Takes the queries of `range`, all of one head, through the key tiles up to `lastTile`; tiles that none of them sees
   * are skipped.
   */
  private *passTiles(range: RowRange, lastTile: number, observe?: Observer): Generator<void, RunningState[]> {
    const { shape, tile } = this.problem;
    const kvHead = kvHeadOfRow(shape, range.start);
    const { keys } = sequenceOf(this.problem, batchOf(shape, range.start));
    const length = range.end - range.start;
    const visible = Array.from({ length }, (_, i) => this.mask.span(range.start + i));
    const states = Array.from({ length }, () => startState(shape.valueDim));
    const { from, to } = visible.reduce(hull, noKeys);
    const { q, v } = this.operands;
    for (let m1 = Math.floor(from / tile.m0); m1 <= lastTile && m1 * tile.m0 < to; m1 += 1) {
      const firstKey = m1 * tile.m0;
      this.loadKeys(kvHead, firstKey, Math.min(tile.m0, keys - firstKey));
      const vOffset = keyRowAt(shape, kvHead, firstKey) * shape.valueDim;
      const keyTile = { m1, kT: this.kT, stride: this.stride, v, vOffset };
      for (let i = 0; i < length; i += 1) {
        const state = states[i] as RunningState;
        const seen = visible[i] as KeyRange;
        const start = Math.max(0, seen.from - firstKey);
        const end = Math.min(tile.m0, seen.to - firstKey);
        if (start >= end || state.overflow !== null) continue;
        this.column.pass(state, q, (range.start + i) * shape.headDim, keyTile, start, end);
        this.countTile(m1, queryTileOf(this.problem, range.start + i));
        observe?.(m1, i, state, start, end);
      }
      yield;
    }
    return states;
  }

  private countTile(m1: number, queryTile: number): void {
    if (this.lastQueryTile[m1] === queryTile) return;
    this.lastQueryTile[m1] = queryTile;
    this.tiles += 1;
  }

  private loadKeys(kvHead: number, firstKey: number, count: number): void {
    const { shape } = this.problem;
    const { headDim } = shape;
    const { k } = this.operands;
    const { kT, stride } = this;
    for (let m0 = 0; m0 < count; m0 += 1) {
      const offset = keyRowAt(shape, kvHead, firstKey + m0) * headDim;
      for (let e = 0; e < headDim; e += 1) kT[e * stride + m0] = k[offset + e] as number;
    }
  }
}
