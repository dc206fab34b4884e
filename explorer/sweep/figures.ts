import { ofArray } from "../../src/model/array-shares.js";
import { ParetoFronts } from "../../src/model/pareto-fronts.js";
import type { Figure } from "../../src/report/figure.js";
import type { HeatMap } from "../../src/report/heat-map.js";
import type { Table } from "../../src/report/table.js";
import { plain } from "../../src/report/units.js";
import type { Cost, CostResult } from "../cost/designs.js";
import type { State } from "../state.js";
import { type Grid, knobs } from "./grid.js";

interface Measure {
  readonly label: string;
  readonly of: (cost: Cost) => number;
}

/** Not a number where the design's technology does not say. */
const energyJ = ({ energyPj = Number.NaN }: Cost): number => energyPj / 1e12;

export const measures = {
  latency: { label: "latency (s)", of: cost => cost.latencySeconds },
  energy: { label: "energy (J)", of: cost => energyJ(cost) },
  product: { label: "energy × latency (J s)", of: cost => energyJ(cost) * cost.latencySeconds },
  busy: { label: "busy share of the largest array", of: cost => ofArray(cost.utilization, cost.machine.largestArray) },
  traffic: { label: "DRAM traffic (GB)", of: cost => cost.trafficBytes / 1e9 },
  area: { label: "area (mm²)", of: cost => (cost.areaUm2 ?? Number.NaN) / 1e6 },
} as const satisfies Readonly<Record<string, Measure>>;
export type MeasureName = keyof typeof measures;

const costOf = (result: CostResult | null | undefined): Cost | null =>
  result === null || result === undefined || typeof result === "string" ? null : result;

/** What the settings of a cell are: "Array rows 256, Sequence length 64K". */
const cellName = ({ x, y }: Grid, index: number): string => {
  const xs = knobs[x].values;
  const [a, b] = [xs[index % xs.length] ?? 0, knobs[y].values[Math.floor(index / xs.length)] ?? 0];
  return `${knobs[x].label} ${knobs[x].write(a)}, ${knobs[y].label} ${knobs[y].write(b)}`;
};

export function sweepMap(
  grid: Grid,
  results: readonly (CostResult | null)[],
  show: MeasureName,
  title: string,
): HeatMap {
  const { label, of } = measures[show];
  const values = grid.requests.map((_, i) => {
    const cost = costOf(results[i]);
    return cost === null ? Number.NaN : of(cost);
  });
  const [xs, ys] = [knobs[grid.x], knobs[grid.y]];
  return {
    title,
    values,
    columns: xs.values.length,
    rowLabel: ys.label,
    columnLabel: xs.label,
    rowTicks: new Map(ys.values.map((value, i) => [i, ys.write(value)])),
    columnTicks: new Map(xs.values.map((value, i) => [i, xs.write(value)])),
    valueLabel: `${label} (logarithmic)`,
    cellTitles: values.map((value, i) => {
      const result = results[i];
      const nothing = costOf(result) === null ? "not computed" : "not known";
      const words = typeof result === "string" ? result : Number.isNaN(value) ? nothing : plain(value);
      return `${cellName(grid, i)}: ${words}`;
    }),
    ...(grid.current < 0 ? {} : { marked: grid.current }),
    rowHeight: 26,
  };
}

/** How a measure of each cell compares with that of the pinned settings. */
export function ratioMap(
  grid: Grid,
  results: readonly (CostResult | null)[],
  pinned: readonly (CostResult | null)[],
  show: MeasureName,
  title: string,
): HeatMap {
  const { label, of } = measures[show];
  const values = grid.requests.map((_, i) => {
    const [now, before] = [costOf(results[i]), costOf(pinned[i])];
    return now === null || before === null ? Number.NaN : of(now) / of(before);
  });
  return {
    ...sweepMap(grid, results, show, title),
    values,
    valueLabel: `${label}, now over pinned (logarithmic)`,
    cellTitles: values.map(
      (value, i) =>
        `${cellName(grid, i)}: ${Number.isNaN(value) ? "not computed" : `${value.toPrecision(4)} times the pinned`}`,
    ),
  };
}

/** Latency over area of all cells, those that none beats in both joined. */
export function frontFigure(grid: Grid, results: readonly (CostResult | null)[], title: string): Figure {
  const cells = grid.requests.flatMap((_, i) => {
    const cost = costOf(results[i]);
    return cost?.areaUm2 === undefined
      ? []
      : [{ i, x: measures.area.of(cost), y: measures.latency.of(cost), title: cellName(grid, i) }];
  });
  const fronts = new ParetoFronts(2);
  for (const { x, y } of cells) fronts.add(0, [x, y]);
  const front = cells.filter(({ x, y }) => fronts.has(0, [x, y])).sort((a, b) => a.x - b.x);
  const current = cells.filter(({ i }) => i === grid.current);
  return {
    title,
    series: ["swept", "not beaten in both", "the settings as they are"],
    slots: [0, 4, 5],
    y: { label: "latency (s)", scale: "log", format: plain },
    panels: [
      {
        kind: "points",
        title: "",
        x: { label: "area (mm²)", scale: "log", format: plain },
        lines: [
          { series: 0, joined: false, points: cells, faint: true },
          { series: 1, joined: true, points: front },
          { series: 2, joined: false, points: current },
        ],
      },
    ],
  };
}

/** Every cell with its settings and all measures. */
export function sweepTable(grid: Grid, results: readonly (CostResult | null)[]): Table {
  const { x, y } = grid;
  return {
    columns: [x, y, ...Object.keys(measures), "problem"],
    rows: grid.requests.map(({ state }: { readonly state: State }, i) => {
      const cost = costOf(results[i]);
      const result = results[i];
      return [
        state[x],
        state[y],
        ...Object.values(measures).map(({ of }) => (cost === null ? "" : of(cost))),
        typeof result === "string" ? result : "",
      ];
    }),
  };
}
