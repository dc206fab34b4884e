import type { Cascade } from "../cascade.js";
import type { Rank } from "../ranks.js";
import { Answers } from "./answers.js";
import {
  chainOf,
  compareNodes,
  type DerivationCaution,
  type DerivationStep,
  follow,
  type Node,
  nodeOf,
} from "./derivation.js";
import type { Law, Refusal } from "./law.js";
import type { Measure } from "./measure.js";
import { lawsFor, type Move, type Moves, movesOver } from "./moves.js";
import { type Phase, plansOf } from "./plans.js";
import { Signatures } from "./signature.js";

export interface LawRefusal extends Refusal {
  readonly law: Law;
}

/** A cascade that passes the rank less often, with the way to it. */
export interface Answer {
  /** From the cascade that was given to this one. */
  readonly steps: readonly DerivationStep[];
  readonly cautions: readonly DerivationCaution[];
}

export interface Derivation {
  readonly rank: string;
  readonly given: DerivationStep;
  /** Best first; none where no fewer passes were found. */
  readonly answers: readonly Answer[];
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
  /** How many Einsums are looked at, at most, those of all cascades together. */
  readonly budget?: number;
  /** Told of each cascade that is looked at; the search ends with the best so far when it gives false. */
  readonly onCascade?: (looked: number, best: Measure, soFar: () => Derivation) => Promise<boolean>;
}

/** Few seconds' worth. The same text always gets the same answer, on a slow machine too. */
export const defaultBudget = 6000;

/**
 * Searches the cascades that the laws reach for the one with the fewest passes over a rank, then the fewest cautions, then the fewest live
 * fibers, then the least work: first along plans, then all of them, breadth first. Passes never rise along a derivation.
 * @example
 * ```ts
 * import { deriveOver, loadCascade } from "fusemax/node";
 *
 * const cascade = loadCascade("attention-3-pass");
 * const keys = cascade.ranks.byName("M");
 * if (keys === undefined) throw new Error("the cascade has no rank M");
 * const { given, answers } = await deriveOver(cascade, keys);
 * console.log(given.measure.passes, answers[0]?.steps.at(-1)?.measure.passes); // 3 1
 * ```
 */
export async function deriveOver(cascade: Cascade, rank: Rank, options: SearchOptions = {}): Promise<Derivation> {
  const search = new Search(cascade, rank, options);
  const ended = (await search.alongPlans()) && (await search.breadthFirst());
  return search.derivation(ended);
}

class Search {
  private readonly first: Node;
  private readonly moves: Moves;
  private readonly laws: readonly Law[];
  private readonly signatures = new Signatures();
  private readonly nodes = new Map<string, Node | null>();
  private readonly answers = new Answers();
  private readonly budget: number;
  private best: Node;
  private looked = 0;

  constructor(
    private readonly cascade: Cascade,
    private readonly rank: Rank,
    private readonly options: SearchOptions,
  ) {
    this.moves = movesOver(rank, options.tile);
    this.laws = lawsFor(rank.name, options.tile);
    this.budget = options.budget ?? defaultBudget;
    this.first = nodeOf(cascade, rank);
    this.best = this.first;
  }

  derivation(complete: boolean): Derivation {
    const answers = this.answers.below(this.first.measure.passes);
    return {
      rank: this.rank.name,
      given: this.first,
      answers: answers.map(node => ({ steps: chainOf(node), cautions: node.cautions })),
      refusals: this.laws.flatMap(law =>
        law.apply((answers[0] ?? this.first).cascade).refusals.map(refusal => ({ ...refusal, law })),
      ),
      seen: this.nodes.size + 1,
      complete,
    };
  }

  /** Follows each plan to its end. False when it was told to stop. */
  async alongPlans(): Promise<boolean> {
    // Plans that begin alike go the same way as far as they do.
    const known = new Map<string, Node>();
    for (const { phases } of plansOf(this.moves)) {
      let [node, way] = [this.first, ""];
      for (const phase of phases) {
        way += ` ${phase.map(({ law }) => law.name).join()};`;
        const before = known.get(way);
        const end = before ?? (await this.toTheEnd(node, phase));
        if (end === null) return false;
        known.set(way, end);
        node = end;
      }
      const again = await this.toTheEnd(node, [this.moves.recompute]);
      if (again === null) return false;
    }
    return true;
  }

  /** Makes the moves of a phase for as long as one applies; null when it was told to stop. */
  private async toTheEnd(start: Node, phase: Phase): Promise<Node | null> {
    let node = start;
    const been = new Set([this.signatures.of(start.cascade)]);
    for (let steps = 0; steps < mostSteps; steps += 1) {
      const next = this.firstFrom(node, phase, been);
      if (next === null) return node;
      node = next;
      if (!(await this.tell())) return null;
    }
    return node;
  }

  private firstFrom(node: Node, phase: Phase, been: Set<string>): Node | null {
    for (const move of phase) {
      for (const rewrite of this.rewritesOf(node, move)) {
        const signature = this.signatures.of(rewrite.cascade);
        if (been.has(signature)) continue;
        been.add(signature);
        const next = this.look(node, move, rewrite, signature);
        if (next !== null) return next;
      }
    }
    return null;
  }

  private rewritesOf(node: Node, { law, isWorth }: Move) {
    return law.apply(node.cascade).rewrites.filter(rewrite => isWorth(node.cascade, rewrite));
  }

  /** The node behind a rewrite, which is remembered as an answer. */
  private look(node: Node, { law }: Move, rewrite: ReturnType<Law["apply"]>["rewrites"][number], signature: string) {
    this.looked += rewrite.cascade.einsums.length;
    const found = follow(node, this.cascade, this.rank.name, law, rewrite);
    if (!this.nodes.has(signature)) this.nodes.set(signature, found);
    if (found === null) return null;
    this.answers.add(found);
    if (compareNodes(found, this.best) < 0) this.best = found;
    return found;
  }

  private async tell(): Promise<boolean> {
    const { onCascade } = this.options;
    return onCascade === undefined || (await onCascade(this.looked, this.best.measure, () => this.derivation(false)));
  }

  /** Looks at all that the moves reach, the nearest first. False when the budget was spent or it was told to stop. */
  async breadthFirst(): Promise<boolean> {
    const { moves } = this;
    const all: readonly Move[] = [
      ...moves.defer,
      moves.correct,
      moves.aboutMean,
      moves.merge,
      moves.changeReference,
      moves.runExtremum,
      moves.hoist,
      moves.split,
      moves.twoSteps,
      moves.recombine,
    ];
    const been = new Set([this.signatures.of(this.first.cascade)]);
    let open: Node[] = [this.first];
    while (open.length > 0) {
      const next: Node[] = [];
      for (const node of open) {
        for (const move of all) {
          for (const rewrite of this.rewritesOf(node, move)) {
            const signature = this.signatures.of(rewrite.cascade);
            if (been.has(signature)) continue;
            been.add(signature);
            const found = this.look(node, move, rewrite, signature);
            if (found !== null) next.push(found);
            if (!(await this.tell()) || this.looked >= this.budget) return false;
          }
        }
      }
      open = next;
    }
    return true;
  }
}

/** Of one phase; far more than twenty Einsums have use for. */
const mostSteps = 200;
