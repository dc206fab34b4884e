import { chart } from "fusemax";
import { attend, type Head } from "./head.js";
import { encoderHead, normalHead, outlierHead } from "./inputs.js";
import { each, load, m0, type Part, type Plan, shown } from "./part.js";

const formats = ["int8-qk", "mxfp8", "mxfp6", "mxfp4", "nvfp4"] as const;
const ways = ["none", "keys"] as const;

export interface SmoothingFinding {
  readonly input: string;
  readonly format: (typeof formats)[number];
  readonly smooth: (typeof ways)[number];
  readonly error: number;
}

export async function smoothingHeads({ rows, keys }: Plan): Promise<readonly Head[]> {
  const size = { queries: rows, keys };
  return [
    ...[normalHead(size), outlierHead(size, 8), outlierHead(size, 32)],
    ...[await encoderHead(0, 0, size), await encoderHead(1, 0, size)],
  ];
}

export function smoothingFindings(heads: readonly Head[]): Promise<readonly SmoothingFinding[]> {
  const cases = heads.flatMap(head =>
    formats.flatMap(format => ways.map(smooth => ({ input: head.name, head, format, smooth }))),
  );
  return each(cases, async ({ input, head, format, smooth }) => ({
    ...{ input, format, smooth },
    error: (await attend({ ...load(format), smooth }, head, { m0 })).onInputs,
  }));
}

export async function smoothingPart(plan: Plan): Promise<Part> {
  const heads = await smoothingHeads(plan);
  const findings = await smoothingFindings(heads);
  const inputs = heads.map(({ name }) => name);
  const errorOf = (input: string, format: string, smooth: string): number =>
    findings.find(f => f.input === input && f.format === format && f.smooth === smooth)?.error ?? Number.NaN;
  return {
    numbers: {
      columns: ["input", "format", "smooth", "error"],
      rows: findings.map(f => [f.input, f.format, f.smooth, f.error]),
    },
    shown: {
      columns: ["format", "smooth", ...inputs],
      rows: formats.flatMap(format =>
        ways.map(smooth => [format, smooth, ...inputs.map(input => shown(errorOf(input, format, smooth)))]),
      ),
    },
    figures: {
      error: chart({
        title: "8, 6 and 4 bits, with keys as they are and smoothed",
        note: "Rms error against float64 on the inputs as given, relative to the output: the rounding of Q, K and V is in it.",
        series: ["keys as they are", "smoothed keys"],
        y: { label: "relative rms error" },
        ownY: true,
        panelsPerRow: 3,
        width: 1160,
        plotHeight: 200,
        panels: inputs.map(input => ({
          kind: "bars" as const,
          title: input,
          groups: formats,
          groupLabel: "arithmetic",
          values: ways.map(smooth => formats.map(format => errorOf(input, format, smooth))),
        })),
      }),
    },
  };
}
