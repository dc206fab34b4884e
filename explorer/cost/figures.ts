import { ofArray } from "../../src/model/array-shares.js";
import { arrayInWords, arraysOf } from "../../src/report/array-names.js";
import type { Figure, PointSeries } from "../../src/report/figure.js";
import { engineering, lengthLabel, percent, plain } from "../../src/report/units.js";
import { designSlot } from "../design/names.js";
import type { CostPoint } from "./known-costs.js";
import {
  componentNames,
  componentsOf,
  isSolved,
  largestArrayOf,
  type Solved,
  solved,
  useOf,
  usesOf,
} from "./shares.js";

/** The lengths of the charts over length: those of the paper (section VI) and the powers of two between them. */
export const sweptLengths: readonly number[] = Array.from({ length: 11 }, (_, i) => 2 ** (10 + i));

/** The two designs that others are compared with (FuseMax, section VI). */
export const baselines = ["unfused", "flat"] as const;

/** 1e5 -> "100k". */
const shortTick = (value: number): string =>
  engineering(value, "")
    .replace(/\.?0+ /, " ")
    .replace(" ", "");

const percentTick = (value: number): string => percent(value).replace(".0%", "%");

const ratio = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a / b;

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
      : ratio(point.evaluation.energyPj, base.evaluation.energyPj);
  };
  return {
    title: what === "speedup" ? "Speedup" : "Energy",
    series: points.map(point => point.label),
    slots: slotsOf(points),
    alwaysLegend: true,
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

/** A design looks the same in every chart, whichever others are beside it. */
const slotsOf = (points: readonly CostPoint[]) => points.map(({ design }) => designSlot(design));

/** Arrays by the name that all designs share, or else by their size: the largest, the second. */
function arraysOfAll(points: readonly Solved[]): readonly (readonly [group: string, of: (point: Solved) => string])[] {
  const names = arraysOf(points.map(({ evaluation }) => evaluation.utilization));
  const isShared = points.every(({ evaluation }) => names.every(array => array in evaluation.utilization));
  if (isShared) return names.map(array => [arrayInWords(array), () => array]);
  const bySize = ({ evaluation: { machine } }: Solved) =>
    Object.entries(machine.pes)
      .sort(([, a], [, b]) => b - a)
      .map(([array]) => array);
  const most = Math.max(...points.map(point => bySize(point).length));
  return Array.from({ length: most }, (_, i) => [
    ["largest array", "second largest", "third largest"][i] ?? `${i + 1}th largest`,
    point => bySize(point)[i] ?? "",
  ]);
}

export function utilizationFigure(points: readonly CostPoint[]): Figure {
  const arrays = arraysOfAll(solved(points));
  return {
    title: "Utilization of the arrays",
    series: points.map(point => point.label),
    slots: slotsOf(points),
    alwaysLegend: true,
    y: { label: "busy share of PE-cycles", max: 1, format: percentTick },
    panels: [
      {
        kind: "bars",
        title: "",
        groups: arrays.map(([group]) => group),
        groupLabel: "array",
        values: points.map(point =>
          arrays.map(([, of]) => (isSolved(point) ? point.evaluation.utilization[of(point)] : undefined)),
        ),
      },
    ],
  };
}

/** Of the array with the most PEs: in the paper's designs the 2D array. */
export function useFigure(points: readonly CostPoint[]): Figure {
  const all = usesOf(solved(points));
  return {
    title: `What the ${largestArrayOf(points)}'s cycles go to`,
    series: all.map(([name]) => name),
    y: { label: "share of PE-cycles", max: 1, format: percentTick },
    panels: [
      {
        kind: "bars",
        title: "",
        stacked: true,
        groups: points.map(({ label }) => label),
        groupLabel: "design",
        values: all.map(([, , of]) => points.map(point => (isSolved(point) ? useOf(point, of) : undefined))),
      },
    ],
  };
}

/** Energy of each design, stacked by where it goes. */
export function energyFigure(points: readonly CostPoint[]): Figure {
  const components = componentsOf(solved(points));
  return {
    title: "Energy by component",
    series: components.map(name => componentNames[name] ?? name),
    y: { label: "energy (J)", format: plain },
    panels: [
      {
        kind: "bars",
        title: "",
        stacked: true,
        groups: points.map(({ label }) => label),
        groupLabel: "design",
        values: components.map(name =>
          points.map(({ evaluation }) =>
            evaluation?.energyPj === undefined ? undefined : (evaluation.componentEnergyPj[name] ?? 0) / 1e12,
          ),
        ),
      },
    ],
  };
}

/** @param beside all points that share its axis and so its unit */
export function trafficFigure(points: readonly CostPoint[], beside: readonly CostPoint[]): Figure {
  const found = solved(beside);
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
    series: points.map(({ label }) => label),
    slots: slotsOf(points),
    alwaysLegend: true,
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
        groups: ["DRAM traffic"],
        groupLabel: "",
        values: points.map(({ evaluation }) => [evaluation === null ? undefined : evaluation.trafficBytes / size]),
      },
    ],
  };
}

/** A place in the palette that no design has. */
const roofSlot = 5;
/** From roof to roof: the same colour with other dashes. */
const roofStep = 16;

/** Operations per second of all the largest array's processing elements. */
export const peakOf = ({ evaluation: { machine } }: Solved): number =>
  (machine.pes[machine.largestArray] ?? 0) * machine.frequencyHz;

/** Operations for each byte at which DRAM and the PEs allow the same. */
export const kneeOf = (point: Solved): number => peakOf(point) / point.evaluation.machine.dramBytesPerSecond;

/** PE operations per second that the largest array does, over those that each byte of DRAM traffic pays for. */
export function rooflinePoint(point: Solved) {
  const { utilization, machine, latencySeconds, trafficBytes } = point.evaluation;
  const rate = ofArray(utilization, machine.largestArray) * peakOf(point);
  return { intensity: (rate * latencySeconds) / trafficBytes, rate };
}

/** Roofs, each with the designs that have it. */
function roofsOf(points: readonly Solved[]): readonly (readonly Solved[])[] {
  const roofs = new Map<string, Solved[]>();
  for (const point of points) {
    const roof = `${peakOf(point)} ${kneeOf(point)}`;
    roofs.set(roof, [...(roofs.get(roof) ?? []), point]);
  }
  return [...roofs.values()];
}

export function rooflineFigure(points: readonly CostPoint[]): Figure {
  const found = solved(points);
  const at = found.map(rooflinePoint);
  const roofs = roofsOf(found);
  const ends = [...found.map(kneeOf), ...at.map(({ intensity }) => intensity)];
  const [left, right] = [Math.min(...ends) / 4, Math.max(...ends) * 4];
  const roofLines = roofs.map((same, i): PointSeries => {
    const [first] = same as [Solved, ...Solved[]];
    const bandwidth = first.evaluation.machine.dramBytesPerSecond;
    return {
      series: points.length + i,
      joined: true,
      points: [left, kneeOf(first), right].map(x => ({ x, y: Math.min(peakOf(first), x * bandwidth) })),
    };
  });
  const of = ([first, ...others]: readonly Solved[]): string =>
    `roof of ${first?.label}${others.length > 0 ? ` and ${others.length} more` : ""}`;
  const roofName = (same: readonly Solved[]) => (roofs.length === 1 ? "roof: DRAM bandwidth, then PEs" : of(same));
  return {
    title: `Roofline of the ${largestArrayOf(points)}`,
    series: [...points.map(({ label }) => label), ...roofs.map(roofName)],
    slots: [...slotsOf(points), ...roofs.map((_, i) => roofSlot + i * roofStep)],
    y: { label: "operations/s", scale: "log", format: shortTick },
    panels: [
      {
        kind: "points",
        title: "",
        x: { label: "operations for each byte of DRAM traffic", scale: "log", format: shortTick },
        lines: [
          ...roofLines,
          ...at.map(({ intensity, rate }, i) => ({
            series: points.findIndex(({ design }) => design === found[i]?.design),
            joined: false,
            points: [{ x: intensity, y: rate }],
          })),
        ],
      },
    ],
  };
}

/** Speedup over Unfused of each design at every length. */
export function lengthFigure(points: readonly CostPoint[], designs: readonly string[], chosen?: number): Figure {
  const base = new Map(solved(points).flatMap(p => (p.design === "unfused" ? [[p.seq, p.evaluation]] : [])));
  const label = (design: string): string => points.find(p => p.design === design)?.label ?? design;
  return {
    title: "Speedup over Unfused by sequence length",
    series: designs.map(label),
    slots: designs.map(designSlot),
    alwaysLegend: true,
    y: { label: "times faster", format: plain },
    rule: 1,
    panels: [
      {
        kind: "points",
        title: "",
        x: {
          ...{ label: "sequence length", scale: "log", ticks: sweptLengths, format: lengthLabel },
          ...{ min: sweptLengths[0] as number, max: sweptLengths.at(-1) as number },
        },
        ...(chosen === undefined ? {} : { mark: { x: chosen, label: lengthLabel(chosen) } }),
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
