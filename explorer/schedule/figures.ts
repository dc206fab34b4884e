import type { ScheduleResult, StallCause } from "../../src/model/schedule/result.js";
import type { Figure } from "../../src/report/figure.js";
import type { Table } from "../../src/report/table.js";
import { percent, plain } from "../../src/report/units.js";
import { arrayLabel } from "../../src/report/waterfall.js";
import type { Simulated } from "./request.js";

/** What the cycles of an array go to, in the words of the chart. */
const uses: readonly (readonly [name: string, causes: (of: ScheduleResult["causes"]) => readonly StallCause[]])[] = [
  ["fills or drains", () => ["fill", "drain"]],
  ["slot left empty", () => ["idle"]],
  ["waits for the other array", ({ arrays }) => arrays],
  ["waits for DRAM", ({ dram }) => dram],
  ["waits for a buffer port", () => ["port"]],
];

function cyclesOf({ arrays, latencyCycles, causes: of }: ScheduleResult, array: string): readonly number[] {
  const { busyCycles = 0, stalls = {} } = arrays[array] ?? {};
  const idle = uses.map(([, causes]) => causes(of).reduce((sum, cause) => sum + (stalls[cause] ?? 0), 0));
  // Before its first and after its last operation an array counts no stall of its own.
  const outside = Math.max(0, latencyCycles - busyCycles - idle.reduce((a, b) => a + b, 0));
  return [busyCycles, (idle[0] ?? 0) + outside, ...idle.slice(1)];
}

export function usesFigure({ result }: Simulated): Figure {
  const shares = Object.keys(result.arrays).map(array =>
    cyclesOf(result, array).map(cycles => cycles / result.latencyCycles),
  );
  return {
    title: "What the cycles go to",
    series: ["issues an operation", ...uses.map(([name]) => name)],
    y: { label: "share of cycles", max: 1, format: value => percent(value).replace(".0%", "%") },
    panels: [
      {
        kind: "bars",
        title: "",
        stacked: true,
        groups: Object.keys(result.arrays).map(arrayLabel),
        groupLabel: "array",
        values: [0, ...uses.map((_, i) => i + 1)].map(use => shares.map(of => of[use])),
      },
    ],
  };
}

/** What the cycles of each array go to, in a sentence. */
export function cyclesCaption({ result }: Simulated): string {
  const words = Object.keys(result.arrays).map(array => {
    const [busy = 0, ...others] = cyclesOf(result, array).map(cycles => cycles / result.latencyCycles);
    const most = others.indexOf(Math.max(...others));
    const name = uses[most]?.[0] ?? "";
    const lost = (others[most] ?? 0) < 0.005 ? "" : `; most of the others: ${name} (${percent(others[most] ?? 0)})`;
    return `The ${arrayLabel(array)} issues in ${percent(busy)} of the cycles${lost}.`;
  });
  return words.join(" ");
}

/** Simulated and published side by side. */
export function comparison({ result, published, registers: depth }: Simulated): Table {
  const { latencyCycles, arrays, epoch, registers } = result;
  const names = Object.keys(arrays);
  const busy = (array: string): string => percent((arrays[array]?.busyCycles ?? 0) / latencyCycles);
  return {
    columns: ["of the whole run", "simulated", "published"],
    rows: [
      ["cycles", latencyCycles.toLocaleString("en"), published.cycles.toLocaleString("en")],
      ...names.map(array => [`${arrayLabel(array)} busy`, busy(array), percent(published.utilization[array] ?? 0)]),
      ["cycles per tile", plain(latencyCycles / result.tiles), plain(published.cycles / result.tiles)],
      ["cycles per tile, inside a block", epoch === null ? "no repetition" : plain(epoch.cycles / epoch.tiles), ""],
      ["register entries, 2D and 1D", `${Object.values(registers).join(", ")} used`, depth.join(", ")],
    ],
  };
}

/** What was simulated now and for the pinned settings, with the difference. */
export function pinnedTable(now: ScheduleResult, pinned: ScheduleResult): Table {
  const row = (what: string, of: (result: ScheduleResult) => number, words: (value: number) => string) => {
    const [a, b] = [of(now), of(pinned)];
    return [what, words(a), words(b), b === 0 ? "-" : (a / b).toPrecision(4)];
  };
  const cycles = (value: number): string => value.toLocaleString("en");
  const busyOf = (array: string) => (result: ScheduleResult) =>
    (result.arrays[array]?.busyCycles ?? 0) / result.latencyCycles;
  return {
    columns: ["of the whole run", "now", "pinned", "times"],
    rows: [
      row("cycles", ({ latencyCycles }) => latencyCycles, cycles),
      ...Object.keys(now.arrays).map(array => row(`${arrayLabel(array)} busy`, busyOf(array), percent)),
      row("cycles per tile", ({ latencyCycles, tiles }) => latencyCycles / tiles, plain),
    ],
  };
}

/** Every slice of the waterfall. */
export const slicesTable = ({ timeline }: Simulated): Table => ({
  columns: ["array", "stream", "einsum", "epoch", "queryTile", "keyTile", "start", "end", "issued"],
  rows: timeline.slices.map(s => [s.array, s.stream, s.einsum, s.epoch, s.p, s.m1, s.start, s.end, s.issued]),
});
