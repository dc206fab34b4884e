import type { Cascade } from "../cascade.js";
import { compareCascades, type EqualReport } from "../equal.js";
import { evaluateCascade } from "../evaluate.js";
import type { DerivationCaution, DerivationStep } from "./derivation.js";
import { needsWholeFiber, type Remembered } from "./remember.js";
import type { Answer, Derivation } from "./search.js";
import { titled } from "./title.js";

export interface CheckedStep extends DerivationStep {
  /** The comparison with the cascade that was given; null for that itself. */
  readonly check: StepCheck | null;
}

/** How the values of a step compare with those that were given. */
export interface StepCheck {
  /** Inputs on which the cascade that was given computes something finite: the others tell nothing. */
  readonly inputs: number;
  readonly overflows: number;
  /** The largest difference on those, relative to the largest value of the output, and the name of the input. */
  readonly largest: { readonly relative: number; readonly input: string };
  /** The first of those on which they differ, in words; null where they are equal. */
  readonly differs: string | null;
  /** Whether all differences are as small as rounding of the values on the way explains. */
  readonly cancels: boolean;
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
 * remembered, so that derivations of one search cost what they do not share. `onStep` is awaited after each cascade.
 */
export function derivationChecker(
  onStep: () => Promise<void> = async () => undefined,
): (derivation: Derivation) => Promise<CheckedDerivation> {
  const reports = new WeakMap<Cascade, StepCheck>();
  const checkedStep = (given: Cascade, step: DerivationStep): CheckedStep => {
    if (step.law === null) return { ...step, check: null };
    const check = reports.get(step.cascade) ?? checkOf(step.cascade, compareCascades(given, step.cascade));
    reports.set(step.cascade, check);
    return { ...step, check };
  };
  const checkedAnswer = async (
    derivation: Derivation,
    { steps, cautions }: Answer,
  ): Promise<CheckedAnswer | Refutation> => {
    const checked: CheckedStep[] = [];
    const mayCancel = cautions.some(({ caution }) => caution === "cancellation");
    const passes = steps.at(-1)?.measure.passes ?? 0;
    for (const step of steps) {
      const own = checkedStep(derivation.given.cascade, step);
      if (own.check !== null && own.check.differs !== null && !(mayCancel && own.check.cancels))
        return { step: own, passes, cautions };
      checked.push(own);
      await onStep();
    }
    const end = checked.at(-1) ?? { ...derivation.given, check: null };
    const last = { ...end, cascade: titled(derivation.given, end, derivation.rank) };
    const equal = checked.every(({ check }) => check === null || check.differs === null);
    return { equal, steps: [...checked.slice(0, -1), last], last, cautions };
  };
  let wholeFiber: Remembered | null | undefined;
  return async derivation => {
    const all: (CheckedAnswer | Refutation)[] = [];
    for (const answer of derivation.answers) all.push(await checkedAnswer(derivation, answer));
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

/** So few inputs, or fewer, on which anything finite is computed show nothing. */
const leastInputs = 8;

function checkOf(cascade: Cascade, report: EqualReport): StepCheck {
  const { cases } = report;
  const told = cases.flatMap(({ name, equal, difference }) =>
    difference !== null && Number.isFinite(difference.values[0]) ? [{ name, equal, ...difference }] : [],
  );
  const differing = told.find(({ equal }) => !equal);
  const words =
    differing !== undefined
      ? `on "${differing.name}" ${differing.tensor} is ${differing.values.join(" and ")}`
      : told.length <= leastInputs
        ? `only ${told.length} of ${cases.length} inputs give anything finite`
        : null;
  const most = told.reduce<StepCheck["largest"]>(
    (largest, { name, relative }) => (relative > largest.relative ? { relative, input: name } : largest),
    { relative: 0, input: told[0]?.name ?? "" },
  );
  return {
    inputs: told.length,
    overflows: cases.length - told.length,
    largest: most,
    differs: words,
    cancels: differing !== undefined && cancels(cascade, report),
  };
}

/**
 * Whether cascades differ on no input by more than rounding may where large values cancel: relative to the largest value that is on the
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
