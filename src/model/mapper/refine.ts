import { Front, nothing, type Objective, type Outcome, sumOf, worthwhile } from "./goal.js";
import type { NumberedBlock, TilingTask } from "./searcher.js";

/** A whole mapping in numbers: blocks one after the other. */
export type Found = readonly NumberedBlock[];

export interface WholeFound {
  readonly outcome: Outcome;
  readonly what: Found;
}

/** A tiling that a search did not look into, and why. */
export interface PassedTiling {
  readonly tiling: number;
  readonly bound: Outcome;
  readonly reason: "beaten" | "left";
}

/** Once it is known which tilings are best, they are searched so much more broadly. */
const polishing = 8;
/** Other tilings of a block that may be as good in the objective are searched for less of the rest, at the most. */
const mostTies = 16;

/**
 * How much of the objective is as good as what was found: a share more that is not worthwhile, but no more than a mapping takes that is
 * known besides.
 */
export function shareThatIsEnough(objective: Objective, found: Outcome, own: Outcome | undefined): number {
  const of = (o: Outcome): number => (objective === "energy" ? o.energyPj : o.latencySeconds);
  if (own === undefined) return 1 + worthwhile;
  return Math.min(1 + worthwhile, Math.max(1, of(own) / of(found)));
}

/**
 * The tilings of a block that was chosen that are worth a second look: its own, and those whose bounds say that they may be as good in the
 * objective and better in the rest.
 * @param room how many others may be searched
 */
export function refiningTasks(
  limits: { readonly objective: Objective; readonly width: number },
  { from, to, tiling }: NumberedBlock,
  outcome: Outcome,
  share: number,
  passed: readonly PassedTiling[],
  room: number,
): { readonly tasks: readonly TilingTask[]; readonly ties: readonly PassedTiling[] } {
  const { objective, width } = limits;
  const [first, second] =
    objective === "energy" ? (["energyPj", "latencySeconds"] as const) : (["latencySeconds", "energyPj"] as const);
  const enough = outcome[first] * share;
  const ties = passed
    .filter(({ tiling: other, bound }) => {
      const saves = bound[second] < outcome[second] * (1 - worthwhile) || bound.dramBytes < outcome.dramBytes;
      return other !== tiling && bound[first] <= enough && bound[second] <= outcome[second] && saves;
    })
    .sort((a, b) => a.bound[second] - b.bound[second] || a.bound.dramBytes - b.bound.dramBytes || a.tiling - b.tiling)
    .slice(0, Math.min(mostTies, room));
  const own = { kind: "tiling", from, to, objective, enough, known: [], whole: [], around: nothing } as const;
  return {
    ties,
    tasks: [
      { ...own, tiling, width: polishing * width, slack: 0 },
      ...ties.map(tie => ({ ...own, tiling: tie.tiling, width, slack: worthwhile, known: [outcome] })),
    ],
  };
}

/** The places of a block as they are, and all else of it anew: what several Einsums share pays off when the last of them is there. */
export function keepingTask(
  { objective, width }: { readonly objective: Objective; readonly width: number },
  { from, to, tiling, einsums }: NumberedBlock,
  outcome: Outcome,
  enough: number,
): TilingTask {
  const places = einsums.map(({ place }) => place);
  const knowing = { known: [outcome], whole: [], around: nothing };
  const own = { kind: "tiling", from, to, tiling, objective, slack: 0, enough } as const;
  return { ...own, places, width: polishing * width, ...knowing };
}

/** A mapping, or its blocks as they were found again, where those are better. */
export function betterOf(
  objective: Objective,
  mapping: WholeFound,
  blocks: readonly { readonly outcome: Outcome; readonly what: NumberedBlock }[],
  share: number,
): WholeFound {
  const enough = share * (objective === "energy" ? mapping.outcome.energyPj : mapping.outcome.latencySeconds);
  const front = new Front<Found>(objective, 0, true, [], enough);
  front.offer(mapping.outcome, () => mapping.what);
  front.offer(sumOf(...blocks.map(({ outcome }) => outcome)), () => blocks.map(({ what }) => what));
  return front.all[0] ?? mapping;
}
