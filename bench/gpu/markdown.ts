import type { Section } from "./step.js";

/** One part: its section, or why there is none. */
export interface StepOutcome {
  readonly name: string;
  readonly seconds?: number;
  readonly section?: Section;
  readonly problem?: string;
}

export interface Report {
  readonly schema: "fusemax.gpu-report/1";
  /** What the numbers depend on: another version, adapter or setting is another report. */
  readonly identity: {
    readonly version: string;
    readonly adapter: string;
    readonly rehearsal: boolean;
    readonly peakTflops: number | null;
  };
  readonly hardware: boolean;
  readonly machine: string;
  readonly date: string;
  readonly outcomes: readonly StepOutcome[];
}

const cell = (value: string | number): string => String(value).replaceAll("|", "\\|").replace(/\s+/g, " ");
const line = (cells: readonly (string | number)[]): string => `| ${cells.map(cell).join(" | ")} |`;

/** The report as a page. */
export function markdown({ identity, hardware, machine, date, outcomes }: Report): string {
  const { version, adapter, peakTflops, rehearsal } = identity;
  const warning =
    hardware && !rehearsal ? [] : ["", "**A rehearsal on a software adapter: no number here is a GPU's.**"];
  const parts = outcomes.flatMap(({ name, section, problem, seconds }) => [
    "",
    `## ${section?.title ?? name}`,
    "",
    section === undefined ? `Missing: ${problem}.` : `${section.says} (${(seconds ?? 0).toFixed(1)} s)`,
    ...(section === undefined || section.rows.length === 0
      ? []
      : ["", line(section.columns), line(section.columns.map(() => "---")), ...section.rows.map(line)]),
  ]);
  return [
    `# fusemax ${version} on ${adapter}`,
    ...warning,
    "",
    `${date}; ${machine}; stated fp32 peak: ${peakTflops === null ? "not given (`--peak`)" : `${peakTflops} TFLOP/s`}.`,
    ...parts,
    "",
  ].join("\n");
}
