import { chart, type Matrix } from "fusemax";
import { attend, type Head, relative } from "./head.js";
import { normalHead } from "./inputs.js";
import { load, m0, type Part, type Plan, share, shown } from "./part.js";

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

export function splitFindings({ rows, keys }: Plan): readonly SplitFinding[] {
  const head = normalHead({ queries: rows, keys });
  return names.flatMap(name => {
    const arithmetic = load(name);
    const whole = attend(arithmetic, head, { m0 }).values;
    return splits.map(kvSplits => {
      const { values, onOperands } = attend(arithmetic, head, { m0, kvSplits });
      const changed = values.reduce((count, x, i) => count + (Object.is(x, whole[i]) ? 0 : 1), 0);
      return {
        ...{ arithmetic: name, splits: kvSplits, changed: changed / values.length },
        ...{ difference: relative(values, whole), error: onOperands },
      };
    });
  });
}

/** Outputs whose bits depend on which queries are computed with a query: none may. */
export function changedByCompany({ rows, keys }: Plan): number {
  const head = normalHead({ queries: rows, keys });
  return names.reduce((sum, name) => {
    const arithmetic = load(name);
    // One scale for all queries depends on all of them.
    if (arithmetic.operands.q.scale !== "none" && arithmetic.operands.q.scale !== "mx") return sum;
    const whole = attend(arithmetic, head, { m0 }).values;
    const alone = Array.from({ length: rows }, (_, p) => attend(arithmetic, onlyQuery(head, p), { m0 }).values);
    return sum + alone.flatMap(row => [...row]).filter((x, i) => !Object.is(x, whole[i])).length;
  }, 0);
}

function onlyQuery(head: Head, p: number): Head {
  const { columns, values } = head.q;
  const q: Matrix = { rows: 1, columns, values: values.slice(p * columns, (p + 1) * columns) };
  return { ...head, q };
}

export function splitsPart(plan: Plan): Part {
  const findings = splitFindings(plan);
  const of = (name: string) => findings.filter(f => f.arithmetic === name);
  return {
    numbers: {
      columns: ["arithmetic", "splits", "changed", "difference", "error"],
      rows: findings.map(f => [f.arithmetic, f.splits, f.changed, f.difference, f.error]),
    },
    shown: {
      columns: ["arithmetic", ...splits.slice(1).map(n => `${n} runs`), "error, 1 run", "error, 8 runs"],
      rows: names.map(name => [
        name,
        ...of(name)
          .slice(1)
          .map(f => `${share(f.changed)}, ${shown(f.difference)}`),
        ...[shown(of(name)[0]?.error ?? Number.NaN), shown(of(name).at(-1)?.error ?? Number.NaN)],
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
