import { barriersOf } from "../einsum/barriers.js";
import type { Cascade } from "../einsum/cascade.js";
import { type Footprint, footprintsOf } from "../einsum/footprint.js";
import { countOperations, type OperationCount } from "../einsum/operations.js";
import { originsOf } from "../einsum/origins.js";
import { passesOver, type RankPasses, rangesOver } from "../einsum/passes.js";
import type { Rank } from "../einsum/ranks.js";
import { noSuchRank, type Shape, solveShape } from "../einsum/shape.js";
import { UsageError } from "../errors.js";
import { textTable } from "./table.js";

/** What `fusemax passes --json` prints. */
export interface PassesReport {
  readonly schema: "fusemax.passes/1";
  readonly cascade: string;
  readonly title: string | null;
  readonly source: string | null;
  /** By rank; a rank with several names is under each. */
  readonly ranks: Readonly<Record<string, RankReport>>;
  readonly operations: readonly {
    readonly tensor: string;
    readonly op: string;
    /** In the ranks' names. */
    readonly count: string;
    /** With sizes; as text past 2^53. */
    readonly value: number | string | null;
  }[];
}

export interface RankReport {
  readonly passes: number;
  readonly stages: number;
  /** Every name of the rank. */
  readonly names: readonly string[];
  /** Iterations within each step of which the passes are counted. */
  readonly perIterationOf: readonly string[];
  readonly einsums: readonly { readonly tensor: string; readonly pass: number; readonly stage: number }[];
  /** Einsums between which nothing forbids fusion on the rank: those of one stage. */
  readonly fusible: readonly (readonly string[])[];
  readonly footprints: readonly Footprint[];
  readonly barriers: readonly {
    readonly before: string;
    readonly after: string;
    /** What is read again; null where nothing is, which makes a stage but no pass. */
    readonly through: string | null;
    readonly why: string;
  }[];
}

export interface PassesOptions {
  /** One rank, by any of its names; all when absent. */
  readonly rank?: string;
  readonly shape?: Shape;
  readonly elementBytes?: number;
}

/**
 * The analysis of a cascade as data (FuseMax section III).
 * @throws UsageError for a rank that the cascade does not have.
 * @example
 * ```ts
 * import { loadCascade, passesReport } from "fusemax/node";
 *
 * console.log(passesReport(loadCascade("attention-3-pass"), { rank: "M" }).ranks.M?.passes); // 3
 * ```
 */
export function passesReport(cascade: Cascade, options: PassesOptions = {}): PassesReport {
  const sizes = solveShape(cascade, options.shape ?? {});
  const sizeOf = (rank: string): number | undefined => sizes.get(cascade.ranks.byName(rank)?.name ?? rank);
  const origins = originsOf(cascade);
  const ranks: Record<string, RankReport> = {};
  for (const rank of askedRanks(cascade, options.rank)) {
    const analysis = passesOver(cascade, rank, origins);
    const barriers = barriersOf(cascade, analysis);
    const report: RankReport = {
      passes: analysis.passes,
      stages: analysis.stages,
      names: rank.names,
      perIterationOf: analysis.perIterationOf,
      einsums: einsumRows(cascade, analysis),
      fusible: stagesOf(cascade, analysis),
      footprints: footprintsOf(cascade, analysis, barriers, sizeOf, options.elementBytes),
      barriers: barriers.map(({ before, after, through, why }) => ({
        before: cascade.einsums[before]?.tensor ?? "",
        after: cascade.einsums[after]?.tensor ?? "",
        through,
        why,
      })),
    };
    for (const name of options.rank === undefined ? rank.names : [options.rank.toUpperCase()]) ranks[name] = report;
  }
  const operations = countOperations(cascade, sizeOf).map(({ tensor, op, count, value }) => ({
    tensor,
    op,
    count,
    value: countValue(value),
  }));
  const [title = null, source = null] = [cascade.headers.get("title"), cascade.headers.get("source")];
  return { schema: "fusemax.passes/1", cascade: cascade.name, title, source, ranks, operations };
}

function askedRanks(cascade: Cascade, asked: string | undefined): readonly Rank[] {
  if (asked === undefined) return cascade.ranks.ranks.filter(rank => rangesOver(cascade, rank));
  const rank = cascade.ranks.byName(asked);
  if (rank === undefined) throw noSuchRank(cascade, asked, "--rank");
  if (rangesOver(cascade, rank)) return [rank];
  throw new UsageError({
    where: "--rank",
    got: `${asked}, over which no Einsum of ${cascade.name} ranges`,
    expected: "a rank that an Einsum has",
  });
}

/** Every Einsum but the first coordinates of iterations, which are constants of their tensors. */
function einsumRows(cascade: Cascade, analysis: RankPasses): RankReport["einsums"] {
  return cascade.einsums.flatMap(({ tensor, iteration }, i) => {
    const at = analysis.einsums[i];
    return at === undefined || iteration?.role === "init" ? [] : [{ tensor, pass: at.pass, stage: at.stage }];
  });
}

function stagesOf(cascade: Cascade, analysis: RankPasses): string[][] {
  const rows = einsumRows(cascade, analysis);
  return Array.from({ length: analysis.stages }, (_, s) => rows.filter(r => r.stage === s + 1).map(r => r.tensor));
}

function countValue(value: OperationCount["value"]): number | string | null {
  if (value === null) return null;
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
}

/** The analysis for people. */
export function passesText(cascade: Cascade, report: PassesReport): string {
  const seen = new Set<RankReport>();
  const ranks = Object.entries(report.ranks).filter(([, r]) => !seen.has(r) && seen.add(r));
  const known = ranks.some(([, r]) => r.footprints.some(f => f.bytes !== null));
  const summary = ranks.map(([name, r]) => {
    const footprint = r.footprints.map(f => `${f.tensor}: ${f.elements}${f.bytes === null ? "" : ` (${f.bytes} B)`}`);
    return [[name, ...r.names.filter(n => n !== name)].join(" = "), r.passes, r.stages, footprint.join(", ") || "-"];
  });
  const heading = known ? "live between passes: elements (bytes)" : "live between passes: elements";
  return [
    [report.cascade, report.title].filter(x => x !== null).join(": "),
    ...(report.source === null ? [] : [`  ${report.source}`]),
    "",
    textTable({ columns: ["rank", "passes", "stages", heading], rows: summary }),
    ...ranks.flatMap(([name, r]) => ["", ...rankText(cascade, name, r)]),
    "",
    "Operations",
    textTable({
      columns: ["Einsum", "op", "count", ...(report.operations.some(o => o.value !== null) ? ["value"] : [])],
      rows: report.operations.map(o => [o.tensor, o.op, o.count, o.value ?? ""]),
    }),
    "",
  ].join("\n");
}

function rankText(cascade: Cascade, name: string, rank: RankReport): string[] {
  const each = rank.perIterationOf.length === 0 ? "" : ` in each iteration of ${rank.perIterationOf.join(" and ")}`;
  const title = `Over ${name}: ${many(rank.passes, "pass", "passes")} in ${many(rank.stages, "stage", "stages")}${each}`;
  if (rank.stages === 1)
    return [title, "  every Einsum may be fused with every other on this rank, at any granularity"];
  const lines = new Map(cascade.einsums.flatMap(e => (e.iteration?.role === "init" ? [] : [[e.tensor, e.text]])));
  return [
    title,
    indent(
      textTable({
        columns: ["pass", "stage", "Einsum"],
        rows: rank.einsums.map(e => [e.pass, e.stage, lines.get(e.tensor) ?? e.tensor]),
      }),
    ),
    `  may be fused on ${name}: ${
      rank.fusible
        .filter(group => group.length > 1)
        .map(group => group.join(" "))
        .join(" | ") || "none"
    }`,
    "  may not be:",
    ...rank.barriers.map(b => `    ${b.before} with ${b.after}: ${b.why}`),
  ];
}

const many = (n: number, one: string, more: string): string => `${n} ${n === 1 ? one : more}`;

const indent = (text: string): string => text.replaceAll(/^/gm, "  ");
