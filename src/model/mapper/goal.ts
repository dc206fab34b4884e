import { SpecError } from "../../errors.js";

export const objectives = ["latency", "energy", "edp", "pareto"] as const;
/** What is to be least: time, energy, their product; or all mappings that no other beats in both. */
export type Objective = (typeof objectives)[number];

/** Time and energy of a mapping, or a bound of them from below. */
export interface Outcome {
  readonly latencySeconds: number;
  readonly energyPj: number;
}

/** What follows one another adds up. */
export const sumOf = (...outcomes: readonly Outcome[]): Outcome => ({
  latencySeconds: outcomes.reduce((total, { latencySeconds }) => total + latencySeconds, 0),
  energyPj: outcomes.reduce((total, { energyPj }) => total + energyPj, 0),
});

/** Differences below this share are rounding. */
const rounding = 1e-9;
const less = (a: number, b: number): boolean => a < b * (1 - rounding);
const atMost = (a: number, b: number): boolean => a <= b * (1 + rounding);

/** Bounds by how good they look, the best first; for a front by their product. */
export function comparing(objective: Objective): (a: Outcome, b: Outcome) => number {
  const product = (o: Outcome): number => o.latencySeconds * o.energyPj;
  return (a, b) => {
    const [latency, energy] = [a.latencySeconds - b.latencySeconds, a.energyPj - b.energyPj];
    if (objective === "energy") return energy || latency;
    return objective === "latency" ? latency || energy : product(a) - product(b);
  };
}

/** The objectives by which a budget is spent in turn: a front has its ends too. */
export const aimsOf = (objective: Objective): readonly Objective[] =>
  objective === "pareto" ? ["latency", "energy", "edp"] : [objective];

/**
 * The best found so far. For latency and energy that is one mapping: the least of the one, of several with as little that with the
 * least of the other. For pareto it is a front; for edp too, whose least product is taken at the end, since blocks that
 * follow one another add up before they are multiplied. `slack`: bounds that promise less than this share are beaten too.
 */
export class Front<T> {
  private items: { readonly outcome: Outcome; readonly what: T }[] = [];

  constructor(
    readonly objective: Objective,
    private readonly slack = 0,
    /** Whether its items are whole mappings: of these the least product decides for edp. */
    private readonly isWhole = false,
    items: readonly { readonly outcome: Outcome; readonly what: T }[] = [],
  ) {
    for (const { outcome, what } of items) this.offer(outcome, () => what);
  }

  /** Whether nothing at or above a bound would change the front (by more than the slack). */
  isBeaten(bound: Outcome): boolean {
    const { latencySeconds, energyPj } = bound;
    const hoped = { latencySeconds: latencySeconds * (1 + this.slack), energyPj: energyPj * (1 + this.slack) };
    const product = hoped.latencySeconds * hoped.energyPj;
    return this.items.some(({ outcome }) =>
      this.isWhole && this.objective === "edp"
        ? outcome.latencySeconds * outcome.energyPj <= product
        : this.beats(outcome, hoped),
    );
  }

  private beats(a: Outcome, b: Outcome): boolean {
    switch (this.objective) {
      case "latency":
        return (
          less(a.latencySeconds, b.latencySeconds) ||
          (atMost(a.latencySeconds, b.latencySeconds) && atMost(a.energyPj, b.energyPj))
        );
      case "energy":
        return (
          less(a.energyPj, b.energyPj) || (atMost(a.energyPj, b.energyPj) && atMost(a.latencySeconds, b.latencySeconds))
        );
      default:
        return atMost(a.latencySeconds, b.latencySeconds) && atMost(a.energyPj, b.energyPj);
    }
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

/** What an objective makes of a front: for edp the one with the least product, else all of it. */
export function chosenOf<T extends { readonly outcome: Outcome }>(
  objective: Objective,
  items: readonly T[],
): readonly T[] {
  if (objective !== "edp" || items.length === 0) return items;
  const product = ({ outcome }: T): number => outcome.latencySeconds * outcome.energyPj;
  return [items.reduce((a, b) => (product(b) < product(a) ? b : a))];
}
