import { chart, type Figure, type FormatName, formatNames, formats, lengthLabel } from "fusemax";
import type { Engines } from "../sentence-encoder/engines.js";
import { type Part, share, shown } from "./part.js";
import type { Length, Plan } from "./plan.js";
import type { Emulated, Measured, Subject } from "./subject.js";
import { encoderInputs, encoderSubject, type MaskName, randomSubject } from "./subjects.js";

/** M0 of the paper's array. */
const paperM0 = 256;

/** The error on one attention in one format. */
interface Finding {
  readonly input: string;
  readonly mask: MaskName;
  readonly keys: number;
  readonly format: FormatName;
  readonly m0: number;
  readonly rows: number;
  readonly emulated: Emulated;
  readonly baseline: Measured;
}

type Place = Pick<Finding, "input" | "mask" | "keys">;

async function everyFormat(subject: Subject, place: Place, engines: Engines): Promise<Finding[]> {
  const findings: Finding[] = [];
  const rows = subject.attention.rows.length;
  for (const format of formatNames) {
    const { engine } = await engines.of(format);
    const emulated = await subject.emulate(engine, formats[format], paperM0);
    findings.push({ ...place, format, m0: paperM0, rows, emulated, baseline: subject.baseline(formats[format]) });
  }
  return findings;
}

/** Error over length, spread, format, mask and input. */
export async function errorPart(plan: Plan, engines: Engines, note: (line: string) => void): Promise<Part> {
  const findings: Finding[] = [];
  const random = async (lengths: readonly Length[], spreads: readonly number[], mask: MaskName): Promise<void> => {
    for (const { keys, rows } of [...lengths].reverse()) {
      for (const spread of spreads) {
        note(`error: random, spread ${spread}, ${mask}, ${lengthLabel(keys)}`);
        const place = { input: `spread ${spread}`, mask, keys };
        findings.push(...(await everyFormat(randomSubject(keys, spread, mask, rows), place, engines)));
      }
    }
  };
  await random(plan.random, plan.spreads, "full");
  await random(plan.causal, plan.causalSpreads, "causal");
  for (const [layer, lengths] of plan.encoder) {
    for (const { keys, rows } of lengths) {
      note(`error: encoder layer ${layer}, ${lengthLabel(keys)}`);
      const inputs = await encoderInputs(layer, keys);
      for (const mask of ["full", "causal"] as const) {
        const place = { input: `encoder layer ${layer}`, mask, keys };
        findings.push(...(await everyFormat(encoderSubject(inputs, mask, rows), place, engines)));
      }
    }
  }
  const cases = [...new Set(findings.map(f => `${f.input}, ${f.mask}`))];
  return {
    name: "error",
    numbers: numbersOf(findings),
    printed: cases.map(name => ({
      heading: `${name}: rms error relative to the rms of the exact output; 3-pass baseline in brackets`,
      table: caseTable(findings.filter(f => `${f.input}, ${f.mask}` === name)),
    })),
    figures: {
      random: lengthFigure(
        "Error over sequence length, random inputs",
        findings.filter(f => f.mask === "full" && f.input.startsWith("spread")),
      ),
      others: lengthFigure(
        "Error over sequence length: causal, and a real model's inputs",
        findings.filter(f => f.mask === "causal" || f.input.startsWith("encoder")),
      ),
    },
  };
}

const numbersOf = (findings: readonly Finding[]) => ({
  columns: [
    ...["input", "mask", "keys", "format", "m0", "rows", "rms", "largest", "gain", "rms_with_input_rounding"],
    ...["overflow_rows", "overflow_tensor", "baseline_rms", "baseline_largest", "baseline_gain"],
  ],
  rows: findings.map(({ input, mask, keys, format, m0, rows, emulated, baseline }) => {
    const { onOperands, onInputs, overflowRows, overflow } = emulated;
    return [
      ...[input, mask, keys, format, m0, rows, onOperands.rms, onOperands.largest, onOperands.gain, onInputs.rms],
      ...[overflowRows, overflow ?? "", baseline.rms, baseline.largest, baseline.gain],
    ];
  }),
});

function caseTable(findings: readonly Finding[]) {
  const keys = [...new Set(findings.map(f => f.keys))].sort((a, b) => a - b);
  const cell = (found: Finding | undefined): string => {
    if (found === undefined) return "";
    const { onOperands, overflowRows, overflow } = found.emulated;
    const lost = overflowRows === 0 ? "" : `${overflow} overflows in ${overflowRows}/${found.rows} `;
    return `${lost}${shown(onOperands.rms)} (${shown(found.baseline.rms)})`;
  };
  return {
    columns: ["format", ...keys.map(lengthLabel), "gain at the longest", "with input rounding"],
    rows: formatNames.map(format => {
      const of = keys.map(k => findings.find(f => f.format === format && f.keys === k));
      const last = of.at(-1)?.emulated;
      return [
        ...[format, ...of.map(cell)],
        ...[share(last?.onOperands.gain ?? Number.NaN), shown(last?.onInputs.rms ?? Number.NaN)],
      ];
    }),
  };
}

/** The series of a figure of errors: each format, and the 3-pass baseline where its sums have 16 bits. */
const baselines = ["bf16-strict", "fp16-strict"] as const;
/** What this study calls usable. */
export const usable = 0.1;

function lengthFigure(title: string, findings: readonly Finding[]): string {
  const cases = [...new Set(findings.map(f => `${f.input}, ${f.mask}`))];
  const figure: Figure = {
    title,
    note: `M0 = ${paperM0}. Rms error against float64 attention on the operands, relative to the rms of the output. Dashed: ${usable}.`,
    series: [...formatNames, ...baselines.map(name => `${name}, 3-pass`)],
    y: { label: "relative rms error", scale: "log" },
    rule: usable,
    panelsPerRow: 4,
    width: 1240,
    panels: cases.map(name => {
      const here = findings.filter(f => `${f.input}, ${f.mask}` === name).sort((a, b) => a.keys - b.keys);
      const line = (series: number, format: FormatName, error: (found: Finding) => number) => ({
        series,
        joined: true,
        points: here
          .filter(f => f.format === format && error(f) > 0)
          .map(found => ({ x: found.keys, y: error(found) })),
      });
      return {
        kind: "points",
        title: name,
        x: lengthAxis([...new Set(here.map(f => f.keys))]),
        lines: [
          ...formatNames.map((format, i) => line(i, format, f => f.emulated.onOperands.rms)),
          ...baselines.map((format, i) => line(formatNames.length + i, format, f => f.baseline.rms)),
        ],
      };
    }),
  };
  return chart(figure);
}

export const lengthAxis = (ticks: readonly number[], label = "keys") =>
  ({ label, scale: "log", ticks, format: lengthLabel }) as const;
