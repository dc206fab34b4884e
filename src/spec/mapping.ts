import { z } from "zod/mini";
import type { Formula } from "./expression.js";
import { type Corrections, corrections, described, formula, formulas, names, numberTable } from "./fields.js";

/** Which tensors a level keeps: all of a list, or each whose condition is not 0. */
export type Keep = readonly string[] | Readonly<Record<string, Formula>>;

/** Rank by rank: its parts, outermost first, with their bounds; the outermost may be `rest`. */
export type Partitions = Readonly<Record<string, Readonly<Record<string, Formula>>>>;

/** How one Einsum is laid over an architecture. */
export interface EinsumMapping extends WrittenEinsum {
  readonly inputs: readonly string[];
  readonly output: string;
  readonly operations: Readonly<Record<string, Formula>>;
  /** Places of tensors over which several ranks slide; the cascade says them. */
  readonly windows?: Readonly<Record<string, readonly MappedWindow[]>> | undefined;
}

/** Ranks that slide over one place of a tensor, each with its stride: p*2 + r. */
export type MappedWindow = readonly { readonly rank: string; readonly stride: Formula }[];

/** The same as a file has it: with a cascade, what reads, writes and is done is the cascade's, and need not be said. */
export interface WrittenEinsum {
  /** The first variant whose condition is not 0 is taken. */
  readonly when?: Formula | undefined;
  /** Where `operations` that are not the cascade's come from. */
  readonly source?: string | undefined;
  readonly array: string;
  readonly inputs?: readonly string[] | undefined;
  readonly output?: string | undefined;
  /** Operations per point of the iteration space. */
  readonly operations?: Readonly<Record<string, Formula>> | undefined;
  /** The ranks of tensors that this Einsum reads by other names of them. */
  readonly tensors?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Cycles per point; else the sum over `operations` of their cycles on the array. */
  readonly cycles?: Formula | undefined;
  readonly symbols?: Readonly<Record<string, Formula>> | undefined;
  readonly partitions?: Partitions | undefined;
  /** Symbols to be searched: what they may be, and what the published mapping has. */
  readonly choose?: Readonly<Record<string, Choice>> | undefined;
  /** Per level the loops over it, outermost first: temporal, or spatial at a fan-out. */
  readonly loops: Readonly<Record<string, readonly string[]>>;
  /** Per fan-out some loops of the memory around it whose iterations, all together, are dealt to its instances. */
  readonly spread?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly keep: Readonly<Record<string, Keep>>;
  /** Tensors that are taken to be where `keep` has them although no memory hands them over, each with the reason. */
  readonly assumed?: Readonly<Record<string, string>> | undefined;
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

export interface Mapping extends CommonMapping {
  readonly tensors: Readonly<Record<string, readonly string[]>>;
  readonly einsums: Readonly<Record<string, EinsumMapping | { readonly variants: readonly EinsumMapping[] }>>;
}

interface CommonMapping {
  readonly name: string;
  readonly source: string;
  /** The workload that its sizes were chosen for; another may not fit. */
  readonly madeFor?: string | undefined;
  /** Other names of the cascade's Einsums and tensors: QK: BQK. */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  readonly symbols?: Readonly<Record<string, Formula>> | undefined;
  readonly tables?: Readonly<Record<string, Table>> | undefined;
  /** The ranks that inputs have besides the cascade's: batch, heads. What is made of them has them too. */
  readonly batch?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Tensors that are in another's place, so that a buffer holds them once. */
  readonly inPlace?: Readonly<Record<string, string>> | undefined;
  /** Fan-outs of which one instance works: no Einsum has a loop over them. */
  readonly idle?: readonly string[] | undefined;
  readonly partitions?: Partitions | undefined;
  readonly corrections?: Corrections | undefined;
}

/** A mapping as its file has it, before what the design's cascade says is filled in (complete-mapping.ts). */
export interface WrittenMapping extends CommonMapping {
  /** The ranks (or parts of ranks) of each tensor; with a source where they are not the cascade's. */
  readonly tensors?: Readonly<Record<string, readonly string[] | RanksWithSource>> | undefined;
  readonly einsums: Readonly<Record<string, WrittenEntry>>;
}

/** An Einsum's place, or several on conditions; `of`: the Einsum of the cascade of which this is a part. */
export type WrittenEntry =
  | (WrittenEinsum & { readonly of?: string | undefined })
  | { readonly of?: string | undefined; readonly variants: readonly WrittenEinsum[] };

export interface RanksWithSource {
  readonly ranks: readonly string[];
  readonly source: string;
}

const keep: z.ZodMiniType<Keep> = z.union([names, formulas], {
  error: "a list of tensors, or tensors with conditions",
});
const partitions: z.ZodMiniType<Partitions> = z.record(z.string(), formulas);

const einsumFields = {
  when: described("Where an Einsum has variants: the first whose condition is not 0 is taken.", z.optional(formula)),
  source: described("Where operations come from that are not the cascade's.", z.optional(z.string())),
  array: described("The array that does it.", z.string()),
  cycles: described("Cycles of a point, in place of those of its operations.", z.optional(formula)),
  symbols: described("Numbers by names of the Einsum's own.", z.optional(formulas)),
  partitions: described(
    "How ranks are cut for this Einsum: RANK: { PART: size }, outermost first.",
    z.optional(partitions),
  ),
  choose: described(
    "Symbols whose value is searched for.",
    z.optional(
      z.record(
        z.string(),
        z.strictObject({
          upTo: described("The largest value that is tried.", formula),
          partial: described("1: values that leave a partial last block are tried too.", formula),
          published: described("The published choice; 0 where there is none.", z.optional(formula)),
        }),
      ),
    ),
  ),
  loops: described(
    "Per level its loops, outermost first: parts of ranks; in time at a memory, in space at a fan-out.",
    z.record(z.string(), names),
  ),
  spread: described(
    "Per fan-out without loops of its own some loops of the memory around it: their iterations, all flattened together, are dealt to its instances, each a unit of work that begins with empty memories.",
    z.optional(z.record(z.string(), names)),
  ),
  keep: described(
    "Per level the tensors that it keeps: a list, or tensors with conditions.",
    z.record(z.string(), keep),
  ),
  assumed: described(
    "Tensors that are taken to be there although no memory hands them over, each with the reason.",
    z.optional(z.record(z.string(), z.string())),
  ),
  spill: described("Share of a tensor's accesses to the buffer that goes to DRAM in its place.", z.optional(formulas)),
};
const writtenFields = {
  ...einsumFields,
  inputs: described("What it reads; the cascade says it.", z.optional(names)),
  output: described("What it writes; the cascade says it.", z.optional(z.string())),
  operations: described(
    "Operations of a point; the cascade says them, unless a source is given.",
    z.optional(formulas),
  ),
};
const of = described("The Einsum of the cascade of which this is a part.", z.optional(z.string()));
const einsum: z.ZodMiniType<EinsumMapping> = z.strictObject({
  ...einsumFields,
  inputs: names,
  output: z.string(),
  operations: formulas,
  tensors: z.optional(z.record(z.string(), names)),
  windows: z.optional(z.record(z.string(), z.array(z.array(z.strictObject({ rank: z.string(), stride: formula }))))),
});

const mappingFields = {
  name: described("Its name.", z.string()),
  source: described("Where it comes from.", z.string()),
  madeFor: described(
    "The workload that its sizes were chosen for, in words: another may not fit.",
    z.optional(z.string()),
  ),
  aliases: described(
    "Other names of the cascade's Einsums and tensors: QK: BQK.",
    z.optional(z.record(z.string(), z.string())),
  ),
  symbols: described("Numbers by names of your own, for formulas.", z.optional(formulas)),
  tables: described(
    "Tables by name; the row that fits the workload gives symbols table.column.",
    z.optional(
      z.record(
        z.string(),
        z.strictObject({
          source: described("Where its numbers come from.", z.string()),
          by: described(
            "Its key columns: the row with the largest keys not above the workload's sizes is taken.",
            names,
          ),
          search: described(
            "1: of the rows that the first key leaves the one with the least energy is searched for.",
            z.optional(z.number()),
          ),
          columns: described("Names of its columns.", names),
          rows: described("A row a line, numbers between blanks.", numberTable),
        }),
      ),
    ),
  ),
  batch: described(
    "Ranks that inputs have besides the cascade's: { Q: [B, H] }.",
    z.optional(z.record(z.string(), names)),
  ),
  inPlace: described("Tensors that take another's place in a buffer.", z.optional(z.record(z.string(), z.string()))),
  idle: described("Fan-outs over which no Einsum has a loop: all instances but one stand idle.", z.optional(names)),
  partitions: described(
    "How ranks are cut: RANK: { PART: size }, outermost first; the outermost may be rest.",
    z.optional(partitions),
  ),
  corrections: described("Fields that a correction changes: NAME: { field: value }.", z.optional(corrections)),
};

const tensorRanks = z.union(
  [
    names,
    z.strictObject({
      ranks: described("Its ranks.", names),
      source: described("Where they come from, as they are not the cascade's.", z.string()),
    }),
  ],
  { error: "a list of ranks, or ranks with a source" },
);

/** What a mapping's file may say. */
export const writtenMappingSchema: z.ZodMiniType<WrittenMapping> = z.strictObject({
  ...mappingFields,
  tensors: described(
    "Ranks of tensors; the cascade says them, unless a source is given.",
    z.optional(z.record(z.string(), tensorRanks)),
  ),
  einsums: described(
    "Where each Einsum of the cascade is done, by its name.",
    z.record(
      z.string(),
      z.union([
        z.strictObject({
          of,
          variants: described("Places on conditions.", z.array(z.strictObject(writtenFields))),
        }),
        z.strictObject({ ...writtenFields, of }),
      ]),
    ),
  ),
});

/** What a mapping says with the design's cascade: nothing is left to derive. */
export const mappingSchema: z.ZodMiniType<Mapping> = z.strictObject({
  ...mappingFields,
  tensors: z.record(z.string(), names),
  einsums: z.record(z.string(), z.union([z.strictObject({ variants: z.array(einsum) }), einsum])),
});
