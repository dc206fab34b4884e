import type { NestShape } from "./nest.js";
import { chunkOf, countParts, type RankCount } from "./partition.js";

/**
 * The words fetched into the memories of a level, exactly, for ranks cut into any sequence of parts in time and space.
 *
 * A memory is one tuple of the spatial loops outside that are in `words`; those outside that are not stand for one memory
 * that has what any of their instances wants. Partial chunks make memories differ, and the same memory's loops turn here
 * and stand still there; so memories are put into classes that see the same, and for each class the temporal loops outside
 * are walked with one branch for all whole chunks and one for the partial one.
 *
 * @param relevant the loops of the tensor
 * @param words the tensor's loops at the level and below, and the spatial loops outside that tell memories apart
 */
export function visitedWords(
  shape: NestShape,
  ranks: readonly RankCount[],
  relevant: number,
  level: number,
  words: number,
): number {
  const isSpatial = (at: number): boolean => shape.levels[at]?.spatial === true;
  const outer = shape.loops.filter(loop => loop.level < level);
  const levelOf = new Map(shape.loops.map(loop => [loop.bit, loop.level]));
  const cut = shape.ranks.map(({ shift, parts }, r): CutRank => {
    const { size, bounds } = ranks[r] as RankCount;
    const kinds = Array.from({ length: parts }, (_, part): PartKind => {
      const at = levelOf.get(shift + part);
      if (at === undefined || at >= level) return "inside";
      if (!isSpatial(at)) return "time";
      return (words & (1 << (shift + part))) !== 0 ? "memory" : "shared";
    });
    const inside = kinds.indexOf("inside");
    const outside = inside < 0 ? parts : inside;
    return { size, bounds, kinds, outside, words: (words >>> shift) & ~((1 << outside) - 1) & ((1 << parts) - 1) };
  });
  const steps = outer
    .filter(loop => !isSpatial(loop.level))
    .map(({ bit }) => {
      const rank = shape.ranks.findIndex(({ shift, parts }) => bit >= shift && bit < shift + parts);
      const part = bit - (shape.ranks[rank]?.shift ?? 0);
      return { rank, part, moves: (relevant & (1 << bit)) !== 0 };
    });
  const classes = cut.map(rank => memoryClasses(rank, 0, rank.size, false, []));
  const chosen: MemoryClass[] = [];
  const overMemories = (r: number): number => {
    if (r === cut.length) return new Walk(cut, chosen, steps).words();
    let sum = 0;
    for (const memory of classes[r] ?? []) {
      chosen[r] = memory;
      sum += memory.count * overMemories(r + 1);
    }
    return sum;
  };
  return overMemories(0);
}

/** Where a part's loop stands: a loop in time outside the level, one in space whose instances are memories or share one, or inside. */
type PartKind = "time" | "memory" | "shared" | "inside";

interface CutRank {
  readonly size: number;
  readonly bounds: Float64Array;
  readonly kinds: readonly PartKind[];
  /** Parts outside the level come first. */
  readonly outside: number;
  /** Of the parts inside, those whose indices tell words apart. */
  readonly words: number;
}

/** Memories that see the same of a rank: how many, and one of them by its index in each part of kind "memory". */
interface MemoryClass {
  readonly count: number;
  readonly indices: readonly number[];
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

/** What a memory fetches in a stretch of visits that begins with an empty memory; runs are visits with one tile. */
interface Stretch {
  readonly words: number;
  /** Words of the first and of the last run. */
  readonly first: number;
  readonly last: number;
  /** Whether there is one run only. */
  readonly single: boolean;
  /** Whether it ends on the tile that it began with. */
  readonly returns: boolean;
}

/** One memory's visits: the loops in time outside, with what the memory sees of each rank. */
class Walk {
  private readonly sizes: Float64Array;
  private readonly parts: Int32Array;

  constructor(
    private readonly ranks: readonly CutRank[],
    private readonly memory: readonly MemoryClass[],
    private readonly steps: readonly { readonly rank: number; readonly part: number; readonly moves: boolean }[],
  ) {
    this.sizes = Float64Array.from(ranks, ({ size }) => size);
    this.parts = new Int32Array(ranks.length);
  }

  words(): number {
    for (let r = 0; r < this.ranks.length; r++) if (!this.enter(r)) return 0;
    return this.from(0)?.words ?? 0;
  }

  /** Passes the spatial parts that come next in a rank; false where the memory has nothing of it. */
  private enter(r: number): boolean {
    const { kinds, bounds, outside } = this.ranks[r] as CutRank;
    let size = this.sizes[r] as number;
    let part = this.parts[r] as number;
    for (; part < outside && kinds[part] !== "time"; part++) {
      const chunk = chunkOf(bounds, part);
      const nth = kinds.slice(0, part).filter(kind => kind === "memory").length;
      const index = kinds[part] === "memory" ? (this.memory[r]?.indices[nth] as number) : 0;
      size = Math.min(chunk, size - index * chunk);
      if (size <= 0) return false;
    }
    this.sizes[r] = size;
    this.parts[r] = part;
    return true;
  }

  /** The stretch of the loops from step `i` on; undefined without a visit. */
  private from(i: number): Stretch | undefined {
    const step = this.steps[i];
    if (step === undefined) {
      let words = 1;
      for (let r = 0; r < this.ranks.length; r++) {
        const { bounds, outside, words: own } = this.ranks[r] as CutRank;
        words *= countParts(this.sizes[r] as number, bounds, outside, own);
      }
      return { words, first: words, last: words, single: true, returns: true };
    }
    const { rank, part, moves } = step;
    const size = this.sizes[rank] as number;
    const before = this.parts[rank] as number;
    const chunk = chunkOf((this.ranks[rank] as CutRank).bounds, part);
    const turn = (extent: number): Stretch | undefined => {
      this.sizes[rank] = extent;
      this.parts[rank] = part + 1;
      const found = this.enter(rank) ? this.from(i + 1) : undefined;
      this.sizes[rank] = size;
      this.parts[rank] = before;
      return found;
    };
    const whole = Math.floor(size / chunk);
    const rest = size - whole * chunk;
    const all = whole === 0 ? undefined : repeated(turn(chunk), whole, moves);
    return joined(all, rest === 0 ? undefined : turn(rest), moves);
  }
}

/** The same stretch `times` in a row; `moves`: in between the tile changes. */
function repeated(one: Stretch | undefined, times: number, moves: boolean): Stretch | undefined {
  if (one === undefined || times === 1) return one;
  if (moves) return { ...one, words: one.words * times, single: false, returns: false };
  if (!one.returns) return { ...one, words: one.words * times, single: false };
  // Each but the first goes on with the tile at hand. The words of runs with one tile lie within each other.
  return { ...one, words: one.words * times - (times - 1) * Math.min(one.last, one.first) };
}

function joined(before: Stretch | undefined, after: Stretch | undefined, moves: boolean): Stretch | undefined {
  if (before === undefined || after === undefined) return before ?? after;
  const words = before.words + after.words;
  const goesOn = !moves && before.returns;
  const kept = goesOn ? Math.min(before.last, after.first) : 0;
  const run = before.last + after.first - kept;
  return {
    words: words - kept,
    first: goesOn && before.single ? run : before.first,
    last: goesOn && after.single ? run : after.last,
    single: goesOn && before.single && after.single,
    returns: !moves && after.returns,
  };
}
