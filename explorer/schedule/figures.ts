import { dependencyCauses, dramCauses, type ScheduleResult, type StallCause } from "../../src/model/schedule/result.js";
import type { Figure } from "../../src/report/figure.js";
import type { Table } from "../../src/report/table.js";
import { percent, plain } from "../../src/report/units.js";
import { type ArrayName, arrayNames } from "../../src/spec/schedule/einsums.js";
import type { Simulated } from "./request.js";

/** What the cycles of an array go to, in the words of the chart. */
const uses: readonly (readonly [name: string, causes: readonly StallCause[]])[] = [
  ["fills or drains", ["fill", "drain"]],
  ["slot left empty", ["idle"]],
  ["waits for the other array", dependencyCauses],
  ["waits for DRAM", dramCauses],
  ["waits for a buffer port", ["port"]],
];

function cyclesOf({ arrays, latencyCycles }: ScheduleResult, array: ArrayName): readonly number[] {
  const { busyCycles, stalls } = arrays[array];
  const idle = uses.map(([, causes]) => causes.reduce((sum, cause) => sum + stalls[cause], 0));
  // Before its first and after its last operation an array counts no stall of its own.
  const outside = Math.max(0, latencyCycles - busyCycles - idle.reduce((a, b) => a + b, 0));
  return [busyCycles, (idle[0] ?? 0) + outside, ...idle.slice(1)];
}

const arrayLabels = ["2D array", "1D array"];

export function usesFigure({ result }: Simulated): Figure {
  const shares = arrayNames.map(array => cyclesOf(result, array).map(cycles => cycles / result.latencyCycles));
  return {
    title: "What the cycles go to",
    series: ["issues an operation", ...uses.map(([name]) => name)],
    y: { label: "share of cycles", max: 1, format: value => percent(value).replace(".0%", "%") },
    panels: [
      {
        kind: "bars",
        title: "",
        stacked: true,
        groups: arrayLabels,
        groupLabel: "array",
        values: [0, ...uses.map((_, i) => i + 1)].map(use => shares.map(of => of[use])),
      },
    ],
  };
}

/** The same in cycles. */
export const usesTable = ({ result }: Simulated): Table => ({
  columns: ["use", ...arrayNames],
  rows: ["issues an operation", ...uses.map(([name]) => name)].map((name, use) => [
    name,
    ...arrayNames.map(array => cyclesOf(result, array)[use] ?? 0),
  ]),
});

/** Simulated and published side by side. */
export function comparison({ result, published, registers: depth }: Simulated): Table {
  const { latencyCycles, arrays, epoch, registers } = result;
  const busy = (array: ArrayName): string => percent(arrays[array].busyCycles / latencyCycles);
  return {
    columns: ["of the whole run", "simulated", "published"],
    rows: [
      ["cycles", latencyCycles.toLocaleString("en"), published.cycles.toLocaleString("en")],
      ["2D array busy", busy("2d"), percent(published.util2d)],
      ["1D array busy", busy("1d"), percent(published.util1d)],
      ["cycles a tile", plain(latencyCycles / result.tiles), plain(published.cycles / result.tiles)],
      ["cycles a tile, inside a block", epoch === null ? "no repetition" : plain(epoch.cycles / epoch.tiles), ""],
      ["register entries, 2D and 1D", `${registers.pe}, ${registers.lane} used`, `${depth.pe}, ${depth.lane}`],
    ],
  };
}

/** Every slice of the waterfall. */
export const slicesTable = ({ timeline }: Simulated): Table => ({
  columns: ["array", "stream", "einsum", "epoch", "queryTile", "keyTile", "start", "end", "issued"],
  rows: timeline.slices.map(s => [s.array, s.stream, s.einsum, s.epoch, s.p, s.m1, s.start, s.end, s.issued]),
});
