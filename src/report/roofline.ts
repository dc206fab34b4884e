import { howMany } from "../errors.js";
import type { Evaluation } from "../model/evaluate.js";
import { chart } from "./chart.js";
import type { PointPanel, PointSeries } from "./figure.js";
import { engineering } from "./units.js";

/** One design at one point, as its roofline needs it. */
export interface RooflinePoint {
  readonly design: string;
  readonly model: string;
  readonly seq: number;
  readonly operations: number;
  readonly seconds: number;
  /** Operations per second that all arrays together can do. */
  readonly peak: number;
  /** Levels that say how fast they are, DRAM among them: bytes that pass, and bytes per second that can. */
  readonly levels: readonly { readonly name: string; readonly bytes: number; readonly bytesPerSecond: number }[];
}

/** Operations of an evaluation; a multiply-accumulate is two. */
export const operationsOf = ({ counts }: Pick<Evaluation, "counts">): number =>
  counts.reduce(
    (sum, { operations }) =>
      sum + operations.reduce((own, { name, count }) => own + count * (name === "mac" ? 2 : 1), 0),
    0,
  );

/**
 * Rooflines as SVG, a panel a point. Each level that says how fast it is has a roof of its own: operations per second that
 * its bytes allow, at so many operations per byte. The point is drawn once for each level, at its operations per byte there:
 * the level whose roof it touches is what limits it.
 */
export function roofline(points: readonly RooflinePoint[], accounting: string): string {
  const names = [...new Set(points.flatMap(({ levels }) => levels.map(({ name }) => name)))];
  const series = [...names, "all arrays"];
  const panels = points.map((point): PointPanel => {
    const { levels, peak, operations, seconds } = point;
    const intensity = levels.map(({ bytes }) => operations / Math.max(bytes, 1));
    const ridges = levels.map(({ bytesPerSecond }) => peak / bytesPerSecond);
    const [low, high] = [Math.min(...intensity, ...ridges) / 4, Math.max(...intensity, ...ridges) * 4];
    const slopes = levels.map((level, i): PointSeries => {
      const label = `${level.name} ${engineering(level.bytesPerSecond, "B/s")}`;
      return {
        series: names.indexOf(level.name),
        joined: true,
        bare: true,
        points: [
          { x: low, y: low * level.bytesPerSecond, label },
          { x: ridges[i] as number, y: peak, title: "roof" },
        ],
      };
    });
    const flat: PointSeries = {
      series: names.length,
      joined: true,
      bare: true,
      points: [
        { x: Math.min(...ridges), y: peak, title: "roof" },
        { x: Math.max(...ridges), y: peak, label: engineering(peak, "op/s") },
        { x: high, y: peak, title: "roof" },
      ],
    };
    const own = levels.map(
      (level, i): PointSeries => ({
        series: names.indexOf(level.name),
        joined: false,
        points: [{ x: intensity[i] as number, y: operations / seconds, title: point.design }],
      }),
    );
    return {
      kind: "points",
      title: `${point.design}, ${point.model}, ${howMany(point.seq.toLocaleString("en-US"), "token")}`,
      x: { label: "operations per byte", scale: "log", fit: true, format: decimal },
      lines: [...slopes, flat, ...own],
    };
  });
  return chart({
    title: "Roofline: what each level and the arrays allow, and what is reached",
    note: `A multiply-accumulate is two operations. Accounting: ${accounting}.`,
    series,
    alwaysLegend: true,
    y: {
      label: "operations per second",
      scale: "log",
      fit: true,
      format: v => engineering(v, "").replace(/\.?0+ /, " "),
    },
    panels,
    panelsPerRow: Math.min(2, panels.length),
    plotHeight: 300,
    width: panels.length > 1 ? 1080 : 720,
  });
}

const decimal = (value: number): string => String(Number(value.toPrecision(3)));
