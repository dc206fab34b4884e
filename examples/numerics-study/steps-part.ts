import { chart, formats } from "fusemax";
import { lengthLabel } from "#fusemax/report/units";
import { lengthAxis, usable } from "./error-part.js";
import { rowWithNarrowSteps, type StepName, stepNames } from "./one-narrow-step.js";
import { type Part, shown } from "./part.js";
import type { Plan } from "./plan.js";
import type { Measured } from "./subject.js";
import { randomSubject } from "./subjects.js";

const choices: readonly (readonly [label: string, narrow: readonly StepName[]])[] = [
  ["none", []],
  ...stepNames.map(step => [step, [step]] as const),
  ["all", stepNames],
];
const strict = ["bf16-strict", "fp16-strict"] as const;

interface Finding {
  readonly format: (typeof strict)[number];
  readonly spread: number;
  readonly keys: number;
  readonly narrow: string;
  readonly measured: Measured;
}

/** Which step of the array a 16-bit accumulator's error comes from: random inputs, full attention, M0 = 256. */
export async function stepsPart({ steps }: Plan, note: (line: string) => void): Promise<Part> {
  const { lengths, spreads } = steps;
  const findings: Finding[] = [];
  for (const spread of spreads) {
    for (const { keys, rows } of lengths) {
      note(`steps: spread ${spread}, ${lengthLabel(keys)}`);
      const subject = randomSubject(keys, spread, "full", rows);
      const which = [...subject.attention.rows.keys()];
      for (const format of strict) {
        const problem = subject.problem(formats[format], 256);
        const operands = subject.operands(formats[format]);
        for (const [narrow, names] of choices) {
          const outputs = which.map(row => rowWithNarrowSteps(problem, operands, row, new Set(names)));
          findings.push({
            format,
            spread,
            keys,
            narrow,
            measured: subject.judge(outputs, which, formats[format].operand),
          });
        }
      }
    }
  }
  const cases = spreads.flatMap(spread => strict.map(format => ({ format, spread })));
  const of = (format: string, spread: number, narrow: string): readonly Finding[] =>
    findings.filter(f => f.format === format && f.spread === spread && f.narrow === narrow);
  return {
    name: "steps",
    numbers: {
      columns: ["format", "spread", "keys", "narrow", "rms", "largest", "gain"],
      rows: findings.map(({ format, spread, keys, narrow, measured: { rms, largest, gain } }) => [
        ...[format, spread, keys, narrow, rms, largest, gain],
      ]),
    },
    printed: cases.map(({ format, spread }) => ({
      heading: `${format}, spread ${spread}: relative rms error where the 16-bit accumulator stands in these steps alone`,
      table: {
        columns: ["16 bits in", ...lengths.map(({ keys }) => lengthLabel(keys))],
        rows: choices.map(([label]) => [label, ...of(format, spread, label).map(f => shown(f.measured.rms))]),
      },
    })),
    figures: {
      rms: chart({
        title: "Which sums the error of a 16-bit accumulator comes from",
        note: `M0 = 256, random inputs: 16 bits in one step alone, fp32 in the others. Dashed: ${usable}.`,
        series: choices.map(([label]) => label),
        y: { label: "relative rms error", scale: "log" },
        rule: usable,
        width: 1240,
        panels: cases.map(({ format, spread }) => ({
          kind: "points",
          title: `${format}, spread ${spread}`,
          x: lengthAxis(lengths.map(({ keys }) => keys)),
          lines: choices.map(([label], series) => ({
            series,
            joined: true,
            points: of(format, spread, label).map(f => ({ x: f.keys, y: f.measured.rms })),
          })),
        })),
      }),
    },
  };
}
