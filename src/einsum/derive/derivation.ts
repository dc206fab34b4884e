import type { Cascade } from "../cascade.js";
import type { Rank } from "../ranks.js";
import type { Caution, Law, Rewrite } from "./law.js";
import { compareMeasures, type Measure, measureOf } from "./measure.js";

/** A caution of a derivation, and the step that it comes from. */
export interface DerivationCaution {
  readonly caution: Caution;
  readonly words: string;
}

/** One cascade of a derivation and how it came from the one before. */
export interface DerivationStep {
  /** Null for the cascade that was given. */
  readonly law: Law | null;
  readonly words: string;
  readonly cascade: Cascade;
  readonly measure: Measure;
}

/** A cascade with the way to it. */
export interface Node extends DerivationStep {
  readonly from: Node | null;
  readonly cautions: readonly DerivationCaution[];
}

export const nodeOf = (cascade: Cascade, rank: Rank): Node => ({
  law: null,
  words: "as given",
  cascade,
  measure: measureOf(cascade, rank),
  from: null,
  cautions: [],
});

/** The node that a rewrite leads to; null where it loses an output or the rank, or makes more passes. */
export function follow(node: Node, given: Cascade, rank: string, law: Law, rewrite: Rewrite): Node | null {
  const { cascade, words, caution } = rewrite;
  const own = cascade.ranks.byName(rank);
  if (own === undefined || !keepsOutputs(given, cascade)) return null;
  const measure = measureOf(cascade, own);
  if (measure.passes > node.measure.passes) return null;
  const cautions = caution === null ? node.cautions : [...node.cautions, { caution, words }];
  return { law, words, cascade, measure, from: node, cautions };
}

/** Whether every output is still there with as many places: a rank that an output has is not split. */
export function keepsOutputs(given: Cascade, derived: Cascade): boolean {
  const places = (cascade: Cascade, name: string): number | undefined => cascade.tensors.get(name)?.indices.length;
  return given.outputs.every(name => derived.outputs.includes(name) && places(given, name) === places(derived, name));
}

export function chainOf(node: Node): readonly Node[] {
  const chain: Node[] = [];
  for (let at: Node | null = node; at !== null; at = at.from) chain.unshift(at);
  return chain;
}

/** Fewer passes, then fewer cautions, then fewer live fibers, then less work, then the shorter way. */
export function compareNodes(a: Node, b: Node): number {
  return (
    a.measure.passes - b.measure.passes ||
    a.cautions.length - b.cautions.length ||
    compareMeasures(a.measure, b.measure) ||
    chainOf(a).length - chainOf(b).length
  );
}
