import { chart } from "fusemax";
import type { ArithmeticSpec } from "#fusemax/numerics/arithmetic";
import { costIn } from "./cost.js";
import type { Head } from "./head.js";
import { encoderHead, normalHead, risingHead, sinkHead } from "./inputs.js";
import { load, type Part, type Plan, share } from "./part.js";
import { type Rescales, rescalesOf } from "./rescales.js";

const thresholds = [0, 0.75, 2, 4, 8] as const;
/** FuseMax's tile and block. */
const m0 = 256;
const columns = 256;

export type RescaleFinding = Rescales & { readonly input: string };

export async function rescaleHeads({ longest }: Plan): Promise<readonly Head[]> {
  const size = { queries: columns, keys: longest };
  return [
    ...[normalHead(size, 1), normalHead(size, 4), risingHead(size, 1, m0), sinkHead(size, 12)],
    await encoderHead(1, 0, { queries: columns, keys: Math.min(longest, 2048) }),
  ];
}

export const rescaleFindings = (heads: readonly Head[]): readonly RescaleFinding[] =>
  heads.flatMap(head => rescalesOf(head, m0, thresholds).map(found => ({ input: head.name, ...found })));

/** SPNV's share of the tiles, and what BERT's attention of 64K tokens then takes on FuseMax. */
function savings(arithmetic: ArithmeticSpec) {
  return [1, 0.5, 0.1, 0].map(left => ({ left, cost: costIn(arithmetic, left) }));
}

export async function rescalesPart(plan: Plan): Promise<Part> {
  const findings = rescaleFindings(await rescaleHeads(plan));
  const inputs = [...new Set(findings.map(f => f.input))];
  const of = (input: string, threshold: number) => findings.find(f => f.input === input && f.threshold === threshold);
  const saved = savings(load("bf16"));
  return {
    numbers: {
      columns: ["input", "threshold", "queries", "blocks", "spnv_left", "cycles", "util1d", "energyPj"],
      rows: [
        ...findings.map(f => [f.input, f.threshold, f.queries, f.blocks, "", "", "", ""]),
        ...saved.map(({ left, cost }) => [
          "cost",
          "",
          "",
          "",
          left,
          cost.cycles,
          cost.util1d ?? "",
          cost.energyPj ?? "",
        ]),
      ],
    },
    shown: {
      columns: ["input", ...thresholds.map(threshold => `threshold ${threshold}`)],
      rows: [
        ...inputs.map(input => [
          input,
          ...thresholds.map(threshold => {
            const found = of(input, threshold);
            return found === undefined ? "" : `${share(found.queries)} (${share(found.blocks)})`;
          }),
        ]),
        ...saved.map(({ left, cost }) => [
          `64K, SPNV in ${100 * left}% of the tiles`,
          `${Math.round(cost.cycles / 1e6).toLocaleString("en-US")} M cycles`,
          `1D ${share(cost.util1d ?? 0)}`,
          ...[`${((cost.energyPj ?? 0) / 1e15).toFixed(3)} kJ`, "", ""],
        ]),
      ],
    },
    figures: {
      share: chart({
        title: "How often the maximum follows",
        note: `Share of the tiles of ${m0} keys after the first. Left: of each query; right: of a block of ${columns}, in which one rescaling query is enough.`,
        series: inputs,
        y: { label: "share of tiles", format: x => `${Number((100 * x).toPrecision(3))}%`, max: 1 },
        width: 1100,
        panels: (["queries", "blocks"] as const).map(what => ({
          kind: "points" as const,
          title: what === "queries" ? "a query" : `a block of ${columns} queries`,
          x: { label: "threshold, log2", ticks: [0, 2, 4, 6, 8], min: 0, max: 8 },
          lines: inputs.map((input, series) => ({
            series,
            joined: true,
            points: thresholds.map(threshold => ({ x: threshold, y: of(input, threshold)?.[what] ?? 0 })),
          })),
        })),
      }),
    },
  };
}
