import { exponentFactor } from "../../numerics/pe.js";
import type { RowBlock } from "../engine.js";
import type { AttentionProblem, Operands, RowRange } from "../problem.js";
import { keysOf, visibleKeys } from "../visible.js";
import { type Kernels, queryScale } from "./kernels.js";
import { growTo, lanes, layOut, type MemoryLayout, panelRows, stateField } from "./memory.js";

/** Below every score; stands for "no maximum yet" (assembly/state.ts). */
const noMaximum = Math.fround(-3.0e38);

/** Rows that one pass over the keys computes: consecutive rows that read the same key/value head. */
interface Rows {
  readonly start: number;
  readonly count: number;
  readonly kvHead: number;
  readonly keys: number;
}

/** What a lane group sees of a key tile: keys [begin, end) of it are seen by some lane; `partial` if not by all. */
interface View {
  begin: number;
  end: number;
  partial: boolean;
}

/** One problem on one set of kernels: computes blocks of rows, key tile by key tile. */
export class BlockRunner {
  private readonly problem: AttentionProblem;
  private readonly operands: Operands;
  private readonly kernels: Kernels;
  private readonly layout: MemoryLayout;
  private readonly factor: number;
  private readonly floats: Float32Array;
  private readonly integers: Int32Array;
  /** Keys seen by each row of the block, [from, to). */
  private readonly from: Float64Array;
  private readonly to: Float64Array;
  private readonly views: readonly View[];

  constructor(problem: AttentionProblem, operands: Operands, kernels: Kernels) {
    this.problem = problem;
    this.operands = operands;
    this.kernels = kernels;
    this.layout = layOut(problem);
    this.factor = exponentFactor(problem.scale);
    growTo(kernels.memory, this.layout.totalBytes);
    this.floats = new Float32Array(kernels.memory.buffer);
    this.integers = new Int32Array(kernels.memory.buffer);
    this.from = new Float64Array(this.layout.groups * lanes);
    this.to = new Float64Array(this.layout.groups * lanes);
    this.views = Array.from({ length: this.layout.groups }, () => ({ begin: 0, end: 0, partial: false }));
  }

  /**
   * Computes the rows of `range`. `stopped` is asked between key tiles.
   * @returns null when stopped.
   */
  run(range: RowRange, stopped: () => boolean): RowBlock | null {
    const { valueDim } = this.problem.shape;
    const av = new Float32Array((range.end - range.start) * valueDim);
    let overflowRow: number | null = null;
    for (let start = range.start; start < range.end; ) {
      const rows = this.nextRows(start, range.end);
      if (!this.computeRows(rows, av.subarray((start - range.start) * valueDim), stopped)) return null;
      overflowRow ??= this.firstBadRow(rows);
      start += rows.count;
    }
    return { range, av, overflowRow };
  }

  private nextRows(start: number, end: number): Rows {
    const { queries, heads, kvHeads, batch } = this.problem.shape;
    const rowsPerKvHead = (queries * heads) / kvHeads;
    const kvHead = Math.floor(start / rowsPerKvHead);
    const count = Math.min(end, (kvHead + 1) * rowsPerKvHead, start + this.layout.groups * lanes) - start;
    const b = Math.floor(kvHead / kvHeads);
    if (b >= batch) throw new RangeError(`row ${start} is past the last one`);
    return { start, count, kvHead, keys: keysOf(this.problem, b) };
  }

  private computeRows(rows: Rows, av: Float32Array, stopped: () => boolean): boolean {
    const { tile } = this.problem;
    const groups = Math.ceil(rows.count / lanes);
    const [first, last] = this.prepareRows(rows, groups);
    for (let firstKey = Math.floor(first / tile.m0) * tile.m0; firstKey < last; firstKey += tile.m0) {
      if (stopped()) return false;
      this.passTile(rows, groups, firstKey, Math.min(tile.m0, rows.keys - firstKey));
    }
    this.finishRows(rows, groups, av);
    return true;
  }

  private group(g: number): number {
    return this.layout.firstGroup + g * this.layout.groupBytes;
  }

  /** Loads the queries, clears the state; gives the range of keys that any row sees. */
  private prepareRows(rows: Rows, groups: number): [number, number] {
    const { layout, kernels, problem } = this;
    const { queries, headDim, heads } = problem.shape;
    let first = Number.POSITIVE_INFINITY;
    let last = 0;
    for (let g = 0; g < groups; g += 1) {
      const at = this.group(g);
      const start = rows.start + g * lanes;
      const count = Math.min(lanes, rows.start + rows.count - start);
      this.floats.set(this.operands.q.subarray(start * headDim, (start + count) * headDim), layout.stage / 4);
      const scale = queryScale[problem.format.accumulator];
      kernels.rowsToLanes(layout.stage, count, headDim, at + layout.queries, scale);
      const state = at + layout.state;
      this.integers.fill(0, state / 4, (at + layout.sums) / 4);
      this.floats.fill(noMaximum, (state + stateField.maxima) / 4, (state + stateField.maxima) / 4 + lanes);
      for (let lane = 0; lane < lanes; lane += 1) {
        const row = start + lane;
        const head = Math.floor(row / queries);
        const seen = lane < count ? visibleKeys(problem, Math.floor(head / heads), row % queries) : { from: 0, to: 0 };
        this.from[g * lanes + lane] = seen.from;
        this.to[g * lanes + lane] = seen.to;
        if (seen.from >= seen.to) continue;
        first = Math.min(first, seen.from);
        last = Math.max(last, seen.to);
      }
    }
    return [Math.min(first, last), last];
  }

  private passTile(rows: Rows, groups: number, firstKey: number, count: number): void {
    const { layout, kernels, views } = this;
    const { headDim, valueDim } = this.problem.shape;
    const { keysAtOnce, stage, panels } = layout;
    const [begin, end] = this.lookAtTile(groups, firstKey, count);
    const chunks = { first: Math.floor(begin / keysAtOnce) * keysAtOnce, end };

    for (let chunk = chunks.first; chunk < chunks.end; chunk += keysAtOnce) {
      const there = Math.min(keysAtOnce, count - chunk);
      this.stageRows(this.operands.k, rows, firstKey + chunk, there, headDim);
      kernels.rowsToPanels(stage, there, headDim, panels);
      for (let g = 0; g < groups; g += 1) {
        const view = views[g] as View;
        const from = Math.floor(Math.max(view.begin - chunk, 0) / panelRows);
        const to = Math.ceil(Math.min(view.end - chunk, there) / panelRows);
        if (from >= to) continue;
        const at = this.group(g);
        const scores = at + layout.scores + (chunk + from * panelRows) * 4 * lanes;
        const panelBytes = headDim * 4 * panelRows;
        kernels.products(
          at + layout.queries,
          panels + from * panelBytes,
          panelBytes,
          to - from,
          headDim,
          scores,
          false,
        );
      }
    }
    for (let g = 0; g < groups; g += 1) {
      const view = views[g] as View;
      if (view.begin >= view.end) continue;
      const at = this.group(g);
      kernels.softmax(at + layout.scores, view.begin, view.end, view.partial, at + layout.state, this.factor);
    }
    const featurePanels = Math.ceil(valueDim / panelRows);
    for (let chunk = chunks.first; chunk < chunks.end; chunk += keysAtOnce) {
      const there = Math.min(keysAtOnce, count - chunk);
      this.stageRows(this.operands.v, rows, firstKey + chunk, there, valueDim);
      kernels.columnsToPanels(stage, there, valueDim, panels);
      for (let g = 0; g < groups; g += 1) {
        const view = views[g] as View;
        const from = Math.max(view.begin - chunk, 0);
        const to = Math.min(view.end - chunk, there);
        if (from >= to) continue;
        const at = this.group(g);
        const numerators = at + layout.scores + (chunk + from) * 4 * lanes;
        const start = panels + from * 4 * panelRows;
        const goOn = view.begin < chunk;
        const sums = at + layout.sums;
        kernels.products(numerators, start, there * 4 * panelRows, featurePanels, to - from, sums, goOn);
      }
    }
    for (let g = 0; g < groups; g += 1) {
      const view = views[g] as View;
      if (view.begin >= view.end) continue;
      const at = this.group(g);
      kernels.update(at + layout.state, at + layout.outputs, at + layout.sums, valueDim);
    }
  }

  /** Notes what each lane sees of a tile of `count` keys; gives the range of keys that any lane sees. */
  private lookAtTile(groups: number, firstKey: number, count: number): [number, number] {
    let tileBegin = count;
    let tileEnd = 0;
    for (let g = 0; g < groups; g += 1) {
      const state = this.group(g) + this.layout.state;
      const starts = (state + stateField.keyStarts) / 4;
      const ends = (state + stateField.keyEnds) / 4;
      let begin = count;
      let end = 0;
      let latestBegin = 0;
      let earliestEnd = count;
      for (let lane = 0; lane < lanes; lane += 1) {
        const from = Math.max((this.from[g * lanes + lane] as number) - firstKey, 0);
        const to = Math.min((this.to[g * lanes + lane] as number) - firstKey, count);
        const sees = from < to;
        this.integers[starts + lane] = sees ? from : 0;
        this.integers[ends + lane] = sees ? to : 0;
        if (sees) {
          begin = Math.min(begin, from);
          end = Math.max(end, to);
        }
        latestBegin = Math.max(latestBegin, sees ? from : count);
        earliestEnd = Math.min(earliestEnd, sees ? to : 0);
      }
      const view = this.views[g] as View;
      view.begin = begin;
      view.end = end;
      view.partial = latestBegin > begin || earliestEnd < end;
      tileBegin = Math.min(tileBegin, begin);
      tileEnd = Math.max(tileEnd, end);
    }
    return [tileBegin, tileEnd];
  }

  private stageRows(tensor: Float32Array, { kvHead }: Rows, key: number, count: number, width: number): void {
    const start = (kvHead * this.problem.shape.keys + key) * width;
    this.floats.set(tensor.subarray(start, start + count * width), this.layout.stage / 4);
  }

  private finishRows(rows: Rows, groups: number, av: Float32Array): void {
    const { layout, kernels } = this;
    const { valueDim } = this.problem.shape;
    for (let g = 0; g < groups; g += 1) {
      const at = this.group(g);
      const count = Math.min(lanes, rows.count - g * lanes);
      kernels.divide(at + layout.state, at + layout.outputs, valueDim);
      kernels.lanesToRows(at + layout.outputs, count, valueDim, layout.stage);
      av.set(this.floats.subarray(layout.stage / 4, layout.stage / 4 + count * valueDim), g * lanes * valueDim);
    }
  }

  /** The first row in which a value left fp16's range. */
  private firstBadRow(rows: Rows): number | null {
    if (this.problem.format.accumulator !== "fp16") return null;
    for (let row = 0; row < rows.count; row += 1) {
      const state = this.group(Math.floor(row / lanes)) + this.layout.state;
      if (this.integers[(state + stateField.bad) / 4 + (row % lanes)] !== 0) return rows.start + row;
    }
    return null;
  }
}
