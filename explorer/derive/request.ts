import type { ChangedLine, stepOf } from "../../src/report/derive.js";

/** A cascade, and the laws that are applied to it one after the other, by their keys. */
export interface DeriveRequest {
  readonly name: string;
  readonly text: string;
  /** The rank that is to be passed less often; empty: the one that the text names, or that is passed most. */
  readonly rank: string;
  readonly laws: readonly string[];
}

/** A law at a place of a cascade. */
export interface Offer {
  /** Among those of one cascade: "defer-a-factor.AV". */
  readonly key: string;
  readonly words: string;
  readonly passes: number;
  readonly caution: string | null;
}

/** A law, what it says, and where it applies. */
export interface OfferedLaw {
  readonly name: string;
  readonly statement: string;
  readonly offers: readonly Offer[];
}

export interface ShownStep extends ReturnType<typeof stepOf> {
  readonly changes: readonly ChangedLine[];
  readonly caution: string | null;
}

/** A cascade with the way to it, and the laws that lead on. */
export interface Derived {
  readonly rank: string;
  /** The ranks that may be asked for. */
  readonly ranks: readonly string[];
  /** The cascade that was given, and then one for each law. */
  readonly steps: readonly ShownStep[];
  readonly laws: readonly OfferedLaw[];
  /** Why laws do not apply where they look as if they might. */
  readonly refusals: readonly { readonly law: string; readonly tensor: string; readonly reason: string }[];
  /** The first of the laws asked for that does not apply; null where all do. */
  readonly stopped: string | null;
  /** The last cascade with a title of its own. */
  readonly text: string;
}

export interface Wrong {
  readonly message: string;
  /** The line with a caret; null where it is not the text that is wrong. */
  readonly excerpt: string | null;
}

export interface ToDerive {
  /** Answers to what was asked before are no longer wanted. */
  readonly id: number;
  readonly request: DeriveRequest;
  /** `search`: what `fusemax derive` would do from here. */
  readonly ask: "steps" | "search";
}

export type FromDerive = { readonly id: number } & (
  | { readonly type: "derived"; readonly derived: Derived }
  /** By step, how its values compare with the first's. */
  | { readonly type: "checked"; readonly checks: readonly (string | null)[] }
  | { readonly type: "looking"; readonly looked: number; readonly budget: number }
  /** The laws that lead to the fewest passes; none where fewer cannot be found. */
  | { readonly type: "plan"; readonly laws: readonly string[] }
  | { readonly type: "wrong"; readonly wrong: Wrong }
);
