import { barriersOf } from "../einsum/barriers.js";
import type { CheckedAnswer, CheckedDerivation, CheckedStep, Refutation, StepCheck } from "../einsum/derive/check.js";
import type { DerivationCaution, DerivationStep } from "../einsum/derive/derivation.js";
import type { Caution } from "../einsum/derive/law.js";
import { passesOver } from "../einsum/passes.js";
import { howMany } from "../errors.js";

/** Operations by kind: `exp M*P`. */
function operationsOf({ measure }: DerivationStep): Map<string, string> {
  const counts = new Map<string, string[]>();
  for (const { op, count } of measure.operations) counts.set(op, [...(counts.get(op) ?? []), count]);
  return new Map([...counts].map(([op, terms]) => [op, terms.join(" + ")]));
}

/** What makes passes over the rank in a cascade. */
function dependencesOf({ cascade }: DerivationStep, rank: string): string[] {
  const own = cascade.ranks.byName(rank);
  if (own === undefined) return [];
  return barriersOf(cascade, passesOver(cascade, own)).flatMap(({ through, why }) => (through === null ? [] : [why]));
}

const bestOf = ({ answers, given }: CheckedDerivation): DerivationStep =>
  answers.find(({ equal }) => equal)?.last ?? given;

const textOf = ({ cascade }: DerivationStep): string => cascade.source.lines.join("\n");

const largestOf = ({ check }: CheckedStep): number | null => check?.largest.relative ?? null;

/** A step as `fusemax derive --json` prints it. */
export const stepOf = (step: DerivationStep | CheckedStep) => ({
  law: step.law?.name ?? null,
  statement: step.law?.statement ?? null,
  words: step.words,
  passes: step.measure.passes,
  live: step.measure.live,
  work: step.measure.work,
  operations: Object.fromEntries(operationsOf(step)),
  largestDifference: "check" in step ? largestOf(step) : null,
  text: textOf(step),
});

/** What `fusemax derive --json` prints. */
export function deriveJson(derivation: CheckedDerivation, name: string) {
  const { rank, answers, given, refuted, refusals } = derivation;
  return {
    schema: "fusemax.derive/1" as const,
    cascade: name,
    rank,
    found: answers.some(({ equal }) => equal),
    cascades: derivation.seen,
    complete: derivation.complete,
    steps: (answers.find(({ equal }) => equal)?.steps ?? [given]).map(stepOf),
    answers: answers.map(({ equal, last, steps, cautions }) => ({
      equal,
      passes: last.measure.passes,
      live: last.measure.live,
      work: last.measure.work,
      operations: Object.fromEntries(operationsOf(last)),
      cautions,
      largestDifference: largestOf(last),
      steps: steps.map(stepOf),
      text: textOf(last),
    })),
    forbids: dependencesOf(bestOf(derivation), rank),
    impossible: derivation.wholeFiber === null ? null : { passes: 1, ...derivation.wholeFiber },
    refuted: refuted.map(({ step, passes, cautions }) => ({
      passes,
      law: step.law?.name ?? null,
      words: step.words,
      cautions,
      difference: step.check?.differs ?? null,
    })),
    whyNot: refusals.map(({ law, tensor, reason }) => ({ law: law.name, tensor, reason })),
  };
}

export const passesText = (n: number): string => (n === 1 ? "1 pass" : `${n} passes`);

export const cautionWords: Readonly<Record<Caution, string>> = {
  cancellation: "large sums may cancel",
  division: "divides by what may be zero on the way",
};

export const cautionText = ({ caution, words }: DerivationCaution): string =>
  `caution: ${cautionWords[caution]} (${words})`;

export interface DeriveTextOptions {
  readonly whyNot?: boolean;
  /** Which answer is shown step by step, from 1; the best when absent. */
  readonly answer?: number | undefined;
  /** Whether all are. */
  readonly all?: boolean;
}

/** The derivation for people. */
export function deriveText(derivation: CheckedDerivation, name: string, options: DeriveTextOptions = {}): string {
  const { rank, given, answers, seen, complete, refusals } = derivation;
  const { whyNot = false, answer, all = false } = options;
  const best = bestOf(derivation);
  const tried = `${seen} cascades tried, ${complete ? "all that the laws reach" : "not all that the laws reach"}`;
  const lines: string[] = [];
  if (best !== given) {
    lines.push(`${name} over ${rank}: from ${passesText(given.measure.passes)} to ${best.measure.passes} (${tried})`);
  } else {
    const equal = answers.length === 0 ? "" : " that are equal in float64";
    lines.push(`${name} over ${rank}: no fewer than ${passesText(given.measure.passes)} found${equal} (${tried})`);
  }
  for (const [i, own] of answers.entries()) {
    const isAsked = all || (i === (answer ?? 1) - 1 && (own.equal || answer !== undefined));
    if (!isAsked) continue;
    if (all || i > 0) lines.push("", `Answer ${i + 1}`);
    lines.push(...answerLines(own));
  }
  if (answers.length > 1 || (answers.length > 0 && best === given)) lines.push("", ...listOf(answers));
  lines.push(...refutedLines(derivation.refuted));
  const forbids = dependencesOf(best, rank);
  if (forbids.length > 0) lines.push("", ...limitLines(derivation, best), ...forbids.map(why => `  ${why}`));
  if (whyNot) {
    lines.push("", "Laws that do not apply:");
    lines.push(...refusals.map(({ law, tensor, reason }) => `  ${law.name}, ${tensor}: ${reason}`));
    if (refusals.length === 0) lines.push("  none looks as if it might");
  }
  return `${lines.join("\n")}\n`;
}

function answerLines({ steps, last, cautions }: CheckedAnswer): string[] {
  const lines = steps.flatMap((step, i) => ["", ...stepLines(step, i, steps[i - 1])]);
  lines.push("", ...cautions.map(cautionText), ...(cautions.length > 0 ? [""] : []));
  return [...lines, ...last.cascade.source.lines.filter((line, i, text) => line !== "" || i < text.length - 1)];
}

/** All answers, one after the other, with what they cost. */
function listOf(answers: readonly CheckedAnswer[]): string[] {
  return [
    "Answers (--answer N shows one and writes it; operations where every rank has 64 coordinates):",
    ...answers.flatMap(({ equal, last, steps, cautions }, i) => {
      const { passes, live, work } = last.measure;
      const laws = [...new Set(steps.flatMap(({ law }) => law?.name ?? []))];
      return [
        `  ${i + 1}. ${passesText(passes)}; live: ${live.join(", ") || "none"}; ${howMany(work.toLocaleString("en-US"), "operation")}${equal ? "" : "; not equal in float64"}`,
        `     by: ${laws.join("; ")}`,
        ...cautions.map(caution => `     ${cautionText(caution)}`),
        ...(cautions.length === 0 ? [] : [`     it differs by up to ${differsText(last)}`]),
      ];
    }),
  ];
}

/** What cannot be had, told apart from what the laws do not reach. */
function limitLines({ rank, wholeFiber }: CheckedDerivation, { measure }: DerivationStep): string[] {
  if (wholeFiber === null) return [`What the laws known here do not lift over ${rank}:`];
  const { elements, numbers } = wholeFiber;
  const impossible = `No cascade passes ${rank} once: of ${howMany(elements, "element")} that have been read, ${howMany(numbers, "number")} still matter to the outputs (measured).`;
  return measure.passes === 2
    ? [impossible, `What forbids it over ${rank}:`]
    : [impossible, `What the laws known here do not lift over ${rank}, from ${measure.passes} passes to 2:`];
}

/** The largest difference of an answer, and on which input. */
function differsText({ check }: CheckedStep): string {
  return `${(check?.largest.relative ?? 0).toExponential(0)} of the largest value, on "${check?.largest.input ?? ""}"`;
}

function refutedLines(refuted: readonly Refutation[]): string[] {
  return refuted.flatMap(({ step, passes, cautions }) => [
    "",
    `No answer, since its values differ: ${passesText(passes)} by ${step.law?.name ?? ""}, ${step.words}`,
    ...cautions.map(caution => `  ${cautionText(caution)}`),
    `  ${step.check?.differs ?? ""}`,
  ]);
}

const overflowText = ({ overflows }: StepCheck): string =>
  overflows === 0 ? "" : ` (on ${overflows} more what was given is not finite)`;

/** A line of a cascade's text that a step takes away or adds. */
export interface ChangedLine {
  readonly sign: "-" | "+";
  readonly line: string;
}

/** The lines that go, and then those that come. */
export function changesOf(before: DerivationStep, step: DerivationStep): readonly ChangedLine[] {
  const linesOf = ({ cascade }: DerivationStep): readonly string[] =>
    cascade.source.lines.map(line => line.trim()).filter(line => !line.startsWith("#"));
  const [old, now] = [linesOf(before), linesOf(step)];
  return [
    ...old.filter(line => !now.includes(line)).map(line => ({ sign: "-", line }) as const),
    ...now.filter(line => !old.includes(line)).map(line => ({ sign: "+", line }) as const),
  ];
}

/** How the values of a step compare with what was given; null for that itself. */
export function checkText(step: CheckedStep): string | null {
  const { check } = step;
  const largest = largestOf(step);
  if (check === null || largest === null) return null;
  const equal = check.differs === null ? "equal" : "not equal in float64";
  return `${equal} on ${howMany(check.inputs, "input")}${overflowText(check)}, to within ${largest.toExponential(0)} of the largest value`;
}

function stepLines(step: CheckedStep, i: number, before: CheckedStep | undefined): string[] {
  const { law, words, measure, cascade } = step;
  const operations = [...operationsOf(step)].map(([op, count]) => `${op} ${count}`).join(", ");
  const text =
    before === undefined
      ? cascade.einsums.map(einsum => `    ${einsum.text}`)
      : changesOf(before, step).map(({ sign, line }) => `  ${sign} ${line}`);
  const checked = checkText(step);
  return [
    law === null ? `${i}. ${words}` : `${i}. ${law.name}: ${words}`,
    ...text,
    `  ${passesText(measure.passes)}; live: ${measure.live.join(", ") || "none"}; ${operations}`,
    ...(checked === null ? [] : [`  ${checked}`]),
  ];
}
