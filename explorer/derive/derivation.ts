import { type Cascade, parseCascade } from "../../src/einsum/cascade.js";
import { type CheckedStep, derivationChecker } from "../../src/einsum/derive/check.js";
import { chainOf, type DerivationStep, follow, type Node, nodeOf } from "../../src/einsum/derive/derivation.js";
import type { Law, Rewrite } from "../../src/einsum/derive/law.js";
import { lawsFor } from "../../src/einsum/derive/moves.js";
import { defaultBudget, deriveOver } from "../../src/einsum/derive/search.js";
import { titled } from "../../src/einsum/derive/title.js";
import { passesOver, rangesOver } from "../../src/einsum/passes.js";
import type { Rank } from "../../src/einsum/ranks.js";
import { UsageError } from "../../src/errors.js";
import { cautionWords, changesOf, checkText, stepOf } from "../../src/report/derive.js";
import type { Derived, DeriveRequest, OfferedLaw, ShownStep } from "./request.js";

/** A law at a place is called by the law and the tensor that it rewrites: "defer-a-factor.AV". */
const keyOf = (law: Law, { tensor }: Rewrite): string => `${law.name.replaceAll(" ", "-")}.${tensor}`;

/** Told of Einsums that a search has looked at, of so many at most. */
type Looking = (looked: number, budget: number) => void;

/** A derivation by hand: laws are applied where the visitor says. */
export class HandDerivation {
  private readonly given: Cascade;
  private readonly rank: Rank;
  private readonly laws: readonly Law[];
  private readonly checker = derivationChecker();
  /** By the laws on the way to where they begin. */
  private readonly plans = new Map<string, readonly string[]>();
  /** By the laws on the way; null where the last of them does not apply. */
  private readonly nodes = new Map<string, Node | null>();

  /** @throws CascadeError, UsageError for a cascade without ranks */
  constructor(
    readonly name: string,
    readonly text: string,
    readonly asked: string,
  ) {
    this.given = parseCascade(text, name);
    this.rank = rankOf(this.given, asked);
    this.laws = lawsFor(this.rank.name);
  }

  isOf({ name, text, rank }: DeriveRequest): boolean {
    return name === this.name && text === this.text && rank === this.asked;
  }

  /** Where some laws lead, as far as they apply. */
  derived(keys: readonly string[]): Derived {
    const { node, stopped } = this.follow(keys);
    const chain = chainOf(node);
    return {
      rank: this.rank.name,
      ranks: ranksOf(this.given).map(({ name }) => name),
      steps: chain.map((step, i) => shownStep(chain[i - 1], step)),
      laws: this.laws.map(law => this.offered(law, node)).filter(({ offers }) => offers.length > 0),
      refusals: this.laws.flatMap(law =>
        law.apply(node.cascade).refusals.map(refusal => ({ ...refusal, law: law.name })),
      ),
      stopped,
      text: (node.from === null
        ? node.cascade
        : titled(nodeOf(this.given, this.rank), node, this.rank.name)
      ).source.lines.join("\n"),
    };
  }

  /** Runs every cascade on the way beside the first. @returns by step, how its values compare; null for the first */
  async checks(keys: readonly string[]): Promise<readonly (string | null)[]> {
    const chain = chainOf(this.follow(keys).node);
    const [given] = chain;
    if (given === undefined) return [];
    const words: (string | null)[] = [null];
    // One after the other: a step that is refuted ends what is known of an answer, not of the others.
    for (const step of chain.slice(1)) {
      const { answers, refuted } = await this.checker({
        ...{ rank: this.rank.name, given, refusals: [], seen: 0, complete: false },
        answers: [{ steps: [given, step], cautions: step.cautions }],
      });
      const checked: CheckedStep | undefined = answers[0]?.steps.at(-1) ?? refuted[0]?.step;
      words.push(checked === undefined ? null : checkText(checked));
    }
    return words;
  }

  /**
   * The laws that lead on to the fewest passes: what is left of the best way from the first cascade, as far as it has been gone,
   * else the best way from here. None where fewer passes are not found.
   */
  async plan(keys: readonly string[], looking: Looking): Promise<readonly string[]> {
    const whole = await this.search([], looking);
    return keys.every((key, i) => key === whole[i]) ? whole.slice(keys.length) : this.search(keys, looking);
  }

  private async search(keys: readonly string[], looking: Looking): Promise<readonly string[]> {
    const way = keys.join();
    const known = this.plans.get(way);
    if (known !== undefined) return known;
    const { node } = this.follow(keys);
    const rank = node.cascade.ranks.byName(this.rank.name) ?? this.rank;
    const found = await deriveOver(node.cascade, rank, {
      onCascade: async looked => {
        looking(looked, defaultBudget);
        return true;
      },
    });
    const plan = this.keysOf(keys, found.answers[0]?.steps.slice(1) ?? []);
    this.plans.set(way, plan);
    return plan;
  }

  /** The keys of some steps that go on from where some laws lead. */
  private keysOf(from: readonly string[], steps: readonly DerivationStep[]): readonly string[] {
    const keys: string[] = [];
    for (const { law, words } of steps) {
      const { cascade } = this.follow([...from, ...keys]).node;
      const rewrite = law?.apply(cascade).rewrites.find(own => own.words === words);
      if (law === null || rewrite === undefined) break;
      keys.push(keyOf(law, rewrite));
    }
    return keys;
  }

  private offered(law: Law, node: Node): OfferedLaw {
    const { name, statement } = law;
    const offers = law.apply(node.cascade).rewrites.flatMap(rewrite => {
      const next = this.next(node, law, rewrite);
      if (next === null) return [];
      const caution = rewrite.caution === null ? null : cautionWords[rewrite.caution];
      return [{ key: keyOf(law, rewrite), words: rewrite.words, passes: next.measure.passes, caution }];
    });
    return { name, statement, offers };
  }

  private next(node: Node, law: Law, rewrite: Rewrite): Node | null {
    return follow(node, this.given, this.rank.name, law, rewrite);
  }

  private follow(keys: readonly string[]): { readonly node: Node; readonly stopped: string | null } {
    let [node, way] = [this.at("", () => nodeOf(this.given, this.rank)), ""];
    for (const key of keys) {
      way += `${key},`;
      const from: Node | null = node;
      if (from === null) break;
      const next: Node | null = this.at(way, () => this.byKey(from, key));
      if (next === null) return { node: from, stopped: key };
      node = next;
    }
    if (node === null) throw new Error("a cascade without a node");
    return { node, stopped: null };
  }

  private at(way: string, make: () => Node | null): Node | null {
    const known = this.nodes.get(way);
    if (known !== undefined) return known;
    const made = make();
    this.nodes.set(way, made);
    return made;
  }

  private byKey(node: Node, key: string): Node | null {
    for (const law of this.laws) {
      for (const rewrite of law.apply(node.cascade).rewrites) {
        if (keyOf(law, rewrite) === key) return this.next(node, law, rewrite);
      }
    }
    return null;
  }
}

function shownStep(before: Node | undefined, step: Node): ShownStep {
  const caution = step.cautions.length > (before?.cautions.length ?? 0) ? step.cautions.at(-1) : undefined;
  return {
    ...stepOf(step),
    changes: before === undefined ? [] : changesOf(before, step),
    caution: caution === undefined ? null : cautionWords[caution.caution],
  };
}

const ranksOf = (cascade: Cascade): readonly Rank[] => cascade.ranks.ranks.filter(rank => rangesOver(cascade, rank));

/** The rank that is asked for, else the one that the text names its sequence, else the one with the most passes. */
function rankOf(cascade: Cascade, asked: string): Rank {
  const ranks = ranksOf(cascade);
  const named = (name: string | undefined): Rank | undefined => {
    const rank = name === undefined ? undefined : cascade.ranks.byName(name);
    return rank !== undefined && ranks.includes(rank) ? rank : undefined;
  };
  const most = [...ranks].sort((a, b) => passesOver(cascade, b).passes - passesOver(cascade, a).passes)[0];
  const rank = named(asked) ?? named(cascade.headers.get("sequence")) ?? most;
  if (rank !== undefined) return rank;
  throw new UsageError({ where: cascade.name, got: "no Einsum over any rank", expected: "one that can be passed" });
}
