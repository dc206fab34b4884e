import { SpecError } from "../../errors.js";

export const objectives = ["latency", "energy", "edp", "pareto"] as const;
/** What is to be least: time, energy, their product; or all mappings that no other beats in both. */
export type Objective = (typeof objectives)[number];

/** What a mapping takes, or a bound of it from below. */
export interface Outcome {
  readonly latencySeconds: number;
  readonly energyPj: number;
  /** Of mappings alike in time and energy the one that moves the fewest is the best. */
  readonly dramBytes: number;
}

export const nothing: Outcome = { latencySeconds: 0, energyPj: 0, dramBytes: 0 };

/** What follows one another adds up. */
export const sumOf = (...outcomes: readonly Outcome[]): Outcome => ({
  latencySeconds: outcomes.reduce((total, { latencySeconds }) => total + latencySeconds, 0),
  energyPj: outcomes.reduce((total, { energyPj }) => total + energyPj, 0),
  dramBytes: outcomes.reduce((total, { dramBytes }) => total + dramBytes, 0),
});

/** Differences below this share are rounding. */
const rounding = 1e-9;
const less = (a: number, b: number): boolean => a < b * (1 - rounding);
const atMost = (a: number, b: number): boolean => a <= b * (1 + rounding);

/** Time or energy first, the other of the two next, then traffic. */
export const keysOf = (objective: "latency" | "energy") =>
  objective === "latency"
    ? (["latencySeconds", "energyPj", "dramBytes"] as const)
    : (["energyPj", "latencySeconds", "dramBytes"] as const);

/** Below 0 where the first is better for time or for energy, above where the second is, at 0 where they are alike. */
function inOrder(objective: "latency" | "energy", a: Outcome, b: Outcome): number {
  for (const key of keysOf(objective)) {
    if (less(a[key], b[key])) return -1;
    if (less(b[key], a[key])) return 1;
  }
  return 0;
}

/** A limited search does not go after less than this share, nor pay for it with more of something else. */
export const worthwhile = 1e-3;

/**
 * Whether a mapping is to be preferred to another that takes no less of the objective: what is lost of it is less than `worthwhile`, and
 * in the first of the others that differs by more this one takes less.
 */
export function isAsGoodAs(objective: Objective, a: Outcome, b: Outcome): boolean {
  if (objective === "pareto") return false;
  if (objective === "edp") return a.latencySeconds * a.energyPj <= b.latencySeconds * b.energyPj;
  for (const key of keysOf(objective)) {
    if (a[key] < b[key] * (1 - worthwhile)) return true;
    if (a[key] > b[key] * (1 + worthwhile)) return false;
  }
  return inOrder(objective, a, b) < 0;
}

/** Bounds by how good they look, the best first; for a front by their product. */
export function comparing(objective: Objective): (a: Outcome, b: Outcome) => number {
  const product = (o: Outcome): number => o.latencySeconds * o.energyPj;
  return (a, b) => {
    if (objective === "edp" || objective === "pareto") return product(a) - product(b);
    const [first, second, third] = keysOf(objective);
    return a[first] - b[first] || a[second] - b[second] || a[third] - b[third];
  };
}

/** The objectives by which a budget is spent in turn: a front has its ends too. */
export const aimsOf = (objective: Objective): readonly Objective[] =>
  objective === "pareto" ? ["latency", "energy", "edp"] : [objective];

/**
 * The best found so far. For latency and energy that is one mapping: the least of the one, of several with as little that with the
 * least of the other, of several alike in both that with the least traffic. For pareto it is a front; for edp too, whose least product
 * is taken at the end, since blocks that follow one another add up before they are multiplied. `slack`: bounds that promise less than
 * this share are beaten too. `enough`: so much of something is as good as less, where there is one mapping.
 */
export class Front<T> {
  private items: { readonly outcome: Outcome; readonly what: T }[] = [];

  constructor(
    readonly objective: Objective,
    private readonly slack = 0,
    /** Whether its items are whole mappings: of these the least product decides for edp. */
    private readonly isWhole = false,
    items: readonly { readonly outcome: Outcome; readonly what: T }[] = [],
    private readonly enough: Partial<Outcome> = {},
  ) {
    for (const { outcome, what } of items) this.offer(outcome, () => what);
  }

  /** Whether nothing at or above a bound would change the front (by more than the slack). */
  isBeaten(bound: Outcome): boolean {
    const more = 1 + this.slack;
    const { latencySeconds, energyPj, dramBytes } = bound;
    const scaled = { latencySeconds: latencySeconds * more, energyPj: energyPj * more, dramBytes: dramBytes * more };
    // What is enough is no gain, and no loss.
    const hoped = { ...scaled, ...pick(bound, this.enough) };
    const product = hoped.latencySeconds * hoped.energyPj;
    return this.items.some(({ outcome }) =>
      this.isWhole && this.objective === "edp"
        ? outcome.latencySeconds * outcome.energyPj <= product
        : this.beats(outcome, hoped),
    );
  }

  private beats(a: Outcome, b: Outcome): boolean {
    const { objective } = this;
    if (objective === "latency" || objective === "energy") {
      return inOrder(objective, withEnough(a, this.enough), withEnough(b, this.enough)) <= 0;
    }
    if (!(atMost(a.latencySeconds, b.latencySeconds) && atMost(a.energyPj, b.energyPj))) return false;
    const isAlike = atMost(b.latencySeconds, a.latencySeconds) && atMost(b.energyPj, a.energyPj);
    return !isAlike || atMost(a.dramBytes, b.dramBytes);
  }

  /** Takes a mapping in, unless it is beaten; true where it was taken. */
  offer(outcome: Outcome, what: () => T): boolean {
    if (!(Number.isFinite(outcome.latencySeconds) && Number.isFinite(outcome.energyPj))) {
      throw new SpecError({ where: "mapper", got: "a mapping without time or energy", expected: "finite numbers" });
    }
    if (this.items.some(item => this.beats(item.outcome, outcome))) return false;
    this.items = [...this.items.filter(item => !this.beats(outcome, item.outcome)), { outcome, what: what() }];
    return true;
  }

  /** By latency, the least first. */
  get all(): readonly { readonly outcome: Outcome; readonly what: T }[] {
    return [...this.items].sort((a, b) => a.outcome.latencySeconds - b.outcome.latencySeconds);
  }
}

/** What takes less of something than is enough counts as if it took that. */
const withEnough = (outcome: Outcome, enough: Partial<Outcome>): Outcome => ({
  latencySeconds: Math.max(outcome.latencySeconds, enough.latencySeconds ?? 0),
  energyPj: Math.max(outcome.energyPj, enough.energyPj ?? 0),
  dramBytes: outcome.dramBytes,
});

const pick = (outcome: Outcome, { latencySeconds, energyPj }: Partial<Outcome>): Partial<Outcome> => ({
  ...(latencySeconds === undefined ? {} : { latencySeconds: outcome.latencySeconds }),
  ...(energyPj === undefined ? {} : { energyPj: outcome.energyPj }),
});

/** What an objective makes of a front: for edp the one with the least product, else all of it. */
export function chosenOf<T extends { readonly outcome: Outcome }>(
  objective: Objective,
  items: readonly T[],
): readonly T[] {
  if (objective !== "edp" || items.length === 0) return items;
  const product = ({ outcome }: T): number => outcome.latencySeconds * outcome.energyPj;
  return [items.reduce((a, b) => (product(b) < product(a) ? b : a))];
}
