import type { Cascade } from "../cascade.js";
import { compareCascades, type EqualReport } from "../equal.js";
import { evaluateCascade } from "../evaluate.js";
import type { DerivationCaution, DerivationStep } from "./derivation.js";
import { needsWholeFiber, type Remembered } from "./remember.js";
import type { Answer, Derivation } from "./search.js";
import { titled } from "./title.js";

export interface CheckedStep extends DerivationStep {
  /** The comparison with the cascade that was given; null for that itself. */
  readonly check: EqualReport | null;
}

export interface CheckedAnswer {
  /** Whether every step gives the same values. If not, sums cancel, as its cautions say, and the difference is as small as they let it be. */
  readonly equal: boolean;
  /** From the cascade that was given to this one, which has a title of its own. */
  readonly steps: readonly CheckedStep[];
  readonly last: CheckedStep;
  readonly cautions: readonly DerivationCaution[];
}

/** An answer of which a step did not compute the same, so that it is none. */
export interface Refutation {
  readonly step: CheckedStep;
  readonly passes: number;
  readonly cautions: readonly DerivationCaution[];
}

export interface CheckedDerivation extends Omit<Derivation, "answers"> {
  /** Those whose every step computes what was given, best first; then those whose sums cancel on some input. */
  readonly answers: readonly CheckedAnswer[];
  readonly refuted: readonly Refutation[];
  /** Where more than one pass is left: that one cannot be had, measured; null where it is not known that it cannot. */
  readonly wholeFiber: Remembered | null;
}

/**
 * Runs every cascade of a derivation beside the first on random and adversarial inputs, in float64. What has been run is
 * remembered, so that derivations of one search cost what they do not share.
 */
export function derivationChecker(): (derivation: Derivation) => CheckedDerivation {
  const reports = new WeakMap<Cascade, EqualReport>();
  const checkedStep = (given: Cascade, step: DerivationStep): CheckedStep => {
    if (step.law === null) return { ...step, check: null };
    const check = reports.get(step.cascade) ?? compareCascades(given, step.cascade);
    reports.set(step.cascade, check);
    return { ...step, check };
  };
  const checkedAnswer = (derivation: Derivation, { steps, cautions }: Answer): CheckedAnswer | Refutation => {
    const checked: CheckedStep[] = [];
    const mayCancel = cautions.some(({ caution }) => caution === "cancellation");
    const passes = steps.at(-1)?.measure.passes ?? 0;
    for (const step of steps) {
      const own = checkedStep(derivation.given.cascade, step);
      if (own.check !== null && !own.check.equal && !(mayCancel && cancels(own.cascade, own.check)))
        return { step: own, passes, cautions };
      checked.push(own);
    }
    const end = checked.at(-1) ?? { ...derivation.given, check: null };
    const last = { ...end, cascade: titled(derivation.given, end, derivation.rank) };
    const equal = checked.every(({ check }) => check === null || check.equal);
    return { equal, steps: [...checked.slice(0, -1), last], last, cautions };
  };
  let wholeFiber: Remembered | null | undefined;
  return derivation => {
    const all = derivation.answers.map(answer => checkedAnswer(derivation, answer));
    const kept = all.filter(answer => "last" in answer);
    const answers = [...kept.filter(({ equal }) => equal), ...kept.filter(({ equal }) => !equal)];
    const { given, rank } = derivation;
    const own = given.cascade.ranks.byName(rank);
    const isOnePass = (answers.find(({ equal }) => equal)?.last ?? given).measure.passes === 1;
    if (!isOnePass && own !== undefined) wholeFiber ??= needsWholeFiber(given.cascade, own);
    return {
      ...derivation,
      answers,
      refuted: all.filter(answer => "step" in answer),
      wholeFiber: isOnePass ? null : (wholeFiber ?? null),
    };
  };
}

/**
 * Whether cascades differ on no input by more than rounding may where large values cancel: relative to the largest value that stands on the
 * way, not to the largest of the output.
 */
function cancels(cascade: Cascade, { cases, firstDiffering, largest, shapes, tolerance }: EqualReport): boolean {
  if (cases.some(({ difference }) => difference === null || !Number.isFinite(difference.relative))) return false;
  return [firstDiffering, largest].every(differing => {
    if (differing === null || differing.difference === null) return true;
    const { tensors } = evaluateCascade(cascade, differing.inputs, { shape: Object.fromEntries(shapes[1]) });
    const [x, y] = differing.difference.values;
    let most = 0;
    for (const { data } of tensors.values())
      for (const value of data) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
    return Math.abs(x - y) <= tolerance * most;
  });
}
