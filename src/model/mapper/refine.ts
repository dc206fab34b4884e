import { Front, keysOf, nothing, type Outcome, worthwhile } from "./goal.js";
import type { NumberedBlock, TilingTask } from "./searcher.js";

/** A whole mapping in numbers: blocks one after the other. */
export type Found = readonly NumberedBlock[];

export interface WholeFound {
  readonly outcome: Outcome;
  readonly what: Found;
}

export interface BlockFound {
  readonly outcome: Outcome;
  readonly what: NumberedBlock;
}

/** A tiling that a search did not look into, and why. */
export interface PassedTiling {
  readonly tiling: number;
  readonly bound: Outcome;
  readonly reason: "beaten" | "left";
}

interface Limits {
  readonly objective: "latency" | "energy";
  readonly width: number;
  /** What a mapping takes that is known besides. */
  readonly own?: Outcome | undefined;
}

/** Once it is known which tilings are best, they are searched so much more broadly. */
const polishing = 8;
/** Other tilings of a block that are searched for less energy (or time), and for less traffic, at the most. */
const mostTies = 8;

interface RefiningStep {
  readonly tasks: readonly TilingTask[];
  /** Tilings of these that were not searched before. */
  readonly ties: readonly PassedTiling[];
}

/**
 * A second look at a block that was chosen: its own tiling more broadly, its places with everything kept anew, and other tilings that may
 * be as good in the objective and better in the rest. First what takes the least of the second, then of those that take little more the
 * least traffic. Little is less than is `worthwhile`, and no more than the mapping takes that is known besides.
 * @param whole what the mapping takes that the block is of
 * @param room how many other tilings may be searched still
 */
export function* refinements(
  { objective, width, own }: Limits,
  block: BlockFound,
  whole: Outcome,
  passed: readonly PassedTiling[],
  room: () => number,
): Generator<RefiningStep, BlockFound, readonly BlockFound[]> {
  const [first, second, third] = keysOf(objective);
  const { from, to } = block.what;
  const shareOf = (key: typeof first): number =>
    own === undefined ? 1 + worthwhile : Math.min(1 + worthwhile, Math.max(1, own[key] / whole[key]));
  let best = block;
  let enough: Partial<Outcome> = {};
  const seen = new Set([block.what.tiling]);
  const task = (tiling: number, more: Partial<TilingTask>): TilingTask => {
    const knowing = { known: [], whole: [], around: nothing };
    return { kind: "tiling", from, to, tiling, objective, width, slack: 0, enough, ...knowing, ...more };
  };
  for (const [fixed, least] of [
    [first, second],
    [second, third],
  ] as const) {
    enough = { ...enough, [fixed]: best.outcome[fixed] * shareOf(fixed) };
    const mayHelp = ({ tiling, bound }: PassedTiling): boolean =>
      !seen.has(tiling) &&
      bound[first] <= (enough[first] ?? 0) &&
      bound[second] <= (enough[second] ?? best.outcome[second]) &&
      bound[least] < best.outcome[least] * (1 - worthwhile);
    const ties = passed
      .filter(mayHelp)
      .sort((a, b) => a.bound[least] - b.bound[least] || a.bound[second] - b.bound[second] || a.tiling - b.tiling)
      .slice(0, Math.max(0, Math.min(mostTies, room())));
    for (const { tiling } of ties) seen.add(tiling);
    const known = [best.outcome];
    const broadly = fixed === first ? [task(best.what.tiling, { width: polishing * width })] : [];
    const others = ties.map(({ tiling }) => task(tiling, { slack: worthwhile, known }));
    best = bestOf(objective, [best, ...(yield { tasks: [...broadly, ...others], ties })], enough);
    // What several Einsums share pays off when the last of them is there: with the places as they are, all else anew.
    const { tiling, einsums } = best.what;
    const places = einsums.map(({ place }) => place);
    const again = task(tiling, { places, width: polishing * width, known: [best.outcome] });
    best = bestOf(objective, [best, ...(yield { tasks: [again], ties: [] })], enough);
  }
  return best;
}

function bestOf(objective: Limits["objective"], all: readonly BlockFound[], enough: Partial<Outcome>): BlockFound {
  const front = new Front<NumberedBlock>(objective, 0, false, all, enough);
  return front.all[0] as BlockFound;
}
