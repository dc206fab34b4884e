import { howMany } from "../../errors.js";
import { accountingText } from "../../model/corrections.js";
import { type Measure, measures, type SweepPoint } from "../../model/sweep.js";
import { chart } from "../../report/chart.js";
import type { Axis, Figure } from "../../report/figure.js";
import { lengthLabel, plain } from "../../report/units.js";
import { isShare, type SweepResults } from "./results.js";

/** Points drawn besides the fronts: more would only hide each other. */
const mostDrawn = 1500;
const mostPanels = 12;

interface MeasureAxis {
  readonly label: string;
  readonly factor: number;
}

const axisOf: Readonly<Record<Measure, MeasureAxis>> = {
  cycles: { label: "cycles", factor: 1 },
  latencySeconds: { label: "latency (s)", factor: 1 },
  trafficBytes: { label: "DRAM traffic (GB)", factor: 1e-9 },
  energyPj: { label: "energy (J)", factor: 1e-12 },
  areaUm2: { label: "area (mm²)", factor: 1e-6 },
  util2d: { label: "busy share of the 2D array", factor: 1 },
  util1d: { label: "busy share of the 1D array", factor: 1 },
  useful2d: { label: "useful share of the 2D array", factor: 1 },
  useful1d: { label: "useful share of the 1D array", factor: 1 },
  util: { label: "busy share of the largest array", factor: 1 },
  useful: { label: "useful share of the largest array", factor: 1 },
};

interface DrawnPoint {
  readonly x: number;
  readonly y: number;
  readonly title: string;
  readonly onFront: boolean;
}

/** `architecture.levels.buffer.bytes` -> `buffer.bytes`. */
const shortName = (path: string): string => path.split(".").slice(-2).join(".");

/** The first two objectives against each other: a series a design, its points of the fronts joined. */
export function sweepChart({ table, size, marked }: SweepResults): string {
  const [yName, xName] = [table.objectives[0] ?? "latencySeconds", table.objectives[1] ?? "energyPj"];
  const value = (measure: Measure, { numbers }: SweepPoint): number =>
    (numbers[measures.indexOf(measure)] ?? Number.NaN) * axisOf[measure].factor;
  const stride = Math.max(1, Math.ceil(size / mostDrawn));
  const phase = table.phase === "decode" ? "decode, " : "";
  const groups = table.workloads.flatMap(({ name, layers }, w) =>
    table.lengths.map((seq, l) => ({
      title: `${name}, ${layers === "" ? "" : `${howMany(layers, "layer")}, `}${phase}${howMany(lengthLabel(seq), "token")}`,
      w,
      l,
    })),
  );
  const shown = groups.slice(0, mostPanels);
  const lines = shown.map(() => table.designs.map(() => [] as DrawnPoint[]));
  let index = -1;
  for (const { at, point, onFront } of marked()) {
    index += 1;
    if (!onFront && index % stride !== 0) continue;
    const [x, y] = [value(xName, point), value(yName, point)];
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    const panel = shown.findIndex(({ w, l }) => w === at.workload && l === at.length);
    const title = table.axes
      .map(({ path, values }, k) => `${shortName(path)}=${values[at.axes[k] as number]}`)
      .join(", ");
    lines[panel]?.[at.design]?.push({ x, y, title, onFront });
  }
  const every = stride === 1 ? "" : `; one point in ${stride} and all of the fronts`;
  const cut =
    shown.length < groups.length ? `; the first ${shown.length} of ${groups.length} workloads and lengths` : "";
  const axis = (name: Measure): Axis => {
    const scale = isShare(name) ? "linear" : "log";
    return { label: axisOf[name].label, scale, fit: true, format: plain };
  };
  const accounting = accountingText(table.accounting);
  const figure: Figure = {
    title: `Sweep of ${table.axes.map(({ path }) => shortName(path)).join(", ") || "designs"}`,
    note: `Joined: on the Pareto front of a workload and length; pale: beaten there; accounting: ${accounting}${every}${cut}.`,
    series: table.designs,
    alwaysLegend: true,
    y: axis(yName),
    ownY: true,
    panelsPerRow: Math.min(3, shown.length),
    panels: shown.map(({ title }, p) => ({
      kind: "points",
      title,
      x: axis(xName),
      lines: (lines[p] ?? []).flatMap((of, series) => [
        { series, joined: false, faint: true, points: of.filter(({ onFront }) => !onFront) },
        { series, joined: true, points: of.filter(({ onFront }) => onFront).sort((a, b) => a.x - b.x) },
      ]),
    })),
  };
  return chart(figure);
}
