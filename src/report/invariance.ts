import type { BitDifference } from "../emulator/invariance/difference.js";
import { howMany } from "../errors.js";
import { type Table, textTable } from "./table.js";

/** One way of computing an attention beside the first. */
export interface InvarianceRow {
  readonly varied: string;
  readonly value: string;
  /** Null where it was not computed. */
  readonly difference: BitDifference | null;
  /** Why it was not. */
  readonly why: string | null;
}

/** What `fusemax invariance` found: its JSON. Fields may be added to it, never renamed. */
export interface InvarianceResult {
  readonly schema: "fusemax.invariance/1";
  /** How the output was computed that all others are compared with. */
  readonly base: {
    readonly engine: string;
    readonly arithmetic: string;
    readonly tile: { readonly m0: number; readonly p0: number };
    readonly kvSplits: number;
    readonly shape: readonly [batch: number, heads: number, queries: number, keys: number];
    readonly sha256: string;
  };
  readonly rows: readonly InvarianceRow[];
  /** What changes bits, and what does not, of what was computed: names of `varied`. */
  readonly changes: readonly string[];
  readonly keeps: readonly string[];
}

/** The names of what changes a bit somewhere, and of what never does. */
export function judged(rows: readonly InvarianceRow[]): Pick<InvarianceResult, "changes" | "keeps"> {
  const computed = rows.filter(({ difference }) => difference !== null);
  const names = [...new Set(computed.map(({ varied }) => varied))];
  const changes = names.filter(name => computed.some(row => row.varied === name && row.difference?.values !== 0));
  return { changes, keeps: names.filter(name => !changes.includes(name)) };
}

/** The result for people. */
export function invarianceText({ base, rows, changes, keeps }: InvarianceResult): string {
  const { engine, arithmetic, tile, kvSplits, shape, sha256 } = base;
  const table: Table = {
    columns: ["varied", "to", "bits", "values that differ", "largest", "rms/rms"],
    rows: rows.map(({ varied, value, difference, why }) => {
      if (difference === null) return [varied, value, "-", `not computed: ${why}`, "", ""];
      const { values, of, maxAbs, rmsRelative } = difference;
      if (values === 0) return [varied, value, "same", "", "", ""];
      return [varied, value, "CHANGED", `${values} of ${of}`, maxAbs.toExponential(2), rmsRelative.toExponential(2)];
    }),
  };
  const split = kvSplits === 1 ? "" : `, ${kvSplits} runs of keys`;
  return [
    `Scores [${shape.join(", ")}] in ${arithmetic} on ${engine}, tiles of ${howMany(tile.m0, "key")} by ${howMany(tile.p0, "query")}${split}`,
    `sha256 ${sha256}`,
    "",
    textTable(table),
    "",
    `Changes bits: ${changes.length === 0 ? "nothing" : changes.join(", ")}`,
    `Keeps them: ${keeps.length === 0 ? "nothing" : keeps.join(", ")}`,
    "",
  ].join("\n");
}
