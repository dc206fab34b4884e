import { headOf, placeOf } from "../../src/attention/rows.js";
import type { Figure } from "../../src/report/figure.js";
import type { HeatMap } from "../../src/report/heat-map.js";
import type { Table } from "../../src/report/table.js";
import { duration, engineering, plain } from "../../src/report/units.js";
import type { RunOutcome } from "./request.js";

/** "h 3, query 17" of a flat row index. */
export function rowName({ shape }: RunOutcome, row: number): string {
  const { h, p } = placeOf(shape, row);
  return shape.heads === 1 ? `${p}` : `${h}:${p}`;
}

/** Rows that get a label: about twelve of them. */
const labelledRows = 12;

export function errorMap(outcome: RunOutcome): HeatMap {
  const { rows, errors, shape } = outcome;
  const every = Math.ceil(rows.length / labelledRows);
  return {
    title: `Absolute error of AV in ${outcome.arithmetic}`,
    values: errors,
    columns: shape.valueDim,
    rowLabel: shape.heads === 1 ? "query" : "head:query",
    columnLabel: "feature f",
    rowTicks: new Map(rows.flatMap((row, i) => (i % every === 0 ? [[i, rowName(outcome, row)] as const] : []))),
    valueLabel: "absolute error (logarithmic)",
  };
}

/** Halves of a decade of absolute error. */
const binsPerDecade = 2;

/** How many elements have an error of each size; exact ones stand apart. */
export function errorHistogram({ errors, arithmetic }: RunOutcome): Figure {
  const bins = new Map<number, number>();
  let exact = 0;
  for (const error of errors) {
    if (error === 0) exact += 1;
    else {
      const bin = Math.floor(Math.log10(error) * binsPerDecade);
      bins.set(bin, (bins.get(bin) ?? 0) + 1);
    }
  }
  const found = [...bins.keys()];
  const least = Math.max(Math.min(...found), Math.max(...found) - 15);
  const shown = found.length === 0 ? [] : Array.from({ length: Math.max(...found) - least + 1 }, (_, i) => least + i);
  const below = found.filter(bin => bin < least).reduce((sum, bin) => sum + (bins.get(bin) ?? 0), 0);
  return {
    title: `How large the errors are, ${arithmetic}`,
    series: ["elements"],
    y: { label: "elements", format: plain },
    panels: [
      {
        kind: "bars",
        title: "",
        groups: [
          "exact",
          ...(below > 0 ? ["less"] : []),
          ...shown.map(bin => `≥ ${(10 ** (bin / binsPerDecade)).toExponential(0)}`),
        ],
        groupLabel: "absolute error",
        values: [[exact, ...(below > 0 ? [below] : []), ...shown.map(bin => bins.get(bin) ?? 0)]],
      },
    ],
  };
}

const small = (value: number): string => (value === 0 ? "0" : value.toExponential(3));

/** The arithmetics side by side. */
export const arithmeticsTable = (outcomes: readonly RunOutcome[]): Table => ({
  columns: ["arithmetic", "largest error", "rms error", "rms, relative", "3-pass, relative", "time", "speed", "sha256"],
  rows: outcomes.map(({ arithmetic, error, seconds: time, gflops, sha256 }) => [
    arithmetic,
    small(error.maxAbs),
    small(error.rms),
    small(error.rmsRelative),
    error.baseline === null ? "" : small(error.baseline.rmsRelative),
    duration(time),
    engineering(gflops * 1e9, "FLOP/s"),
    `${sha256.slice(0, 12)}…`,
  ]),
});

/** What is compared of the settings now and the pinned ones. */
type Compared = Pick<RunOutcome, "arithmetic" | "error" | "av">;

/** How many elements of AV have other bits; null where the shapes differ. */
function differingElements({ av: a }: Compared, { av: b }: Compared): number | null {
  if (a.length !== b.length) return null;
  const [x, y] = [new Uint32Array(a.buffer), new Uint32Array(b.buffer)];
  return x.reduce((count, bits, i) => count + (bits === y[i] ? 0 : 1), 0);
}

/** Each result beside that of the pinned settings in the same arithmetic, else in the same place. */
export function pinnedTable(now: readonly Compared[], pinned: readonly Compared[]): Table {
  const times = (a: number, b: number): string => (b === 0 ? "-" : (a / b).toPrecision(4));
  return {
    columns: [
      "now",
      "pinned",
      "rms error now",
      "pinned",
      "times",
      "largest error now",
      "pinned",
      "times",
      "AV differs in",
    ],
    rows: now.flatMap((own, i) => {
      const other = pinned.find(({ arithmetic }) => arithmetic === own.arithmetic) ?? pinned[i];
      if (other === undefined) return [];
      const [a, b] = [own.error, other.error];
      const differing = differingElements(own, other);
      return [
        [
          ...[own.arithmetic, other.arithmetic],
          ...[small(a.rms), small(b.rms), times(a.rms, b.rms)],
          ...[small(a.maxAbs), small(b.maxAbs), times(a.maxAbs, b.maxAbs)],
          differing === null ? "another shape" : `${plain(differing)} of ${plain(own.av.length)}`,
        ],
      ];
    }),
  };
}

/** Every error behind the map, a row an element. */
export const errorsTable = (outcome: RunOutcome): Table => ({
  columns: ["head", "query", "feature", "absoluteError"],
  rows: [...outcome.errors].map((error, i) => {
    const row = outcome.rows[Math.floor(i / outcome.shape.valueDim)] ?? 0;
    return [headOf(outcome.shape, row), placeOf(outcome.shape, row).p, i % outcome.shape.valueDim, error];
  }),
});
