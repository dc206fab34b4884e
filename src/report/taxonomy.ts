import { barriersOf } from "../einsum/barriers.js";
import type { Cascade } from "../einsum/cascade.js";
import { footprintsOf } from "../einsum/footprint.js";
import { countOperations, type OperationCount } from "../einsum/operations.js";
import { passesOver } from "../einsum/passes.js";
import { type Shape, solveShape } from "../einsum/shape.js";
import { textTable } from "./table.js";

/** One attention algorithm of the taxonomy (FuseMax Table I), computed from its cascade. */
export interface TaxonomyRow {
  readonly cascade: string;
  readonly title: string;
  /** The rank that grows with the sequence: M, or M1 where M is split. */
  readonly rank: string;
  readonly passes: number;
  /** Tensors of which a whole fiber must live between passes, and its length. */
  readonly footprints: readonly { readonly tensor: string; readonly elements: string; readonly bytes: number | null }[];
  readonly macs: Counted;
  readonly exps: Counted;
  readonly divisions: Counted;
  /** Published systems that use it, by the cascade's header. */
  readonly systems: readonly string[];
}

interface Counted {
  readonly count: string;
  readonly value: number | string | null;
}

/**
 * The rows for the cascades that say which rank is the sequence (`# sequence: M`), most passes first.
 * @example
 * ```ts
 * import { loadCascade, taxonomy } from "fusemax/node";
 *
 * const rows = taxonomy([loadCascade("attention-3-pass"), loadCascade("attention-1-pass")]);
 * console.log(rows.map(({ cascade, passes }) => `${cascade} ${passes}`).join(", ")); // attention-3-pass 3, attention-1-pass 1
 * ```
 */
export function taxonomy(cascades: readonly Cascade[], shape: Shape = {}): TaxonomyRow[] {
  const rows = cascades.flatMap(cascade => {
    const rank = cascade.ranks.byName(cascade.headers.get("sequence") ?? "");
    return rank === undefined ? [] : [taxonomyRow(cascade, rank.name, shape)];
  });
  return rows.sort((a, b) => b.passes - a.passes);
}

function taxonomyRow(cascade: Cascade, rankName: string, shape: Shape): TaxonomyRow {
  const own = Object.fromEntries(Object.entries(shape).filter(([name]) => cascade.ranks.byName(name) !== undefined));
  const sizes = solveShape(cascade, own);
  const sizeOf = (name: string): number | undefined => sizes.get(cascade.ranks.byName(name)?.name ?? name);
  const rank = cascade.ranks.byName(rankName);
  if (rank === undefined) throw new Error(`no rank ${rankName} in ${cascade.name}`);
  const analysis = passesOver(cascade, rank);
  const operations = countOperations(cascade, sizeOf);
  const total = (op: OperationCount["op"]): Counted => {
    const own = operations.filter(o => o.op === op);
    const value = own.reduce<bigint | null>((sum, o) => (sum === null || o.value === null ? null : sum + o.value), 0n);
    const known = value === null ? null : value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
    return { count: own.map(o => o.count).join(" + ") || "0", value: known };
  };
  return {
    cascade: cascade.name,
    title: cascade.headers.get("title") ?? cascade.name,
    rank: rank.name,
    passes: analysis.passes,
    footprints: footprintsOf(cascade, analysis, barriersOf(cascade, analysis), sizeOf),
    macs: total("mac"),
    exps: total("exp"),
    divisions: total("div"),
    systems: (cascade.headers.get("systems") ?? "").split(/\s*,\s*/).filter(name => name !== ""),
  };
}

/** The taxonomy for people. */
export function taxonomyText(rows: readonly TaxonomyRow[]): string {
  const shown = ({ count, value }: Counted): string => (value === null ? count : `${count} = ${value}`);
  return `${textTable({
    columns: ["cascade", "passes", "live between passes", "multiply-accumulates", "exps", "divisions", "used by"],
    rows: rows.map(row => [
      row.cascade,
      `${row.passes} over ${row.rank}`,
      row.footprints.map(f => `${f.tensor}: ${f.elements}${f.bytes === null ? "" : ` (${f.bytes} B)`}`).join(", ") ||
        "none",
      shown(row.macs),
      shown(row.exps),
      shown(row.divisions),
      row.systems.join(", "),
    ]),
  })}\n`;
}
