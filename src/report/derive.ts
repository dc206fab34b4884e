import { barriersOf } from "../einsum/barriers.js";
import type { CheckedDerivation, CheckedStep } from "../einsum/derive/check.js";
import { passesOver } from "../einsum/passes.js";

/** Whether fewer passes were found. */
export const lowersPasses = ({ steps }: CheckedDerivation): boolean =>
  (steps.at(-1)?.measure.passes ?? 0) < (steps[0]?.measure.passes ?? 0);

/** Operations by kind: `exp M*P`. */
function operationsOf({ measure }: CheckedStep): Map<string, string> {
  const counts = new Map<string, string[]>();
  for (const { op, count } of measure.operations) counts.set(op, [...(counts.get(op) ?? []), count]);
  return new Map([...counts].map(([op, terms]) => [op, terms.join(" + ")]));
}

/** What forbids fewer passes over the rank in the best cascade. */
function dependencesOf({ rank, steps }: CheckedDerivation): string[] {
  const cascade = steps.at(-1)?.cascade;
  const own = cascade?.ranks.byName(rank);
  if (cascade === undefined || own === undefined) return [];
  return barriersOf(cascade, passesOver(cascade, own)).flatMap(({ through, why }) => (through === null ? [] : [why]));
}

/** What `fusemax derive --json` prints. */
export function deriveJson(derivation: CheckedDerivation, name: string) {
  return {
    schema: "fusemax.derive/1" as const,
    cascade: name,
    rank: derivation.rank,
    found: lowersPasses(derivation),
    cascades: derivation.seen,
    complete: derivation.complete,
    steps: derivation.steps.map(step => ({
      law: step.law?.name ?? null,
      statement: step.law?.statement ?? null,
      words: step.words,
      passes: step.measure.passes,
      live: step.measure.live,
      operations: Object.fromEntries(operationsOf(step)),
      largestDifference: step.check?.largest?.difference?.relative ?? null,
      text: step.cascade.source.lines.join("\n"),
    })),
    forbids: dependencesOf(derivation),
    refuted: derivation.refuted === null ? null : derivation.refuted.words,
    whyNot: derivation.refusals.map(({ law, tensor, reason }) => ({ law: law.name, tensor, reason })),
  };
}

const passesText = (n: number): string => (n === 1 ? "1 pass" : `${n} passes`);

/** The derivation for people. */
export function deriveText(derivation: CheckedDerivation, name: string, whyNot: boolean): string {
  const { rank, steps, seen, complete, refuted, refusals } = derivation;
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) return "";
  const tried = `${seen} cascades tried, ${complete ? "all that the laws reach" : "not all that the laws reach"}`;
  const lines: string[] = [];
  if (lowersPasses(derivation)) {
    lines.push(`${name} over ${rank}: from ${passesText(first.measure.passes)} to ${last.measure.passes} (${tried})`);
    for (const [i, step] of steps.entries()) lines.push("", ...stepLines(step, i, steps[i - 1]));
    lines.push("", ...last.cascade.source.lines.filter((line, i, all) => line !== "" || i < all.length - 1));
  } else {
    lines.push(`${name} over ${rank}: no fewer than ${passesText(first.measure.passes)} found (${tried})`);
  }
  const forbids = dependencesOf(derivation);
  if (forbids.length > 0) lines.push("", `What the laws do not lift over ${rank}:`, ...forbids.map(why => `  ${why}`));
  if (refuted !== null) lines.push("", `not kept, since its values differ: ${refuted.words}`);
  if (whyNot) {
    lines.push("", "Laws that do not apply:");
    lines.push(...refusals.map(({ law, tensor, reason }) => `  ${law.name}, ${tensor}: ${reason}`));
    if (refusals.length === 0) lines.push("  none looks as if it might");
  }
  return `${lines.join("\n")}\n`;
}

function stepLines(step: CheckedStep, i: number, before: CheckedStep | undefined): string[] {
  const { law, words, measure, cascade, check } = step;
  const operations = [...operationsOf(step)].map(([op, count]) => `${op} ${count}`).join(", ");
  const [old, now] = [before, step].map(s => s?.cascade.source.lines.map(line => line.trim()) ?? []);
  const changed =
    before === undefined
      ? []
      : [
          ...(old ?? []).filter(line => !now?.includes(line)).map(line => `  - ${line}`),
          ...(now ?? []).filter(line => !old?.includes(line)).map(line => `  + ${line}`),
        ];
  const text = before === undefined ? cascade.einsums.map(einsum => `    ${einsum.text}`) : changed;
  const largest = check?.largest?.difference?.relative;
  return [
    law === null ? `${i}. ${words}` : `${i}. ${law.name}: ${words}`,
    ...text,
    `  ${passesText(measure.passes)}; live: ${measure.live.join(", ") || "none"}; ${operations}`,
    ...(check === null || largest === undefined
      ? []
      : [`  equal on ${check.cases.length} inputs, to within ${largest.toExponential(0)} of the largest value`]),
  ];
}
