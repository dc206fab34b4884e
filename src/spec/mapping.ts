import { z } from "zod";
import type { Formula } from "./expression.js";
import { type Corrections, corrections, formula, formulas, names, numberTable } from "./fields.js";

/** Which tensors a level keeps: all of a list, or each whose condition is not 0. */
export type Keep = readonly string[] | Readonly<Record<string, Formula>>;

/** Rank by rank: its parts, outermost first, with their bounds; the outermost may be `rest`. */
export type Partitions = Readonly<Record<string, Readonly<Record<string, Formula>>>>;

/** How one Einsum is laid over an architecture. */
export interface EinsumMapping {
  /** The first variant whose condition is not 0 is taken. */
  readonly when?: Formula | undefined;
  readonly array: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Operations per point of the iteration space. */
  readonly operations: Readonly<Record<string, Formula>>;
  /** Cycles per point; else the sum over `operations` of their cycles on the array. */
  readonly cycles?: Formula | undefined;
  readonly symbols?: Readonly<Record<string, Formula>> | undefined;
  readonly partitions?: Partitions | undefined;
  /** Symbols to be searched: what they may be, and what the published mapping has. */
  readonly choose?: Readonly<Record<string, Choice>> | undefined;
  /** Per level the loops over it, outermost first: temporal, or spatial at a fan-out. */
  readonly loops: Readonly<Record<string, readonly string[]>>;
  readonly keep: Readonly<Record<string, Keep>>;
  /** Share of a tensor's accesses to the on-chip buffer that goes to DRAM in its place. */
  readonly spill?: Readonly<Record<string, Formula>> | undefined;
}

export interface Choice {
  /** Blocks of 1 to this many tiles are tried. */
  readonly upTo: Formula;
  /** 1: blocks that leave a partial last one are tried too. */
  readonly partial: Formula;
  /** The published choice; 0 where there is none. */
  readonly published?: Formula | undefined;
}

/** Rows chosen by the largest key not above the workload's; columns become symbols `table.column`. */
export interface Table {
  readonly source: string;
  readonly by: readonly string[];
  /** 1: of the rows that the first key leaves, the one with the least energy is searched for. */
  readonly search?: number | undefined;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly number[])[];
}

export interface Mapping {
  readonly name: string;
  readonly source: string;
  readonly symbols?: Readonly<Record<string, Formula>> | undefined;
  readonly tables?: Readonly<Record<string, Table>> | undefined;
  /** The ranks (or parts of ranks) of each tensor. */
  readonly tensors: Readonly<Record<string, readonly string[]>>;
  /** Tensors that stand in another's place, so that a buffer holds them once. */
  readonly inPlace?: Readonly<Record<string, string>> | undefined;
  readonly partitions?: Partitions | undefined;
  readonly einsums: Readonly<Record<string, EinsumMapping | { readonly variants: readonly EinsumMapping[] }>>;
  readonly corrections?: Corrections | undefined;
}

const keep: z.ZodType<Keep> = z.union([names, formulas], { error: "a list of tensors, or tensors with conditions" });
const partitions: z.ZodType<Partitions> = z.record(z.string(), formulas);

const einsum: z.ZodType<EinsumMapping> = z.strictObject({
  when: formula.optional(),
  array: z.string(),
  inputs: names,
  output: z.string(),
  operations: formulas,
  cycles: formula.optional(),
  symbols: formulas.optional(),
  partitions: partitions.optional(),
  choose: z
    .record(z.string(), z.strictObject({ upTo: formula, partial: formula, published: formula.optional() }))
    .optional(),
  loops: z.record(z.string(), names),
  keep: z.record(z.string(), keep),
  spill: formulas.optional(),
});

export const mappingSchema: z.ZodType<Mapping> = z.strictObject({
  name: z.string(),
  source: z.string(),
  symbols: formulas.optional(),
  tables: z
    .record(
      z.string(),
      z.strictObject({
        source: z.string(),
        by: names,
        search: z.number().optional(),
        columns: names,
        rows: numberTable,
      }),
    )
    .optional(),
  tensors: z.record(z.string(), names),
  inPlace: z.record(z.string(), z.string()).optional(),
  partitions: partitions.optional(),
  einsums: z.record(z.string(), z.union([z.strictObject({ variants: z.array(einsum) }), einsum])),
  corrections: corrections.optional(),
});
