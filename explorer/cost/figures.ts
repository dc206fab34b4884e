import type { ArrayUse } from "../../src/model/timing.js";
import type { Figure, PointSeries } from "../../src/report/figure.js";
import type { Table } from "../../src/report/table.js";
import { area, bytes, energy, engineering, lengthLabel, percent, plain, seconds } from "../../src/report/units.js";
import type { State } from "../state.js";
import type { Cost } from "./designs.js";
import type { CostPoint } from "./known-costs.js";

/** The lengths of the charts over length: those of the paper (section VI) and the powers of two between them. */
export const sweptLengths: readonly number[] = Array.from({ length: 11 }, (_, i) => 2 ** (10 + i));

/** The two designs that others are compared with (FuseMax, section VI). */
export const baselines = ["unfused", "flat"] as const;

/** A design that can be evaluated, with its evaluation. */
interface Solved extends CostPoint {
  readonly evaluation: Cost;
}

export const solved = (points: readonly CostPoint[]): readonly Solved[] =>
  points.filter((point): point is Solved => point.evaluation !== null);

const componentNames: Readonly<Record<string, string>> = {
  dram: "DRAM",
  buffer: "global buffer",
  registers2d: "2D registers",
  registers1d: "1D registers",
  "compute.2d": "2D arithmetic",
  "compute.1d": "1D arithmetic",
};

/** Components in one order, so that each keeps its colour whatever is compared. */
function componentsOf(points: readonly Solved[]): readonly string[] {
  const found = new Set(points.flatMap(({ evaluation }) => Object.keys(evaluation.componentEnergyPj)));
  return [...new Set([...Object.keys(componentNames).filter(name => found.has(name)), ...found])];
}

export const boundNames: Readonly<Record<string, string>> = {
  dram: "DRAM bandwidth",
  "2d": "2D array",
  "1d": "1D array",
  binding: "arrays' waits (binding)",
};

/** 1e5 -> "100k". */
const shortTick = (value: number): string =>
  engineering(value, "")
    .replace(/\.?0+ /, " ")
    .replace(" ", "");

const percentTick = (value: number): string => percent(value).replace(".0%", "%");

/** How many times faster than, or how much of the energy of, each baseline. */
export function relativeFigure(
  points: readonly CostPoint[],
  bases: readonly CostPoint[],
  what: "speedup" | "energy",
): Figure {
  const against = (base: CostPoint) => (point: CostPoint) => {
    if (point.evaluation === null || base.evaluation === null) return undefined;
    return what === "speedup"
      ? base.evaluation.latencySeconds / point.evaluation.latencySeconds
      : point.evaluation.energyPj / base.evaluation.energyPj;
  };
  return {
    title: what === "speedup" ? "Speedup" : "Energy",
    series: points.map(point => point.label),
    y: { label: what === "speedup" ? "times faster" : "share of the baseline's energy", format: plain },
    rule: 1,
    panels: [
      {
        kind: "bars",
        title: "",
        groups: bases.map(base => `${what === "speedup" ? "over" : "relative to"} ${base.label}`),
        groupLabel: "baseline",
        values: points.map(point => bases.map(base => against(base)(point))),
      },
    ],
  };
}

export function utilizationFigure(points: readonly CostPoint[]): Figure {
  return {
    title: "Utilization of the arrays",
    series: points.map(point => point.label),
    y: { label: "busy share of PE-cycles", max: 1, format: percentTick },
    panels: [
      {
        kind: "bars",
        title: "",
        groups: ["2D array", "1D array"],
        groupLabel: "array",
        values: points.map(({ evaluation }) => ["2d", "1d"].map(array => evaluation?.utilization[array])),
      },
    ],
  };
}

/** Of the 2D array's PE-cycles: those that compute, and why the others don't. */
const uses: readonly (readonly [name: string, field: string, of: (use: ArrayUse) => number])[] = [
  ["useful operations", "2d.useful", use => use.useful],
  ["masked scores", "2d.masked", use => use.masked],
  ["empty columns", "2d.unfilled.column", use => use.unfilled["column"] ?? 0],
  ["empty rows", "2d.unfilled.row", use => use.unfilled["row"] ?? 0],
  ["waits for DRAM", "2d.dram", use => use.dram],
  ["other waits", "2d.binding", use => use.binding],
];

const useOf = ({ evaluation }: Solved, of: (use: ArrayUse) => number): number => {
  const use = evaluation.use["2d"];
  return use === undefined ? 0 : of(use);
};

export function useFigure(points: readonly CostPoint[]): Figure {
  const found = solved(points);
  return {
    title: "What the 2D array's cycles go to",
    series: uses.map(([name]) => name),
    y: { label: "share of PE-cycles", max: 1, format: percentTick },
    panels: [
      {
        kind: "bars",
        title: "",
        stacked: true,
        groups: found.map(({ label }) => label),
        groupLabel: "design",
        values: uses.map(([, , of]) => found.map(point => useOf(point, of))),
      },
    ],
  };
}

/** Energy of each design, stacked by where it goes. */
export function energyFigure(points: readonly CostPoint[]): Figure {
  const found = solved(points);
  const components = componentsOf(found);
  return {
    title: "Energy by component",
    series: components.map(name => componentNames[name] ?? name),
    y: { label: "energy (J)", format: plain },
    panels: [
      {
        kind: "bars",
        title: "",
        stacked: true,
        groups: found.map(({ label }) => label),
        groupLabel: "design",
        values: components.map(name => found.map(({ evaluation }) => (evaluation.componentEnergyPj[name] ?? 0) / 1e12)),
      },
    ],
  };
}

export function trafficFigure(points: readonly CostPoint[]): Figure {
  const found = solved(points);
  const least = Math.min(...found.map(({ evaluation }) => evaluation.trafficBytes));
  const [unit, size] = (
    [
      ["TB", 1e12],
      ["GB", 1e9],
      ["MB", 1e6],
    ] as const
  ).find(([, u]) => least >= u) ?? ["kB", 1e3];
  return {
    title: "DRAM traffic",
    series: [`DRAM traffic (${unit})`],
    // Designs differ by orders of magnitude; the axis begins low enough that the least is still a bar.
    y: {
      label: `traffic (${unit})`,
      scale: "log",
      min: 10 ** Math.floor(Math.log10(least / size) - 0.5),
      format: plain,
    },
    panels: [
      {
        kind: "bars",
        title: "",
        groups: found.map(({ label }) => label),
        groupLabel: "design",
        values: [found.map(({ evaluation }) => evaluation.trafficBytes / size)],
      },
    ],
  };
}

/** PE operations a second that the 2D array does, over those that each byte of DRAM traffic pays for. */
export function rooflinePoint({ evaluation }: Solved, { rows, columns, frequency }: State) {
  const peak = rows * columns * frequency * 1e6;
  const rate = (evaluation.utilization["2d"] ?? 0) * peak;
  return { intensity: (rate * evaluation.latencySeconds) / evaluation.trafficBytes, rate };
}

export function rooflineFigure(points: readonly CostPoint[], state: State, bytesPerSecond: number): Figure {
  const peak = state.rows * state.columns * state.frequency * 1e6;
  const found = solved(points);
  const at = found.map(point => rooflinePoint(point, state));
  const knee = peak / bytesPerSecond;
  const left = Math.min(knee, ...at.map(({ intensity }) => intensity)) / 4;
  const right = Math.max(knee, ...at.map(({ intensity }) => intensity)) * 4;
  const roof: PointSeries = {
    series: found.length,
    joined: true,
    points: [left, knee, right].map(x => ({ x, y: Math.min(peak, x * bytesPerSecond) })),
  };
  return {
    title: "Roofline of the 2D array",
    series: [...found.map(({ label }) => label), "roof: DRAM bandwidth, then PEs"],
    y: { label: "operations/s", scale: "log", format: shortTick },
    panels: [
      {
        kind: "points",
        title: "",
        x: { label: "operations for each byte of DRAM traffic", scale: "log", format: shortTick },
        lines: [
          roof,
          ...at.map(({ intensity, rate }, i) => ({
            series: i,
            joined: false,
            points: [{ x: intensity, y: rate }],
          })),
        ],
      },
    ],
  };
}

/** Speedup over Unfused of each design at every length. */
export function lengthFigure(points: readonly CostPoint[], designs: readonly string[]): Figure {
  const base = new Map(solved(points).flatMap(p => (p.design === "unfused" ? [[p.seq, p.evaluation]] : [])));
  const label = (design: string): string => points.find(p => p.design === design)?.label ?? design;
  return {
    title: "Speedup over Unfused by sequence length",
    series: designs.map(label),
    y: { label: "times faster", format: plain },
    rule: 1,
    panels: [
      {
        kind: "points",
        title: "",
        x: { label: "sequence length", scale: "log", ticks: sweptLengths, format: lengthLabel },
        lines: designs.map((design, series) => ({
          series,
          joined: true,
          points: solved(points).flatMap(p => {
            const unfused = base.get(p.seq);
            if (p.design !== design || unfused === undefined) return [];
            return [{ x: p.seq, y: unfused.latencySeconds / p.evaluation.latencySeconds }];
          }),
        })),
      },
    ],
  };
}

/** Every number of the charts, as people read them. */
export function costTable(points: readonly CostPoint[], scope: State["scope"]): Table {
  const ofIt = scope === "layer" ? ["of it attention"] : [];
  const columns = ["design", "latency", ...ofIt, "limited by", "2D busy", "1D busy", "DRAM traffic", "energy"];
  const rows = solved(points).map(({ label, evaluation: e }) => [
    label,
    seconds(e.latencySeconds),
    ...ofIt.map(() => percent(e.attentionSeconds / e.latencySeconds)),
    boundNames[e.bound] ?? e.bound,
    percent(e.utilization["2d"] ?? 0),
    percent(e.utilization["1d"] ?? 0),
    bytes(e.trafficBytes),
    energy(e.energyPj),
    area(e.areaUm2),
    engineering(e.cycles, "").trim(),
  ]);
  return { columns: [...columns, "area", "cycles"], rows };
}

/** The same as numbers, for a file; ratios against every baseline. */
export function costNumbers(points: readonly CostPoint[], bases: readonly CostPoint[], scope: State["scope"]): Table {
  const found = solved(points);
  const fields: readonly (readonly [string, (point: Solved) => string | number])[] = [
    ["design", ({ design }) => design],
    ["scope", () => scope],
    ["seq", ({ seq }) => seq],
    ["latencySeconds", ({ evaluation }) => evaluation.latencySeconds],
    ["attentionSeconds", ({ evaluation }) => evaluation.attentionSeconds],
    ["cycles", ({ evaluation }) => evaluation.cycles],
    ["util2d", ({ evaluation }) => evaluation.utilization["2d"] ?? 0],
    ["util1d", ({ evaluation }) => evaluation.utilization["1d"] ?? 0],
    ["trafficBytes", ({ evaluation }) => evaluation.trafficBytes],
    ["energyPj", ({ evaluation }) => evaluation.energyPj],
    ["areaUm2", ({ evaluation }) => evaluation.areaUm2],
    ["bound", ({ evaluation }) => evaluation.bound],
    ...solved(bases).flatMap(({ design, evaluation: base }): (readonly [string, (point: Solved) => number])[] => [
      [`speedup/${design}`, ({ evaluation }) => base.latencySeconds / evaluation.latencySeconds],
      [`energy/${design}`, ({ evaluation }) => evaluation.energyPj / base.energyPj],
    ]),
    ...uses.map(([, field, of]) => [field, (point: Solved) => useOf(point, of)] as const),
    ...componentsOf(found).map(
      name => [`energyPj.${name}`, ({ evaluation }: Solved) => evaluation.componentEnergyPj[name] ?? 0] as const,
    ),
  ];
  return { columns: fields.map(([name]) => name), rows: found.map(point => fields.map(([, of]) => of(point))) };
}
