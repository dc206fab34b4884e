import { csvCell } from "../../io/csv.js";
import { accountingText } from "../../model/corrections.js";
import {
  type Coordinates,
  coordinates,
  type Measure,
  measures,
  paretoFront,
  type SweepRequest,
} from "../../model/sweep.js";
import { chart } from "../../report/chart.js";
import type { Axis, Figure } from "../../report/figure.js";
import { jsonText } from "../../report/finite.js";
import { lengthLabel, plain } from "../../report/units.js";
import type { Workload } from "../../spec/workload.js";
import type { Points } from "./points.js";

export interface SweepResults {
  readonly request: SweepRequest;
  readonly points: Points;
  /** 1 for the points on the Pareto front of their workload and length. */
  readonly front: Uint8Array;
  readonly objectives: readonly Measure[];
}

/** The fronts: designs and fields compete, within one workload (its swept fields included) and one length. */
export function sweepFront(request: SweepRequest, points: Points, objectives: readonly Measure[]): Uint8Array {
  const groups = new Int32Array(points.size);
  const known = new Map<string, number>();
  const workloadAxes = request.axes.flatMap(({ path }, k) => (path.startsWith("workload.") ? [k] : []));
  for (let i = 0; i < points.size; i++) {
    const at = coordinates(request, i);
    const key = [at.workload, at.length, ...workloadAxes.map(k => at.axes[k])].join();
    const group = known.get(key) ?? known.size;
    known.set(key, group);
    groups[i] = group;
  }
  // Less of everything is better, but for shares.
  const better = objectives.map(measure =>
    axisOf[measure].share === true ? points.numbers[measure].map(share => -share) : points.numbers[measure],
  );
  return paretoFront(better, groups);
}

const head = (request: SweepRequest): readonly string[] => [
  "design",
  "model",
  "batch",
  "seq",
  "phase",
  "queries",
  "layers",
  ...request.axes.map(({ path }) => path),
];

function place(request: SweepRequest, at: Coordinates): readonly (string | number)[] {
  const batchAxis = request.axes.findIndex(({ path }) => path === "workload.batch");
  const workload = request.workloads[at.workload] as Workload;
  const seq = request.lengths[at.length] as number;
  const values = request.axes.map(({ values }, k) => values[at.axes[k] as number] as number);
  return [
    request.designs[at.design]?.name ?? "",
    workload.name,
    batchAxis < 0 ? workload.batch : (values[batchAxis] as number),
    seq,
    request.phase,
    request.phase === "decode" ? request.decodeQueries : seq,
    workload.kinds[0]?.name ?? "",
    ...values,
  ];
}

/** CSV, a line a point: where it is, what it gives, whether it is on the front, or why it could not be mapped. */
export function* sweepCsv({ request, points, front }: SweepResults): Generator<string> {
  yield `${[...head(request), ...measures, "bound", "pareto", "estimated", "accounting", "error"].map(csvCell).join(",")}\n`;
  const accounting = accountingText(request.accounting);
  for (let i = 0; i < points.size; i++) {
    const cells: (string | number)[] = [...place(request, coordinates(request, i))];
    for (const measure of measures) {
      const value = points.numbers[measure][i] as number;
      cells.push(Number.isNaN(value) ? "" : value);
    }
    cells.push(
      points.bounds[i] as string,
      front[i] as number,
      points.estimated[i] as number,
      accounting,
      points.errors.get(i) ?? "",
    );
    yield `${cells.map(csvCell).join(",")}\n`;
  }
}

/** The same as JSON (fusemax.sweep/1): the grid, and its points in order, a line each. */
export function* sweepJson({ request, points, front, objectives }: SweepResults): Generator<string> {
  const names = head(request);
  const { accounting, axes } = request;
  const opening = JSON.stringify({
    schema: "fusemax.sweep/1",
    accounting: accounting.name,
    corrections: accounting.corrections,
    objectives,
    axes,
  });
  yield `${opening.slice(0, -1)},"points":[\n`;
  for (let i = 0; i < points.size; i++) {
    const at = place(request, coordinates(request, i));
    const error = points.errors.get(i);
    const numbers = measures.flatMap(measure => {
      const value = points.numbers[measure][i] as number;
      return Number.isNaN(value) ? [] : [[measure, value] as const];
    });
    const point = {
      ...Object.fromEntries(names.map((name, k) => [name, name === "layers" && at[k] === "" ? null : at[k]])),
      ...(error === undefined ? { ...Object.fromEntries(numbers), bound: points.bounds[i] } : { error }),
      pareto: front[i] === 1,
      estimated: points.estimated[i] === 1,
    };
    yield `${jsonText(point).trimEnd()}${i + 1 < points.size ? "," : ""}\n`;
  }
  yield "]}\n";
}

/** Characters that are written at once: a table of millions of points is longer than any string can be. */
const pieceLength = 2 ** 20;

/** Joins lines into pieces of a writable size. */
export function* pieces(lines: Iterable<string>): Generator<string> {
  let piece = "";
  for (const line of lines) {
    piece += line;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

const layersOf = ({ kinds: [kind] }: Workload): string =>
  kind === undefined || kind.name === null ? "" : `${kind.name} layers, `;

/** Points drawn besides the fronts: more would only hide each other. */
const mostDrawn = 1500;

interface MeasureAxis {
  readonly label: string;
  readonly factor: number;
  readonly share?: true;
}

const axisOf: Readonly<Record<Measure, MeasureAxis>> = {
  cycles: { label: "cycles", factor: 1 },
  latencySeconds: { label: "latency (s)", factor: 1 },
  trafficBytes: { label: "DRAM traffic (GB)", factor: 1e-9 },
  energyPj: { label: "energy (J)", factor: 1e-12 },
  areaUm2: { label: "area (mm²)", factor: 1e-6 },
  util2d: { label: "busy share of the 2D array", factor: 1, share: true },
  util1d: { label: "busy share of the 1D array", factor: 1, share: true },
  useful2d: { label: "useful share of the 2D array", factor: 1, share: true },
  useful1d: { label: "useful share of the 1D array", factor: 1, share: true },
  util: { label: "busy share of the largest array", factor: 1, share: true },
  useful: { label: "useful share of the largest array", factor: 1, share: true },
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
export function sweepChart({ request, points, front, objectives }: SweepResults, accounting: string): string {
  const [yName, xName] = [objectives[0] ?? "latencySeconds", objectives[1] ?? "energyPj"];
  const value = (measure: Measure, i: number): number =>
    (points.numbers[measure][i] as number) * axisOf[measure].factor;
  const stride = Math.max(1, Math.ceil(points.size / mostDrawn));
  const phase = request.phase === "decode" ? "decode, " : "";
  const groups = request.workloads.flatMap((workload, w) =>
    request.lengths.map((seq, l) => ({
      title: `${workload.name}, ${layersOf(workload)}${phase}${lengthLabel(seq)} tokens`,
      w,
      l,
    })),
  );
  const shown = groups.slice(0, 12);
  const lines = shown.map(() => request.designs.map(() => [] as DrawnPoint[]));
  for (let i = 0; i < points.size; i++) {
    if (![xName, yName].every(name => Number.isFinite(points.numbers[name][i]))) continue;
    if (front[i] === 0 && i % stride !== 0) continue;
    const at = coordinates(request, i);
    const panel = shown.findIndex(({ w, l }) => w === at.workload && l === at.length);
    const title = request.axes
      .map(({ path, values }, k) => `${shortName(path)}=${values[at.axes[k] as number]}`)
      .join(", ");
    lines[panel]?.[at.design]?.push({ x: value(xName, i), y: value(yName, i), title, onFront: front[i] === 1 });
  }
  const every = stride === 1 ? "" : `; one point in ${stride} and all of the fronts`;
  const cut =
    shown.length < groups.length ? `; the first ${shown.length} of ${groups.length} workloads and lengths` : "";
  const axis = (name: Measure): Axis => {
    const { label, share } = axisOf[name];
    return { label, scale: share === true ? "linear" : "log", fit: true, format: plain };
  };
  const figure: Figure = {
    title: `Sweep of ${request.axes.map(({ path }) => shortName(path)).join(", ") || "designs"}`,
    note: `Joined: on the Pareto front of a workload and length; pale: beaten there; accounting: ${accounting}${every}${cut}.`,
    series: request.designs.map(({ name }) => name),
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
