import { chart } from "fusemax";
import type { ArithmeticSpec } from "#fusemax/numerics/arithmetic";
import { lengthLabel } from "#fusemax/report/units";
import { attend, type Head } from "./head.js";
import { normalHead } from "./inputs.js";
import { each, load, m0, type Part, type Plan, shown } from "./part.js";

const hopper = (sums: ArithmeticSpec["sums"]): ArithmeticSpec => ({ ...load("hopper-fp8"), sums });
const fp8 = load("hopper-fp8").operands;

const variants: readonly (readonly [name: string, arithmetic: ArithmeticSpec])[] = [
  ["Hopper, 13 bits, running sums", hopper("running")],
  ["Hopper, 13 bits, a sum per tile", hopper("tile")],
  ["Blackwell, 25 bits, running sums", { ...load("blackwell-fp8"), operands: fp8, sums: "running" }],
  ["chain of fp32, running sums", { ...load("hopper-fp8"), dot: "chain", sums: "running" }],
];
const inputs = ["values about zero", "values about one"] as const;

export interface SumFinding {
  readonly input: (typeof inputs)[number];
  readonly keys: number;
  readonly sums: string;
  readonly error: number;
}

/** Few queries: sums of many keys are what is looked at. */
const queries = 4;

export function sumFindings({ longest }: Plan): Promise<readonly SumFinding[]> {
  const lengths = Array.from({ length: Math.log2(longest) / 2 - 3 }, (_, i) => 256 * 4 ** i);
  const cases = inputs.flatMap(input =>
    lengths.flatMap(keys => {
      const normal = normalHead({ queries, keys });
      const values = normal.v.values.map(x => 1 + x);
      const head: Head = input === "values about zero" ? normal : { ...normal, v: { ...normal.v, values } };
      return variants.map(([sums, arithmetic]) => ({ input, keys, sums, head, arithmetic }));
    }),
  );
  return each(cases, async ({ input, keys, sums, head, arithmetic }) => ({
    ...{ input, keys, sums },
    error: (await attend(arithmetic, head, { m0 })).onOperands,
  }));
}

export async function sumsPart(plan: Plan): Promise<Part> {
  const findings = await sumFindings(plan);
  const lengths = [...new Set(findings.map(f => f.keys))];
  const of = (input: string, sums: string) => findings.filter(f => f.input === input && f.sums === sums);
  return {
    numbers: {
      columns: ["input", "keys", "sums", "error"],
      rows: findings.map(f => [f.input, f.keys, f.sums, f.error]),
    },
    shown: {
      columns: ["sums", "input", ...lengths.map(lengthLabel)],
      rows: variants.flatMap(([sums]) =>
        inputs.map(input => [sums, input, ...of(input, sums).map(f => shown(f.error))]),
      ),
    },
    figures: {
      error: chart({
        title: "fp8 products summed in 13 bits, over the length",
        note: `Rms error against float64 on the fp8 operands, relative to the output; tiles of ${m0} keys, spread 1.`,
        series: variants.map(([name]) => name),
        y: { label: "relative rms error", scale: "log" },
        width: 980,
        panels: inputs.map(input => ({
          kind: "points" as const,
          title: input,
          x: { label: "keys", scale: "log" as const, ticks: lengths, format: lengthLabel },
          lines: variants.map(([name], series) => ({
            series,
            joined: true,
            points: of(input, name).map(f => ({ x: f.keys, y: f.error })),
          })),
        })),
      }),
    },
  };
}
