import { ofArray } from "../model/array-shares.js";
import {
  linearOf,
  type PaperDesign,
  type PaperEvaluation,
  type Point,
  paperDesigns,
  paperLengths,
} from "../model/evaluation.js";
import type { ParetoPoint } from "../model/pareto.js";
import type { Table } from "./table.js";
import { lengthLabel } from "./units.js";

/** A column of a published table: its name there and where it comes from. */
type Column<Row> = readonly [name: string, of: (row: Row, aliases: Aliases) => string | number];
/** The cascade's names of what the published tables call otherwise. */
type Aliases = Readonly<Record<string, string>>;

const common: readonly Column<Point>[] = [
  ["model", p => p.model],
  ["seq_len", p => lengthLabel(p.seq)],
  ["traffic", p => p.evaluation.trafficBytes],
  ["latency", p => p.evaluation.latencySeconds],
  ["energy", p => p.evaluation.energyPj],
];
const utilization: readonly Column<Point>[] = [
  ["util_2d", p => ofArray(p.evaluation.utilization, "2d")],
  ["util_1d", p => ofArray(p.evaluation.utilization, "1d")],
];
const einsums = (...names: readonly string[]): readonly Column<Point>[] =>
  names.map(
    name => [name, (p: Point, aliases: Aliases) => p.evaluation.einsumUtilization[aliases[name] ?? name] ?? 0] as const,
  );

/** The published tables of single designs: file, design, columns. */
const pointTables: readonly (readonly [file: string, design: string, columns: readonly Column<Point>[]])[] = [
  ["attn-unfused", "unfused", [...common, ...utilization]],
  ["attn-flat", "flat", [...common, ...utilization, ...einsums("QK", "AV")]],
  ["attn-cascade", "cascade", [...common, ...utilization, ...einsums("QK", "SLNV")]],
  ["attn-arch", "architecture", [...common, ...utilization, ...einsums("QK", "LM", "SLN", "SLD", "SLNV")]],
  ["attn-binding", "fusemax", [...common, ...utilization, ...einsums("QK", "LM", "SLN", "SLD", "SLNV")]],
  ["end2end-flat", "linear-flat", common],
  ["end2end-proposal", "linear-fusemax", common],
];

const paretoColumns: readonly Column<ParetoPoint>[] = [
  ["accel", () => "proposal"],
  ["model", p => p.model],
  ["PE_dim", p => p.side],
  ["traffic", p => p.evaluation.trafficBytes],
  ["mem_lat", p => p.evaluation.phases.reduce((sum, phase) => sum + phase.memorySeconds, 0)],
  ["comp_2d_lat", p => busy(p, "2d")],
  ["comp_1d_lat", p => busy(p, "1d")],
  ["latency", p => p.evaluation.latencySeconds],
  ["array_2d_area", p => arrayArea(p)],
  ["area", p => p.evaluation.areaUm2],
];
const busy = ({ evaluation }: ParetoPoint, array: string): number =>
  evaluation.phases.reduce((sum, phase) => sum + ofArray(phase.busySeconds, array), 0);
const arrayArea = ({ evaluation: { componentAreaUm2: area } }: ParetoPoint): number =>
  (area["column"] ?? 0) + (area["registers2d"] ?? 0) + (area["compute.2d"] ?? 0);

/**
 * The published tables by file name, with the authors' columns and order of rows; those whose study was run.
 * @example
 * ```ts
 * import { paperEvaluation, publishedTables, specFiles } from "fusemax/node";
 *
 * const evaluation = paperEvaluation(specFiles, { attention: true, endToEnd: false, pareto: false });
 * console.log([...publishedTables(evaluation).keys()].length); // 5
 * ```
 */
export function publishedTables({ designs, pareto }: PaperEvaluation): ReadonlyMap<string, Table> {
  const table = <Row>(columns: readonly Column<Row>[], rows: readonly Row[], aliases: Aliases = {}): Table => ({
    columns: columns.map(([name]) => name),
    rows: rows.map(row => columns.map(([, of]) => of(row, aliases))),
  });
  const tables = new Map<string, Table>();
  for (const [file, design, columns] of pointTables) {
    const evaluated = designs.get(design);
    if (evaluated === undefined) continue;
    tables.set(file, table(columns, evaluated.points, evaluated.design.mapping.data.aliases));
  }
  if (pareto.length > 0) tables.set("pareto", table(paretoColumns, pareto));
  return tables;
}

/** A design's latency and energy at one point: its attention, or its attention and the linear layers after it. */
export interface Cost {
  readonly latencySeconds: number;
  readonly energyPj: number;
}

/** The costs of a design at its 24 points. */
export function costs(
  evaluation: PaperEvaluation,
  design: PaperDesign,
  scope: "attention" | "end-to-end",
): readonly Cost[] {
  const attention = evaluation.designs.get(design)?.points ?? [];
  if (scope === "attention") return attention.map(point => point.evaluation);
  const linear = evaluation.designs.get(linearOf[design])?.points ?? [];
  return attention.map(({ evaluation: a }, i) => {
    const l = (linear[i] as Point).evaluation;
    return { latencySeconds: a.latencySeconds + l.latencySeconds, energyPj: a.energyPj + l.energyPj };
  });
}

/** Speedup and energy of one design against another, point by point. */
export function against(
  evaluation: PaperEvaluation,
  design: PaperDesign,
  base: PaperDesign,
  scope: "attention" | "end-to-end",
) {
  const mine = costs(evaluation, design, scope);
  const theirs = costs(evaluation, base, scope);
  return {
    speedup: mine.map((c, i) => (theirs[i] as Cost).latencySeconds / c.latencySeconds),
    energy: mine.map((c, i) => c.energyPj / (theirs[i] as Cost).energyPj),
  };
}

/** One of the paper's headline numbers: the mean of 24 ratios of FuseMax to a baseline. */
export interface Headline {
  readonly what: string;
  readonly base: "FLAT" | "Unfused";
  readonly paper: number;
  readonly ours: number;
}

/** What the paper reports (section VI, Fig. 8 to 11; with the digits of its published tables). */
const paperHeadlines = {
  attention: { unfused: { speedup: 10.05, energy: 0.767 }, flat: { speedup: 6.72, energy: 0.787 } },
  "end-to-end": { unfused: { speedup: 7.6, energy: 0.821 }, flat: { speedup: 5.3, energy: 0.833 } },
} as const;

/**
 * The headline numbers of the studies that were run.
 * @example
 * ```ts
 * import { headlines, paperEvaluation, specFiles } from "fusemax/node";
 *
 * const evaluation = paperEvaluation(specFiles, { attention: true, endToEnd: false, pareto: false });
 * const [speedup] = headlines(evaluation);
 * console.log(speedup?.what, speedup?.base, speedup?.paper, speedup?.ours.toFixed(2)); // attention speedup FLAT 6.72 6.72
 * ```
 */
export function headlines(evaluation: PaperEvaluation): readonly Headline[] {
  const scopes = [
    ...(evaluation.designs.has("fusemax") ? (["attention"] as const) : []),
    ...(evaluation.designs.has("linear-flat") ? (["end-to-end"] as const) : []),
  ];
  return scopes.flatMap(scope =>
    (["flat", "unfused"] as const).flatMap(base => {
      const { speedup, energy } = against(evaluation, "fusemax", base, scope);
      const paper = paperHeadlines[scope][base];
      const name = base === "flat" ? ("FLAT" as const) : ("Unfused" as const);
      return [
        { what: `${scope} speedup`, base: name, paper: paper.speedup, ours: mean(speedup) },
        { what: `${scope} energy`, base: name, paper: paper.energy, ours: mean(energy) },
      ];
    }),
  );
}

export const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

export { paperDesigns, paperLengths };
