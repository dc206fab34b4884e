import type { Cascade } from "../cascade.js";
import { compareCascades, type EqualReport } from "../equal.js";
import type { Derivation, DerivationStep } from "./search.js";

export interface CheckedStep extends DerivationStep {
  /** The comparison with the cascade that was given; null for that itself. */
  readonly check: EqualReport | null;
}

export interface CheckedDerivation extends Omit<Derivation, "steps"> {
  readonly steps: readonly CheckedStep[];
  /** The first step that did not compute the same, after which nothing is kept; null where all do. */
  readonly refuted: CheckedStep | null;
}

/**
 * Runs every cascade of a derivation beside the first on random and adversarial inputs, in float64. What has been run is
 * remembered, so that derivations of one search cost what they do not share.
 */
export function derivationChecker(): (derivation: Derivation) => CheckedDerivation {
  const reports = new WeakMap<Cascade, EqualReport>();
  return derivation => {
    const [given, ...others] = derivation.steps;
    const checked: CheckedStep[] = given === undefined ? [] : [{ ...given, check: null }];
    for (const step of others) {
      if (given === undefined) break;
      const check = reports.get(step.cascade) ?? compareCascades(given.cascade, step.cascade);
      reports.set(step.cascade, check);
      if (!check.equal) return { ...derivation, steps: checked, refuted: { ...step, check } };
      checked.push({ ...step, check });
    }
    return { ...derivation, steps: checked, refuted: null };
  };
}
