import type { Cascade } from "../cascade.js";
import type { Rank } from "../ranks.js";
import { changeReference } from "./change-reference.js";
import { correctRunningSum } from "./correct-running-sum.js";
import { deferFactor } from "./defer-factor.js";
import type { Law, Refusal } from "./law.js";
import { compareMeasures, type Measure, measureOf } from "./measure.js";
import { nameTerms } from "./name-terms.js";
import { reduceInTwoSteps } from "./reduce-in-two-steps.js";
import { runAboutMean } from "./run-about-mean.js";
import { runningExtremum } from "./run-reduction.js";
import { Signatures } from "./signature.js";
import { splitRank } from "./split-rank.js";

/** One cascade of a derivation and how it came from the one before. */
export interface DerivationStep {
  /** Null for the cascade that was given. */
  readonly law: Law | null;
  readonly words: string;
  readonly cascade: Cascade;
  readonly measure: Measure;
}

export interface LawRefusal extends Refusal {
  readonly law: Law;
}

export interface Derivation {
  readonly rank: string;
  /** From the cascade that was given to the best that was found. */
  readonly steps: readonly DerivationStep[];
  /** Why laws do not apply to the best, where they look as if they might. */
  readonly refusals: readonly LawRefusal[];
  /** Cascades that were looked at. */
  readonly seen: number;
  /** Whether all cascades that the laws reach were looked at. */
  readonly complete: boolean;
}

export interface SearchOptions {
  /** The name of the inner part that the rank may be split into; by the rank's name and 0 when absent. */
  readonly tile?: string;
  /** How many cascades are looked at, at most. */
  readonly budget?: number;
  /** Told of each cascade that is looked at; the search ends with the best so far when it gives false. */
  readonly onCascade?: (seen: number, best: Measure, soFar: () => Derivation) => Promise<boolean>;
}

interface Node extends DerivationStep {
  readonly from: Node | null;
}

/** Few seconds' worth. */
export const defaultBudget = 3000;

/** The laws, those that lower passes by themselves first. */
export const lawsFor = (rank: string, tile?: string): readonly Law[] => [
  deferFactor,
  correctRunningSum,
  runAboutMean,
  changeReference,
  runningExtremum,
  nameTerms,
  splitRank(rank, tile),
  reduceInTwoSteps,
];

/**
 * Searches the cascades that the laws reach for the one with the fewest passes over a rank, then the fewest live fibers, then the least
 * work. Breadth first; passes never rise along a derivation. The same text always gives the same answer unless it is stopped.
 */
export async function deriveOver(cascade: Cascade, rank: Rank, options: SearchOptions = {}): Promise<Derivation> {
  const { budget = defaultBudget, onCascade } = options;
  const laws = lawsFor(rank.name, options.tile);
  const signatures = new Signatures();
  const first: Node = { law: null, words: "as given", cascade, measure: measureOf(cascade, rank), from: null };
  const seen = new Set([signatures.of(cascade)]);
  let open: Node[] = [first];
  let best = first;
  let complete = true;
  const derivation = (): Derivation => ({
    rank: rank.name,
    steps: chainOf(best),
    refusals: refusalsOf(best.cascade, laws),
    seen: seen.size,
    complete: complete && open.length === 0,
  });
  search: while (open.length > 0) {
    const next: Node[] = [];
    for (const node of open) {
      for (const law of laws) {
        for (const { cascade: derived, words } of law.apply(node.cascade).rewrites) {
          const signature = signatures.of(derived);
          if (seen.has(signature)) continue;
          seen.add(signature);
          const own = derived.ranks.byName(rank.name);
          if (own === undefined || !keepsOutputs(cascade, derived)) continue;
          const measure = measureOf(derived, own);
          if (measure.passes > node.measure.passes) continue;
          const found: Node = { law, words, cascade: derived, measure, from: node };
          next.push(found);
          if (compareMeasures(measure, best.measure) < 0) best = found;
          const stopped = onCascade !== undefined && !(await onCascade(seen.size, best.measure, derivation));
          if (stopped || seen.size >= budget) {
            complete = false;
            break search;
          }
        }
      }
    }
    open = next;
  }
  return derivation();
}

/** Whether every output is still there with as many places: a rank that an output has is not split. */
export function keepsOutputs(given: Cascade, derived: Cascade): boolean {
  const places = (cascade: Cascade, name: string): number | undefined => cascade.tensors.get(name)?.indices.length;
  return given.outputs.every(name => derived.outputs.includes(name) && places(given, name) === places(derived, name));
}

function chainOf(node: Node): DerivationStep[] {
  return node.from === null ? [node] : [...chainOf(node.from), node];
}

function refusalsOf(cascade: Cascade, laws: readonly Law[]): LawRefusal[] {
  return laws.flatMap(law => law.apply(cascade).refusals.map(refusal => ({ ...refusal, law })));
}
