import type { NestShape } from "./nest.js";
import { chunkOf, type RankCount } from "./partition.js";

// What the memories of a level see of the ranks that are cut around them: partial chunks make memories differ, so they are
// put into classes that see the same (src/model/visits.ts, src/model/window-visits.ts).

/** Where a part's loop is: a loop in time outside the level, one in space whose instances are memories or share one, or inside. */
type PartKind = "time" | "memory" | "shared" | "inside";

export interface CutRank {
  readonly size: number;
  readonly bounds: Float64Array;
  readonly kinds: readonly PartKind[];
  /** Parts outside the level come first. */
  readonly outside: number;
  /** Of the parts inside, those whose indices tell words apart. */
  readonly words: number;
}

/** Memories that see the same of a rank: how many, and one of them by its index in each part of kind "memory". */
export interface MemoryClass {
  readonly count: number;
  readonly indices: readonly number[];
}

/** A loop in time outside a level: a part of a rank, and its bit among the nest's. */
export interface TimeStep {
  readonly rank: number;
  readonly part: number;
  readonly bit: number;
}

/** The loops in time outside a level, outermost first. */
export function stepsOutside(shape: NestShape, level: number): readonly TimeStep[] {
  return shape.loops
    .filter(loop => loop.level < level && shape.levels[loop.level]?.spatial !== true)
    .map(({ bit }) => {
      const rank = shape.ranks.findIndex(({ shift, parts }) => bit >= shift && bit < shift + parts);
      return { rank, part: bit - (shape.ranks[rank]?.shift ?? 0), bit };
    });
}

/**
 * Sums what one memory of each class fetches, times the memories of the class.
 * @param words the tensor's loops at the level and below, and the spatial loops outside that tell memories apart
 */
export function overMemories(
  shape: NestShape,
  ranks: readonly RankCount[],
  level: number,
  words: number,
  fetched: (cut: readonly CutRank[], memory: readonly MemoryClass[]) => number,
): number {
  const levelOf = new Map(shape.loops.map(loop => [loop.bit, loop.level]));
  const cut = shape.ranks.map(({ shift, parts }, r): CutRank => {
    const { size, bounds } = ranks[r] as RankCount;
    const kinds = Array.from({ length: parts }, (_, part): PartKind => {
      const at = levelOf.get(shift + part);
      if (at === undefined || at >= level) return "inside";
      if (shape.levels[at]?.spatial !== true) return "time";
      return (words & (1 << (shift + part))) !== 0 ? "memory" : "shared";
    });
    const inside = kinds.indexOf("inside");
    const outside = inside < 0 ? parts : inside;
    return { size, bounds, kinds, outside, words: (words >>> shift) & ~((1 << outside) - 1) & ((1 << parts) - 1) };
  });
  const classes = cut.map(rank => memoryClasses(rank, 0, rank.size, false, []));
  const chosen: MemoryClass[] = [];
  const over = (r: number): number => {
    if (r === cut.length) return fetched(cut, chosen);
    let sum = 0;
    for (const memory of classes[r] ?? []) {
      chosen[r] = memory;
      sum += memory.count * over(r + 1);
    }
    return sum;
  };
  return over(0);
}

/**
 * The classes of a rank's memories. At each part there are whole chunks, all alike, and at most one partial chunk, of
 * `partial` coordinates (0: none); `whole`: whether there are whole ones.
 */
function memoryClasses(
  rank: CutRank,
  part: number,
  partial: number,
  whole: boolean,
  indices: readonly number[],
): readonly MemoryClass[] {
  const { kinds, bounds, outside } = rank;
  if (part === outside) return partial > 0 || whole ? [{ count: 1, indices }] : [];
  const chunk = chunkOf(bounds, part);
  const more = (partial: number, whole: boolean, indices: readonly number[]): readonly MemoryClass[] =>
    memoryClasses(rank, part + 1, partial, whole, indices);
  const rest = partial % chunk;
  switch (kinds[part]) {
    case "time":
      return more(rest, whole || partial >= chunk, indices);
    case "shared":
      return more(partial < chunk ? partial : 0, whole || partial >= chunk, indices);
    default: {
      const full = Math.floor(partial / chunk);
      const all = whole || part > 0 ? (bounds[part] as number) : Math.ceil(partial / chunk);
      const busy = full + (rest > 0 ? 1 : 0);
      const of = (count: number, index: number, partial: number, whole: boolean): readonly MemoryClass[] =>
        count <= 0 ? [] : more(partial, whole, [...indices, index]).map(c => ({ ...c, count: c.count * count }));
      return [
        ...of(full, 0, 0, true),
        ...of(busy - full, full, rest, whole),
        ...of(whole ? all - busy : 0, busy, 0, true),
      ];
    }
  }
}

/** What a memory of a class still has before it of each rank, as the loops in time around it iterate. */
export class MemoryView {
  readonly sizes: Float64Array;
  /** The coordinate at which that begins. */
  readonly starts: Float64Array;
  readonly parts: Int32Array;

  constructor(
    private readonly ranks: readonly CutRank[],
    private readonly memory: readonly MemoryClass[],
  ) {
    this.sizes = Float64Array.from(ranks, ({ size }) => size);
    this.starts = new Float64Array(ranks.length);
    this.parts = new Int32Array(ranks.length);
  }

  /** Passes the spatial parts that come first in every rank; false where the memory has nothing. */
  enterAll(): boolean {
    for (let r = 0; r < this.ranks.length; r++) if (!this.enter(r)) return false;
    return true;
  }

  /** Passes the spatial parts that come next in a rank; false where the memory has nothing of it. */
  private enter(r: number): boolean {
    const { kinds, bounds, outside } = this.ranks[r] as CutRank;
    let size = this.sizes[r] as number;
    let start = this.starts[r] as number;
    let part = this.parts[r] as number;
    for (; part < outside && kinds[part] !== "time"; part++) {
      const chunk = chunkOf(bounds, part);
      const nth = kinds.slice(0, part).filter(kind => kind === "memory").length;
      const index = kinds[part] === "memory" ? (this.memory[r]?.indices[nth] as number) : 0;
      size = Math.min(chunk, size - index * chunk);
      start += index * chunk;
      if (size <= 0) return false;
    }
    this.sizes[r] = size;
    this.starts[r] = start;
    this.parts[r] = part;
    return true;
  }

  /** What `inner` finds in one iteration of a rank's part in time, from `offset` on, of `extent` coordinates; undefined without work. */
  iteration<T>(rank: number, part: number, offset: number, extent: number, inner: () => T | undefined): T | undefined {
    const [size, start, before] = [this.sizes[rank], this.starts[rank], this.parts[rank]] as [number, number, number];
    this.sizes[rank] = extent;
    this.starts[rank] = start + offset;
    this.parts[rank] = part + 1;
    const found = this.enter(rank) ? inner() : undefined;
    this.sizes[rank] = size;
    this.starts[rank] = start;
    this.parts[rank] = before;
    return found;
  }
}
