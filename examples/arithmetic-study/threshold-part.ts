import { chart } from "fusemax";
import type { Figure } from "#fusemax/report/figure";
import type { Table } from "#fusemax/report/table";
import { attend, type Head } from "./head.js";
import { normalHead, risingHead } from "./inputs.js";
import { each, load, m0, type Part, type Plan, share, shown } from "./part.js";

/** fa4-fp8 at these thresholds of lazy rescaling and offsets of the exponent, both in log2. */
const thresholds = [0, 0.75, 2, 4] as const;
const offsets = [4, 8] as const;
const spreads = [0.5, 1, 2, 4, 8, 16] as const;
const rises = [0.5, 1, 2, 3, 4, 6] as const;

export interface ThresholdFinding {
  readonly input: "normal" | "rising";
  /** The spread of normal scores in nats, or by how much they rise a tile in log2. */
  readonly x: number;
  readonly threshold: number;
  readonly offset: number;
  readonly error: number;
  readonly saturated: number;
}

export function thresholdFindings({ rows, keys }: Plan): Promise<readonly ThresholdFinding[]> {
  const size = { queries: rows, keys };
  const heads: readonly (readonly ["normal" | "rising", number, Head])[] = [
    ...spreads.map(spread => ["normal", spread, normalHead(size, spread)] as const),
    ...rises.map(rise => ["rising", rise, risingHead(size, rise, m0)] as const),
  ];
  const cases = heads.flatMap(([input, x, head]) =>
    offsets.flatMap(offset => thresholds.map(threshold => ({ input, x, head, offset, threshold }))),
  );
  return each(cases, async ({ input, x, head, offset, threshold }) => {
    const { onOperands, saturated } = await attend({ ...load("fa4-fp8"), threshold, offset }, head, { m0 });
    return { input, x, threshold, offset, error: onOperands, saturated };
  });
}

export async function thresholdPart(plan: Plan): Promise<Part> {
  const findings = await thresholdFindings(plan);
  return {
    numbers: {
      columns: ["input", "x", "threshold", "offset", "error", "saturated"],
      rows: findings.map(f => [f.input, f.x, f.threshold, f.offset, f.error, f.saturated]),
    },
    shown: tableOf(findings),
    figures: { error: figure(findings, "error"), saturated: figure(findings, "saturated") },
  };
}

const of = (findings: readonly ThresholdFinding[], input: string, offset: number, threshold: number) =>
  findings.filter(f => f.input === input && f.offset === offset && f.threshold === threshold);

function tableOf(findings: readonly ThresholdFinding[]): Table {
  const columns = (["normal", "rising"] as const).flatMap(input =>
    (input === "normal" ? [1, 4, 16] : [1, 2, 4]).map(x => ({ input, x })),
  );
  return {
    columns: ["offset", "threshold", ...columns.map(({ input, x }) => `${input} ${x}`)],
    rows: offsets.flatMap(offset =>
      thresholds.map(threshold => [
        ...[String(offset), String(threshold)],
        ...columns.map(({ input, x }) => {
          const found = of(findings, input, offset, threshold).find(f => f.x === x);
          return found === undefined ? "" : `${shown(found.error)} (${share(found.saturated)})`;
        }),
      ]),
    ),
  };
}

function figure(findings: readonly ThresholdFinding[], what: "error" | "saturated"): string {
  const isError = what === "error";
  const figure: Figure = {
    title: isError ? "fa4-fp8: error over the spread of the scores" : "fa4-fp8: numerators that saturate",
    note: isError
      ? "Rms error against float64 on the fp8 operands, relative to the output. Lines: threshold of lazy rescaling, in log2."
      : "Share of the numerators past 448, the largest fp8-e4m3; none where there is no mark, and none at offset 4.",
    series: thresholds.map(threshold => `threshold ${threshold}`),
    y: isError
      ? { label: "relative rms error", scale: "log" }
      : {
          label: "share of numerators",
          scale: "log",
          min: 1e-5,
          max: 1,
          format: x => `${Number((100 * x).toPrecision(3))}%`,
        },
    panelsPerRow: 4,
    width: isError ? 1240 : 760,
    panels: (["normal", "rising"] as const).flatMap(input =>
      offsets
        .filter(offset => isError || offset === 8)
        .map(offset => ({
          kind: "points" as const,
          title: `${input === "normal" ? "normal scores" : "scores that rise"}, offset ${offset}`,
          x: {
            label: input === "normal" ? "spread, nats" : "rise a tile, log2",
            scale: "log" as const,
            ticks: input === "normal" ? spreads : rises,
          },
          lines: thresholds.map((threshold, series) => ({
            series,
            joined: true,
            points: of(findings, input, offset, threshold)
              .filter(f => f[what] > 0)
              .map(f => ({ x: f.x, y: f[what] })),
          })),
        })),
    ),
  };
  return chart(figure);
}
