import { hull, type KeyRange, noKeys } from "../../attention/key-range.js";
import { type Mask, maskOf } from "../../attention/mask.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { queryOf, type RowRange } from "../../attention/rows.js";
import { queryTileOf } from "../../attention/tile.js";
import type { RowBlock } from "../engine.js";
import { type Kernels, lanes } from "./kernels.js";
import { type KeySpan, Panels } from "./panels.js";
import { nextRows, type Rows } from "./rows.js";

/** Told between the steps of a tile, while their results are in the kernels' memory. */
export interface StepListener {
  readonly scored: () => void;
  readonly normalized: () => void;
  readonly weighted: () => void;
  readonly updated: () => void;
}

/** One problem on its kernels: computes blocks of rows, key tile by key tile (docs/numerics.md, "One tile, in order"). */
export class BlockRunner {
  private readonly mask: Mask;
  private readonly panels: Panels;
  private readonly floats: Float32Array;
  private readonly integers: Int32Array;

  constructor(
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    private readonly kernels: Kernels,
  ) {
    this.mask = maskOf(problem);
    this.panels = new Panels(problem, operands, kernels);
    this.floats = new Float32Array(kernels.memory.buffer);
    this.integers = new Int32Array(kernels.memory.buffer);
  }

  /**
   * Computes the rows of `range`. `stopped` is asked between key tiles.
   * @returns null when stopped.
   */
  run(range: RowRange, stopped: () => boolean): RowBlock | null {
    const { valueDim } = this.problem.shape;
    const av = new Float32Array((range.end - range.start) * valueDim);
    let overflowRow: number | null = null;
    this.kernels.takeTiles();
    for (let start = range.start; start < range.end; ) {
      const rows = this.nextRows(start, range.end);
      if (!this.passKeys(rows, this.load(rows), stopped)) return null;
      overflowRow ??= this.finish(rows, av.subarray((start - range.start) * valueDim));
      start += rows.count;
    }
    return { range, av, overflowRow, tiles: this.kernels.takeTiles() };
  }

  /** The rows from `start` on, before `end`, that can pass the keys together. */
  nextRows(start: number, end: number): Rows {
    return nextRows(this.problem, start, end, this.kernels.laneGroups);
  }

  /** Loads the queries and notes what each sees; gives the keys from the first to the last that any of them sees. */
  load({ start, count, laneGroups }: Rows): KeyRange {
    const { kernels, floats, integers } = this;
    const { headDim } = this.problem.shape;
    let all = noKeys;
    for (let laneGroup = 0; laneGroup < laneGroups; laneGroup += 1) {
      const first = start + laneGroup * lanes;
      const there = Math.min(lanes, start + count - first);
      floats.set(this.operands.q.subarray(first * headDim, (first + there) * headDim), kernels.stage / 4);
      kernels.loadQueries(laneGroup, there);
      const fromAt = kernels.fieldAt(laneGroup, "seenFrom") / 4;
      const toAt = kernels.fieldAt(laneGroup, "seenTo") / 4;
      const queryTileAt = kernels.fieldAt(laneGroup, "queryTiles") / 4;
      for (let lane = 0; lane < there; lane += 1) {
        const seen = this.mask.span(first + lane);
        integers[fromAt + lane] = seen.from;
        integers[toAt + lane] = seen.to;
        integers[queryTileAt + lane] = queryTileOf(this.problem, first + lane);
        all = hull(all, seen);
      }
    }
    return all;
  }

  private passKeys(rows: Rows, keys: KeyRange, stopped: () => boolean): boolean {
    const { m0 } = this.problem.tile;
    const before = this.seenBefore(rows.start);
    for (let firstKey = Math.floor(keys.from / m0) * m0; firstKey < keys.to; firstKey += m0) {
      if (stopped()) return false;
      const counted = before.from < firstKey + m0 && before.to > firstKey;
      this.kernels.beginTile(counted ? queryTileOf(this.problem, rows.start) : -1);
      this.passTile(rows, firstKey);
    }
    return true;
  }

  /** What the rows before `row` in its query tile see: the tiles counted with them are not counted again. */
  private seenBefore(row: number): KeyRange {
    const { p0 } = this.problem.tile;
    let all = noKeys;
    for (let r = row - (queryOf(this.problem.shape, row) % p0); r < row; r += 1) all = hull(all, this.mask.span(r));
    return all;
  }

  /** Takes loaded rows through the key tile that begins at `firstKey`. */
  passTile(rows: Rows, firstKey: number): void {
    const { kernels, panels } = this;
    if (!kernels.wholeTile || areFew(rows)) {
      this.passTileInSteps(rows, firstKey);
      return;
    }
    const count = Math.min(this.problem.tile.m0, rows.keys - firstKey);
    const span = { kvHead: rows.kvHead, first: firstKey, count };
    panels.packKeys(span);
    panels.packValues(span);
    kernels.passTile(rows.laneGroups, firstKey, count);
  }

  /** The same for few rows, for a tile too long to be packed as a whole, or step by step for a listener (of one lane group). */
  passTileInSteps(rows: Rows, firstKey: number, listener?: StepListener): void {
    const { kernels, panels } = this;
    const { laneGroups } = rows;
    const tileKeys = Math.min(this.problem.tile.m0, rows.keys - firstKey);
    const forParts = (work: (span: KeySpan, first: number) => void): void => {
      for (let first = 0; first < tileKeys; first += kernels.keysAtOnce) {
        const count = Math.min(kernels.keysAtOnce, tileKeys - first);
        work({ kvHead: rows.kvHead, first: firstKey + first, count }, first);
      }
    };
    kernels.lookAt(laneGroups, firstKey, tileKeys);
    forParts((span, first) => {
      if (areFew(rows)) {
        panels.stageKeys(span);
        kernels.scoresByQuery(rows.count, first, span.count);
      } else {
        panels.packKeys(span);
        kernels.scores(laneGroups, first, span.count);
      }
    });
    listener?.scored();
    kernels.softmax(laneGroups);
    listener?.normalized();
    forParts((span, first) => {
      if (areFew(rows)) {
        panels.stageValues(span);
        kernels.valuesByQuery(rows.count, first, span.count);
      } else {
        panels.packValues(span);
        kernels.values(laneGroups, first, span.count);
      }
    });
    listener?.weighted();
    kernels.update(laneGroups);
    listener?.updated();
  }

  /** Divides and brings the rows to `av`; gives the first row in which a value overflowed, or null. */
  private finish({ start, count, laneGroups }: Rows, av: Float32Array): number | null {
    const { kernels, floats } = this;
    const { valueDim } = this.problem.shape;
    let overflowRow: number | null = null;
    for (let laneGroup = 0; laneGroup < laneGroups; laneGroup += 1) {
      const there = Math.min(lanes, count - laneGroup * lanes);
      const overflowed = kernels.finish(laneGroup, there);
      const stage = kernels.stage / 4;
      av.set(floats.subarray(stage, stage + there * valueDim), laneGroup * lanes * valueDim);
      // 31 - clz32 of the lowest bit set is its place.
      if (overflowed !== 0) overflowRow ??= start + laneGroup * lanes + 31 - Math.clz32(overflowed & -overflowed);
    }
    return overflowRow;
  }
}

/** Up to this many rows are faster one by one, keys and features on the lanes, than side by side (bench/README.md). */
const mostFewRows = lanes / 2;
const areFew = ({ count }: Rows): boolean => count <= mostFewRows;
