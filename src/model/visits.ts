import { type CutRank, type MemoryClass, MemoryView, overMemories, stepsOutside } from "./memory-classes.js";
import type { NestShape } from "./nest.js";
import { chunkOf, countParts, type RankCount } from "./partition.js";

/**
 * The words fetched into the memories of a level, exactly, for ranks cut into any sequence of parts in time and space.
 *
 * A memory is one tuple of the spatial loops outside that are in `words`; those outside that are not stand for one memory
 * that has what any of their instances wants. Partial chunks make memories differ, and the same memory's loops iterate here
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
  const steps = stepsOutside(shape, level).map(({ rank, part, bit }) => ({
    rank,
    part,
    moves: (relevant & (1 << bit)) !== 0,
  }));
  return overMemories(shape, ranks, level, words, (cut, memory) => new Walk(cut, memory, steps).words());
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
  private readonly view: MemoryView;

  constructor(
    private readonly ranks: readonly CutRank[],
    memory: readonly MemoryClass[],
    private readonly steps: readonly { readonly rank: number; readonly part: number; readonly moves: boolean }[],
  ) {
    this.view = new MemoryView(ranks, memory);
  }

  words(): number {
    return this.view.enterAll() ? (this.from(0)?.words ?? 0) : 0;
  }

  /** The stretch of the loops from step `i` on; undefined without a visit. */
  private from(i: number): Stretch | undefined {
    const step = this.steps[i];
    const { sizes } = this.view;
    if (step === undefined) {
      let words = 1;
      for (let r = 0; r < this.ranks.length; r++) {
        const { bounds, outside, words: own } = this.ranks[r] as CutRank;
        words *= countParts(sizes[r] as number, bounds, outside, own);
      }
      return { words, first: words, last: words, single: true, returns: true };
    }
    const { rank, part, moves } = step;
    const size = sizes[rank] as number;
    const chunk = chunkOf((this.ranks[rank] as CutRank).bounds, part);
    const iteration = (offset: number, extent: number): Stretch | undefined =>
      this.view.iteration(rank, part, offset, extent, () => this.from(i + 1));
    const whole = Math.floor(size / chunk);
    const rest = size - whole * chunk;
    const all = whole === 0 ? undefined : repeated(iteration(0, chunk), whole, moves);
    return joined(all, rest === 0 ? undefined : iteration(whole * chunk, rest), moves);
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
