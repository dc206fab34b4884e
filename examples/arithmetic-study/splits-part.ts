import { chart } from "fusemax";
import { type Company, company } from "./company.js";
import { attend, relative } from "./head.js";
import { normalHead, outlierHead } from "./inputs.js";
import { each, load, m0, type Part, type Plan, share, shown } from "./part.js";

const names = ["fp32", "bf16", "bf16-strict", "fa4-bf16", "fa4-fp8", "mxfp8"] as const;
const splits = [1, 2, 4, 8] as const;

export interface SplitFinding {
  readonly arithmetic: string;
  readonly splits: number;
  /** Of the outputs, those whose bits differ from those of one run. */
  readonly changed: number;
  /** Rms of the difference, over that of the output. */
  readonly difference: number;
  readonly error: number;
}

export async function splitFindings({ rows, keys }: Plan): Promise<readonly SplitFinding[]> {
  const head = normalHead({ queries: rows, keys });
  const cases = names.flatMap(name => splits.map(kvSplits => ({ name, kvSplits })));
  const whole = new Map<string, Float32Array>();
  return each(cases, async ({ name, kvSplits }) => {
    const { values, onOperands } = await attend(load(name), head, { m0, kvSplits });
    const first = whole.get(name) ?? values;
    whole.set(name, first);
    const changed = values.reduce((count, x, i) => count + (Object.is(x, first[i]) ? 0 : 1), 0);
    return {
      ...{ arithmetic: name, splits: kvSplits, changed: changed / values.length },
      ...{ difference: relative(values, first), error: onOperands },
    };
  });
}

export type CompanyFinding = Company & { readonly arithmetic: string };

/** What must not change a bit: P0, the batch, other queries (but with a scale for all queries) and the engine. */
export async function companyFindings({ rows, keys }: Plan): Promise<readonly CompanyFinding[]> {
  const head = normalHead({ queries: rows, keys });
  const other = outlierHead({ queries: rows, keys }, 8);
  const found: CompanyFinding[] = [];
  for (const arithmetic of names) found.push({ arithmetic, ...(await company(load(arithmetic), head, other, m0)) });
  return found;
}

export async function splitsPart(plan: Plan): Promise<Part> {
  const findings = await splitFindings(plan);
  const others = await companyFindings(plan);
  const of = (name: string) => findings.filter(f => f.arithmetic === name);
  return {
    numbers: {
      columns: ["arithmetic", "splits", "changed", "difference", "error", "p0", "batch", "queries", "engines"],
      rows: [
        ...findings.map(f => [f.arithmetic, f.splits, f.changed, f.difference, f.error, "", "", "", ""]),
        ...others.map(f => [f.arithmetic, 1, "", "", "", f.p0, f.batch, f.queries, f.engines]),
      ],
    },
    shown: {
      columns: [
        "arithmetic",
        ...splits.slice(1).map(n => `${n} runs`),
        "error, 1 run",
        "error, 8 runs",
        "P0, batch, queries, engine",
      ],
      rows: names.map(name => [
        name,
        ...of(name)
          .slice(1)
          .map(f => `${share(f.changed)}, ${shown(f.difference)}`),
        ...[shown(of(name)[0]?.error ?? Number.NaN), shown(of(name).at(-1)?.error ?? Number.NaN)],
        others
          .filter(f => f.arithmetic === name)
          .map(f => [f.p0, f.batch, f.queries, f.engines].join(", "))
          .join(),
      ]),
    },
    figures: {
      difference: chart({
        title: "Split keys",
        note: "Rms of what splitting changes, relative to the output; normal scores of spread 1. Error: against float64 on the operands.",
        series: names,
        y: { label: "relative to the output", scale: "log" },
        width: 980,
        panels: (["difference", "error"] as const).map(what => ({
          kind: "points" as const,
          title: what === "difference" ? "difference from one run" : "error",
          x: { label: "runs of key tiles", scale: "log" as const, ticks: splits },
          lines: names.map((name, series) => ({
            series,
            joined: true,
            points: of(name)
              .filter(f => f[what] > 0)
              .map(f => ({ x: f.splits, y: f[what] })),
          })),
        })),
      }),
    },
  };
}
