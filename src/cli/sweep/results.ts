import { csvCell } from "../../io/csv.js";
import { accountingText } from "../../model/corrections.js";
import { ParetoFronts } from "../../model/pareto-fronts.js";
import { type Coordinates, coordinates, type Measure, measures, type SweepPoint } from "../../model/sweep.js";
import { jsonText } from "../../report/finite.js";
import type { Block } from "./points.js";
import type { SweepTable } from "./table.js";

/** A point of a table. */
export interface MarkedPoint {
  readonly at: Coordinates;
  readonly point: SweepPoint;
  /** On the Pareto front of its workload and length. */
  readonly onFront: boolean;
}

/** The points of a sweep, which are read again each time: they need not fit the memory. */
export interface SweepResults {
  readonly table: SweepTable;
  readonly size: number;
  /** Points whose energy and area are interpolated or extrapolated. */
  readonly estimated: number;
  /** Points that could not be mapped. */
  readonly failed: number;
  /** All points in the order of the grid, marked. */
  marked(): Iterable<MarkedPoint>;
  /** How many points are on the fronts. */
  onFront(): number;
}

/**
 * Finds the fronts: designs and fields compete, within one workload (its swept fields included) and one length.
 * @param blocks all points in the order of the grid, from the first on each time
 */
export function sweepResults(table: SweepTable, size: number, blocks: () => Iterable<Block>): SweepResults {
  const fronts = new ParetoFronts(table.objectives.length);
  const groupOf = grouping(table);
  const objectivesOf = objectiveValues(table.objectives);
  let [estimated, failed] = [0, 0];
  for (const { from, points } of blocks()) {
    points.forEach((point, i) => {
      fronts.add(groupOf(coordinates(table, from + i)), objectivesOf(point));
      if (point.estimated) estimated += 1;
      if (point.error !== "") failed += 1;
    });
  }
  let counted: number | null = null;
  function* marked(): Generator<MarkedPoint> {
    let found = 0;
    for (const { from, points } of blocks()) {
      for (const [i, point] of points.entries()) {
        const at = coordinates(table, from + i);
        const onFront = fronts.has(groupOf(at), objectivesOf(point));
        if (onFront) found += 1;
        yield { at, point, onFront };
      }
    }
    counted = found;
  }
  const onFront = (): number => {
    if (counted === null) for (const _ of marked()); // all of them, for the count
    return counted ?? 0;
  };
  return { table, size, estimated, failed, marked, onFront };
}

/** A number for each workload, its swept fields included, and each length. */
function grouping({ axes, lengths }: SweepTable): (at: Coordinates) => number {
  const workloadAxes = axes.flatMap(({ path, values }, k) =>
    path.startsWith("workload.") ? [{ k, size: values.length }] : [],
  );
  return at =>
    workloadAxes.reduce(
      (group, { k, size }) => group * size + (at.axes[k] as number),
      at.workload * lengths.length + at.length,
    );
}

/** Shares, of which more is better. */
const shares: ReadonlySet<Measure> = new Set(["util2d", "util1d", "useful2d", "useful1d", "util", "useful"]);
export const isShare = (measure: Measure): boolean => shares.has(measure);

/** What a point's rivals must not undercut: less of everything is better, but for shares. */
function objectiveValues(objectives: readonly Measure[]): (point: SweepPoint) => readonly number[] {
  const places = objectives.map(measure => ({ at: measures.indexOf(measure), sign: isShare(measure) ? -1 : 1 }));
  return ({ numbers }) => places.map(({ at, sign }) => sign * (numbers[at] ?? Number.NaN));
}

const head = (table: SweepTable): readonly string[] => [
  "design",
  "model",
  "batch",
  "seq",
  "phase",
  "queries",
  "layers",
  ...table.axes.map(({ path }) => path),
];

/** The cells of a point's place, in the order of `head`. */
function placing(table: SweepTable): (at: Coordinates) => readonly (string | number)[] {
  const batchAxis = table.axes.findIndex(({ path }) => path === "workload.batch");
  return at => {
    const workload = table.workloads[at.workload];
    const seq = table.lengths[at.length] as number;
    const values = table.axes.map(({ values }, k) => values[at.axes[k] as number] as number);
    return [
      table.designs[at.design] ?? "",
      workload?.name ?? "",
      batchAxis < 0 ? (workload?.batch ?? 0) : (values[batchAxis] as number),
      seq,
      table.phase,
      table.phase === "decode" ? table.decodeQueries : seq,
      workload?.layers ?? "",
      ...values,
    ];
  };
}

/** CSV, a line a point: where it is, what it gives, whether it is on the front, or why it could not be mapped. */
export function* sweepCsv({ table, marked }: SweepResults): Generator<string> {
  const place = placing(table);
  yield `${[...head(table), ...measures, "bound", "pareto", "estimated", "accounting", "error"].map(csvCell).join(",")}\n`;
  const accounting = accountingText(table.accounting);
  for (const { at, point, onFront } of marked()) {
    const numbers = measures.map((_, m) => point.numbers[m] ?? "");
    const marks = [point.bound, onFront ? 1 : 0, point.estimated ? 1 : 0, accounting, point.error];
    yield `${[...place(at), ...numbers, ...marks].map(csvCell).join(",")}\n`;
  }
}

/** The same as JSON (fusemax.sweep/1): the grid, and its points in order, a line each. */
export function* sweepJson({ table, size, marked }: SweepResults): Generator<string> {
  const names = head(table);
  const place = placing(table);
  const { accounting, axes, objectives } = table;
  const opening = JSON.stringify({
    schema: "fusemax.sweep/1",
    accounting: accounting.name,
    corrections: accounting.corrections,
    objectives,
    axes,
  });
  yield `${opening.slice(0, -1)},"points":[\n`;
  let written = 0;
  for (const { at, point, onFront } of marked()) {
    const cells = place(at);
    const numbers = measures.flatMap((measure, m) => {
      const value = point.numbers[m] ?? null;
      return value === null ? [] : [[measure, value] as const];
    });
    const line = {
      ...Object.fromEntries(names.map((name, k) => [name, name === "layers" && cells[k] === "" ? null : cells[k]])),
      ...(point.error === "" ? { ...Object.fromEntries(numbers), bound: point.bound } : { error: point.error }),
      pareto: onFront,
      estimated: point.estimated,
    };
    written += 1;
    yield `${jsonText(line).trimEnd()}${written < size ? "," : ""}\n`;
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
