import { ofArray } from "../../src/model/array-shares.js";
import type { BarPanel, Figure, PointPanel } from "../../src/report/figure.js";
import type { Table } from "../../src/report/table.js";
import { bytes, duration, energy, percent } from "../../src/report/units.js";
import type { CostPoint } from "./known-costs.js";
import { isSolved, type Solved } from "./shares.js";

/** A panel with its series in the places that they have among all of a figure. */
function among(panel: BarPanel | PointPanel, from: readonly string[], all: readonly string[], title: string) {
  const place = (series: number): number => all.indexOf(from[series] ?? "");
  if (panel.kind === "points") {
    return { ...panel, title, lines: panel.lines.map(line => ({ ...line, series: place(line.series) })) };
  }
  const values = all.map(
    name => panel.values[from.indexOf(name)] ?? panel.groups.map(() => (panel.stacked === true ? 0 : undefined)),
  );
  return { ...panel, title, values };
}

/** A figure with what it shows of the pinned settings in a second panel, over the same axis. */
export function beside(now: Figure, pinned: Figure | null): Figure {
  if (pinned === null) return now;
  const series = [...now.series, ...pinned.series.filter(name => !now.series.includes(name))];
  const slotIn = ({ series: names, slots }: Figure, name: string): number | undefined => slots?.[names.indexOf(name)];
  const slots = series.map((name, i) => slotIn(now, name) ?? slotIn(pinned, name) ?? i);
  return {
    ...now,
    series,
    slots,
    panels: [
      ...now.panels.map(panel => among(panel, now.series, series, "now")),
      ...pinned.panels.map(panel => among(panel, pinned.series, series, "pinned")),
    ],
  };
}

/** Designs with their points now and pinned, where both have a value. */
const pairsOf = (now: readonly CostPoint[], pinned: readonly CostPoint[]): readonly (readonly [Solved, Solved])[] =>
  now.flatMap(point => {
    const other = pinned.find(({ design }) => design === point.design);
    return other !== undefined && isSolved(point) && isSolved(other) ? [[point, other] as const] : [];
  });

/** "Now over pinned: Unfused 1.00, FLAT 0.97." Nothing where nothing is pinned. */
export function ratiosCaption(
  now: readonly CostPoint[],
  pinned: readonly CostPoint[] | null,
  what: string,
  of: (evaluation: Solved["evaluation"]) => number | undefined,
): string {
  if (pinned === null) return "";
  const ratios = pairsOf(now, pinned).flatMap(([point, other]) => {
    const [a, b] = [of(point.evaluation), of(other.evaluation)];
    return a === undefined || b === undefined ? [] : [`${point.label} ${(a / b).toPrecision(3)}`];
  });
  return ratios.length === 0 ? "" : ` ${what}, now over pinned: ${ratios.join(", ")}.`;
}

export const busyLargest = ({ utilization, machine }: Solved["evaluation"]): number =>
  ofArray(utilization, machine.largestArray);

export const usefulShare = ({ use, machine }: Solved["evaluation"]): number =>
  ofArray(use, machine.largestArray).useful;

/** What each design costs now and pinned, with the difference. */
export function differenceTable(now: readonly CostPoint[], pinned: readonly CostPoint[]): Table {
  const measures = [
    ["latency", e => e.latencySeconds, duration],
    ["energy", e => e.energyPj, energy],
    ["DRAM traffic", e => e.trafficBytes, bytes],
    ["busy", busyLargest, percent],
  ] as const satisfies readonly (readonly [
    string,
    (e: Solved["evaluation"]) => number | undefined,
    (value: number) => string,
  ])[];
  return {
    columns: ["design", ...measures.flatMap(([name]) => [`${name} now`, "pinned", "times"])],
    rows: pairsOf(now, pinned).map(([point, other]) => [
      point.label,
      ...measures.flatMap(([, of, words]) => {
        const [a, b] = [of(point.evaluation), of(other.evaluation)];
        if (a === undefined || b === undefined) return ["-", "-", "-"];
        return [words(a), words(b), b === 0 ? "-" : (a / b).toPrecision(4)];
      }),
    ]),
  };
}
