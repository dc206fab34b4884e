import { chart } from "fusemax";
import type { ArithmeticSpec } from "#fusemax/numerics/arithmetic";
import { attend } from "./head.js";
import { sinkHead } from "./inputs.js";
import { each, load, m0, type Part, type Plan, shown } from "./part.js";

const above = [0, 4, 8, 10, 12, 14, 16, 18, 20] as const;

/** FuseMax's cascade on fp8 operands with plain sums, so that nothing but the numerators' range differs. */
const fp8 = (changes: Partial<ArithmeticSpec>): ArithmeticSpec => ({ ...load("fa3-fp8"), dot: "chain", ...changes });

const variants: readonly (readonly [name: string, arithmetic: () => ArithmeticSpec])[] = [
  ["ascending, offset 0", () => fp8({ offset: 0 })],
  ["ascending, offset 8", () => fp8({ offset: 8 })],
  ["descending, offset 0", () => fp8({ offset: 0, keys: "descending" })],
  ["descending, offset 8", () => fp8({ offset: 8, keys: "descending" })],
  [
    "bf16 numerators",
    () => ({ ...fp8({ offset: 0 }), operands: { ...load("fa3-fp8").operands, p: load("bf16").operands.p } }),
  ],
];

export interface SinkFinding {
  readonly above: number;
  readonly variant: string;
  readonly error: number;
}

export function sinkFindings({ rows, keys }: Plan): Promise<readonly SinkFinding[]> {
  const heads = above.map(height => ({ height, head: sinkHead({ queries: rows, keys }, height) }));
  const cases = heads.flatMap(one => variants.map(([variant, arithmetic]) => ({ ...one, variant, arithmetic })));
  return each(cases, async ({ height, head, variant, arithmetic }) => ({
    above: height,
    variant,
    error: (await attend(arithmetic(), head, { m0 })).onOperands,
  }));
}

export async function sinkPart(plan: Plan): Promise<Part> {
  const findings = await sinkFindings(plan);
  const errorOf = (variant: string, height: number): number =>
    findings.find(f => f.variant === variant && f.above === height)?.error ?? Number.NaN;
  return {
    numbers: { columns: ["above", "variant", "error"], rows: findings.map(f => [f.above, f.variant, f.error]) },
    shown: {
      columns: ["numerators", ...above.map(height => `2^${height}`)],
      rows: variants.map(([name]) => [name, ...above.map(height => shown(errorOf(name, height)))]),
    },
    figures: {
      error: chart({
        title: "fp8 numerators after an attention sink",
        note: "Key 0 has a high score and a zero value. Rms error against float64 on the fp8 operands, relative to the output.",
        series: variants.map(([name]) => name),
        y: { label: "relative rms error", scale: "log" },
        width: 760,
        plotHeight: 280,
        panels: [
          {
            kind: "points",
            title: `tiles of ${m0} keys, spread 1`,
            x: { label: "the sink's score above the mean of the others, log2", ticks: above, min: 0, max: 20 },
            lines: variants.map(([name], series) => ({
              series,
              joined: true,
              points: above.map(height => ({ x: height, y: errorOf(name, height) })),
            })),
          },
        ],
      }),
    },
  };
}
