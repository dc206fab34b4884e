import { chart } from "fusemax";
import { ofArray } from "#fusemax/model/array-shares";
import type { Figure } from "#fusemax/report/figure";
import { lengths, type Row, type ShapeRow } from "./points.js";

const times = (value: number): string => `${value}x`;
const percents = (value: number): string => `${Math.round(100 * value)}%`;
const lengthName = (seq: number): string => `${seq / 1024}K tokens`;
const at = (rows: readonly Row[], phase: string, seq: number): readonly Row[] =>
  rows.filter(row => row.phase === phase && row.seq === seq);

/** How much faster FuseMax is than the other two, model by model. */
export function speedups(rows: readonly Row[], phase: string): string {
  return chart({
    title: `Attention in ${phase}: speedup of FuseMax`,
    note: "One layer's attention, causal, batch 1; corrected accounting. Dashed: no difference.",
    series: ["over Unfused", "over FLAT"],
    y: { label: "speedup", format: times },
    rule: 1,
    width: 1280,
    plotHeight: 170,
    panelsPerRow: 1,
    panels: lengths.map(seq => {
      const own = at(rows, phase, seq);
      const over = (base: "unfused" | "flat"): number[] =>
        own.map(({ on }) => on[base].latencySeconds / on.fusemax.latencySeconds);
      return { ...bars(own), title: lengthName(seq), values: [over("unfused"), over("flat")] };
    }),
  });
}

/** FuseMax's energy relative to the other two. */
export function energies(rows: readonly Row[], seq: number): string {
  return chart({
    title: "Attention: energy of FuseMax relative to the others",
    note: `One layer's attention, causal, ${lengthName(seq)}, batch 1; corrected accounting. Dashed: the same energy.`,
    series: ["of Unfused's", "of FLAT's"],
    y: { label: "energy", format: percents },
    rule: 1,
    width: 1280,
    plotHeight: 170,
    panelsPerRow: 1,
    panels: (["prefill", "decode"] as const).map(phase => {
      const own = at(rows, phase, seq);
      const of = (base: "unfused" | "flat"): number[] => own.map(({ on }) => on.fusemax.energyPj / on[base].energyPj);
      return { ...bars(own), title: phase, values: [of("unfused"), of("flat")] };
    }),
  });
}

/** What FuseMax's 2D array does with its time. */
export function uses(rows: readonly Row[]): string {
  const panels = [
    ["prefill", lengths[0]],
    ["decode", lengths[1]],
  ] as const;
  return chart({
    title: "What FuseMax's 2D array spends its PE-cycles on",
    note: "Batch 1; corrected accounting. Masked: scores in touched tiles that the mask hides; empty: no query for the column.",
    series: ["useful", "masked", "empty columns", "waiting for DRAM", "other waits, fill and drain"],
    y: { label: "share", format: percents, max: 1 },
    width: 1280,
    plotHeight: 170,
    panelsPerRow: 1,
    panels: panels.map(([phase, seq]) => {
      const own = at(rows, phase, seq);
      const use = own.map(({ on }) => ofArray(on.fusemax.use, "2d"));
      const empty = use.map(u => Object.values(u.unfilled).reduce((sum, share) => sum + share, 0));
      const values = [
        use.map(u => u.useful),
        use.map(u => u.masked),
        empty,
        use.map(u => u.dram),
        use.map(u => u.binding),
      ];
      return { ...bars(own), stacked: true, title: `${phase}, ${lengthName(seq)}`, values };
    }),
  });
}

/** Arrays of other shapes for decode: time over columns, a line for each number of rows. */
export function shapes(found: readonly ShapeRow[], title: string): string {
  const heights = [...new Set(found.map(({ rows }) => rows))];
  const figure: Figure = {
    title,
    note: "One layer's attention, corrected accounting, 400 GB/s. From 256 rows and 8 columns up DRAM sets the time: lines coincide.",
    series: heights.map(rows => `${rows} rows`),
    y: { label: "time, ms", min: 0 },
    width: 900,
    plotHeight: 260,
    panels: [
      {
        kind: "points",
        title: "",
        x: { label: "columns", scale: "log", min: 4, max: 256 },
        lines: heights.map((height, series) => ({
          series,
          joined: true,
          points: found
            .filter(({ rows }) => rows === height)
            .map(({ columns, result }) => ({ x: columns, y: result.latencySeconds * 1e3 })),
        })),
      },
    ],
  };
  return chart(figure);
}

const bars = (own: readonly Row[]) => ({
  kind: "bars" as const,
  groups: own.map(({ label }) => label),
  groupLabel: "",
});
