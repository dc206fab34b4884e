import { chart, formatNames, formats } from "fusemax";
import type { FormatName } from "#fusemax/numerics/format";
import type { Figure } from "#fusemax/report/figure";
import { lengthLabel } from "#fusemax/report/units";
import type { Engines } from "../sentence-encoder/engines.js";
import { type Part, share, shown } from "./part.js";
import type { Plan } from "./plan.js";
import { type ScoreStatistics, scoreStatistics } from "./score-statistics.js";
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
  const statistics: StatisticsOf[] = [];
  const study = async (subject: Subject, place: Place): Promise<void> => {
    note(`error: ${place.input}, ${place.mask}, ${lengthLabel(place.keys)}`);
    findings.push(...(await everyFormat(subject, place, engines)));
    statistics.push({ ...place, ...scoreStatistics(subject.attention) });
  };
  for (const { mask, spreads, lengths } of plan.random) {
    // The longest first: the keys and values of the others are its beginning.
    for (const { keys, rows } of [...lengths].reverse()) {
      for (const spread of spreads) {
        await study(randomSubject(keys, spread, mask, rows), { input: `spread ${spread}`, mask, keys });
      }
    }
  }
  for (const [layer, lengths] of plan.encoder) {
    for (const { keys, rows } of lengths) {
      const inputs = await encoderInputs(layer, keys);
      for (const mask of ["full", "causal"] as const) {
        await study(encoderSubject(inputs, mask, rows), { input: `encoder layer ${layer}`, mask, keys });
      }
    }
  }
  const cases = [...new Set(findings.map(f => `${f.input}, ${f.mask}`))];
  return {
    name: "error",
    numbers: numbersOf(findings),
    printed: [
      { heading: "Scores before any rounding", table: statisticsTable(statistics) },
      ...cases.map(name => ({
        heading: `${name}: rms error relative to the rms of the exact output; 3-pass baseline in brackets`,
        table: caseTable(findings.filter(f => `${f.input}, ${f.mask}` === name)),
      })),
      {
        heading: "The longest sequence up to which every one measured has at most this rms error and no overflow",
        table: reachTable(findings, cases),
      },
    ],
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

type StatisticsOf = Place & ScoreStatistics;

const statisticsTable = (statistics: readonly StatisticsOf[]) => ({
  columns: ["input", "mask", "keys", "spread", "largest raw score", "effective keys"],
  rows: [...statistics]
    .sort((a, b) => a.input.localeCompare(b.input) || b.mask.localeCompare(a.mask) || a.keys - b.keys)
    .map(({ input, mask, keys, spread, largestRaw, effectiveKeys }) => [
      ...[input, mask, lengthLabel(keys), share(spread), largestRaw.toFixed(0), effectiveKeys.toFixed(1)],
    ]),
});

/** How far the 16-bit sums reach, on the array and in 3 passes. */
function reachTable(findings: readonly Finding[], cases: readonly string[]) {
  const columns = baselines.flatMap(format =>
    [false, true].flatMap(threePass => [0.01, usable].map(limit => ({ format, threePass, limit }))),
  );
  return {
    columns: [
      "input",
      ...columns.map(({ format, threePass, limit }) => `${format}${threePass ? " 3-pass" : ""} ${100 * limit}%`),
    ],
    rows: cases.map(name => [
      name,
      ...columns.map(({ format, threePass, limit }) => {
        const here = findings
          .filter(f => `${f.input}, ${f.mask}` === name && f.format === format)
          .sort((a, b) => a.keys - b.keys);
        const holds = ({ emulated, baseline }: Finding): boolean =>
          threePass ? baseline.rms <= limit : emulated.overflowRows === 0 && emulated.onOperands.rms <= limit;
        const firstBad = here.findIndex(f => !holds(f));
        const last = firstBad < 0 ? here.at(-1) : here[firstBad - 1];
        return last === undefined ? "none" : `${firstBad < 0 ? ">= " : ""}${lengthLabel(last.keys)}`;
      }),
    ]),
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
