import type { RowBlock } from "../engine.js";
import type { AttentionProblem, Operands, RowRange } from "../problem.js";
import { type KeyRange, keysOf, visibleKeys } from "../visible.js";
import { type Kernels, lanes } from "./kernels.js";
import { Panels } from "./panels.js";

/** Rows that pass the keys together: consecutive rows that read the same key/value head. */
interface Rows {
  readonly start: number;
  readonly count: number;
  readonly groups: number;
  readonly kvHead: number;
  /** How many keys the head has. */
  readonly keys: number;
}

const noKeys: KeyRange = { from: 0, to: 0 };

/** One problem on its kernels: computes blocks of rows, key tile by key tile (docs/numerics.md, "One tile, in order"). */
export class BlockRunner {
  private readonly panels: Panels;
  private readonly floats: Float32Array;
  private readonly integers: Int32Array;

  constructor(
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    private readonly kernels: Kernels,
  ) {
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
    for (let start = range.start; start < range.end; ) {
      const rows = this.nextRows(start, range.end);
      if (!this.passKeys(rows, this.load(rows), stopped)) return null;
      overflowRow ??= this.finish(rows, av.subarray((start - range.start) * valueDim));
      start += rows.count;
    }
    return { range, av, overflowRow };
  }

  private nextRows(start: number, end: number): Rows {
    const { queries, heads, kvHeads } = this.problem.shape;
    const rowsPerKvHead = (queries * heads) / kvHeads;
    const kvHead = Math.floor(start / rowsPerKvHead);
    const count = Math.min(end, (kvHead + 1) * rowsPerKvHead, start + this.kernels.groups * lanes) - start;
    const keys = keysOf(this.problem, Math.floor(kvHead / kvHeads));
    return { start, count, groups: Math.ceil(count / lanes), kvHead, keys };
  }

  /** Loads the queries and notes what each sees; gives the keys from the first to the last that any of them sees. */
  private load({ start, count, groups }: Rows): KeyRange {
    const { kernels, problem, floats, integers } = this;
    const { queries, headDim, heads } = problem.shape;
    let from = Number.POSITIVE_INFINITY;
    let to = 0;
    for (let group = 0; group < groups; group += 1) {
      const first = start + group * lanes;
      const there = Math.min(lanes, start + count - first);
      floats.set(this.operands.q.subarray(first * headDim, (first + there) * headDim), kernels.stage / 4);
      kernels.loadQueries(group, there);
      const fromAt = kernels.seenFromAt(group) / 4;
      const toAt = kernels.seenToAt(group) / 4;
      for (let lane = 0; lane < there; lane += 1) {
        const row = first + lane;
        const seen = visibleKeys(problem, Math.floor(row / (queries * heads)), row % queries);
        integers[fromAt + lane] = seen.from;
        integers[toAt + lane] = seen.to;
        if (seen.from >= seen.to) continue;
        from = Math.min(from, seen.from);
        to = Math.max(to, seen.to);
      }
    }
    return from < to ? { from, to } : noKeys;
  }

  private passKeys(rows: Rows, keys: KeyRange, stopped: () => boolean): boolean {
    const { m0 } = this.problem.tile;
    for (let firstKey = Math.floor(keys.from / m0) * m0; firstKey < keys.to; firstKey += m0) {
      if (stopped()) return false;
      const count = Math.min(m0, rows.keys - firstKey);
      if (this.kernels.wholeTile) {
        this.panels.packKeys({ kvHead: rows.kvHead, first: firstKey, count });
        this.panels.packValues({ kvHead: rows.kvHead, first: firstKey, count });
        this.kernels.passTile(rows.groups, firstKey, count);
      } else {
        this.passTileInParts(rows, firstKey, count);
      }
    }
    return true;
  }

  private passTileInParts({ groups, kvHead }: Rows, firstKey: number, count: number): void {
    const { kernels, panels } = this;
    const { keysAtOnce } = kernels;
    kernels.lookAt(groups, firstKey, count);
    for (let first = 0; first < count; first += keysAtOnce) {
      const there = Math.min(keysAtOnce, count - first);
      panels.packKeys({ kvHead, first: firstKey + first, count: there });
      kernels.scores(groups, first, there);
    }
    kernels.softmax(groups);
    for (let first = 0; first < count; first += keysAtOnce) {
      const there = Math.min(keysAtOnce, count - first);
      panels.packValues({ kvHead, first: firstKey + first, count: there });
      kernels.values(groups, first, there);
    }
    kernels.update(groups);
  }

  /** Divides and brings the rows to `av`; gives the first row in which a value overflowed, or null. */
  private finish({ start, count, groups }: Rows, av: Float32Array): number | null {
    const { kernels, floats } = this;
    const { valueDim } = this.problem.shape;
    let overflowRow: number | null = null;
    for (let group = 0; group < groups; group += 1) {
      const there = Math.min(lanes, count - group * lanes);
      const overflowed = kernels.finish(group, there);
      const stage = kernels.stage / 4;
      av.set(floats.subarray(stage, stage + there * valueDim), group * lanes * valueDim);
      // 31 - clz32 of the lowest bit set is its place.
      if (overflowed !== 0) overflowRow ??= start + group * lanes + 31 - Math.clz32(overflowed & -overflowed);
    }
    return overflowRow;
  }
}
