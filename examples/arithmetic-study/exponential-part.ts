import { chart } from "fusemax";
import type { ArithmeticSpec } from "#fusemax/numerics/arithmetic";
import { costIn } from "./cost.js";
import { attend } from "./head.js";
import { normalHead } from "./inputs.js";
import { each, load, m0, type Part, type Plan, shown } from "./part.js";
import { exp2Coefficients, largestError } from "./polynomial.js";

const degrees = [1, 2, 3, 4, 5] as const;
/** By what the numerators are rounded to. */
const bases = ["fp32", "bf16", "fa4-fp8"] as const;

export interface ExponentialFinding {
  readonly polynomial: string;
  readonly degree: number;
  readonly base: (typeof bases)[number];
  readonly error: number;
}

const polynomials = (): readonly (readonly [name: string, exp: ArithmeticSpec["exp"]])[] => [
  ...degrees.map(degree => [`degree ${degree}`, { coefficients: exp2Coefficients(degree), fused: true }] as const),
  ["E2 of FuseMax, degree 5", load("bf16").exp],
  ["FlashAttention-4's cubic", load("fa4-bf16").exp],
];

export function exponentialFindings({ rows, keys }: Plan): Promise<readonly ExponentialFinding[]> {
  const head = normalHead({ queries: rows, keys });
  const cases = polynomials().flatMap(([polynomial, exp]) => bases.map(base => ({ polynomial, exp, base })));
  return each(cases, async ({ polynomial, exp, base }) => ({
    ...{ polynomial, base, degree: exp.coefficients.length - 1 },
    error: (await attend({ ...load(base), exp }, head, { m0 })).onOperands,
  }));
}

export async function exponentialPart(plan: Plan): Promise<Part> {
  const findings = await exponentialFindings(plan);
  const errorOf = (polynomial: string, base: string): number =>
    findings.find(f => f.polynomial === polynomial && f.base === base)?.error ?? Number.NaN;
  const all = polynomials();
  return {
    numbers: {
      columns: ["polynomial", "degree", "numerators", "error"],
      rows: findings.map(f => [f.polynomial, f.degree, f.base, f.error]),
    },
    shown: {
      columns: ["polynomial", "largest error of exp", ...bases, "PE steps an exp", "FuseMax, cycles at 64K"],
      rows: all.map(([name, exp]) => [
        ...[name, shown(largestError(exp.coefficients)), ...bases.map(base => shown(errorOf(name, base)))],
        String(exp.coefficients.length),
        Math.round(costIn({ ...load("bf16"), exp }).cycles / 1e6).toLocaleString("en-US"),
      ]),
    },
    figures: {
      error: chart({
        title: "Cheaper exponentials",
        note: "Rms error against float64 on the operands, relative to the output; normal scores of spread 1. Lines: operands of P and V.",
        series: bases.map(base => (base === "fa4-fp8" ? "fp8 (fa4-fp8)" : base)),
        y: { label: "relative rms error", scale: "log" },
        width: 760,
        plotHeight: 280,
        panels: [
          {
            kind: "points",
            title: "polynomials of 2^f, steps rounded once",
            x: { label: "degree", min: 1, max: 5, format: x => (Number.isInteger(x) ? String(x) : "") },
            lines: bases.map((base, series) => ({
              series,
              joined: true,
              points: degrees.map(degree => ({ x: degree, y: errorOf(`degree ${degree}`, base) })),
            })),
          },
        ],
      }),
    },
  };
}
