import { z } from "zod/mini";
import { numberTypeNames } from "../numerics/number-type.js";
import type { Formula } from "./expression.js";
import { described, formula, numberTable } from "./fields.js";

/** What one operation of a PE costs. */
export interface OperationCost {
  readonly energyPj: number;
  readonly areaUm2: number;
}

/**
 * A process with its building blocks: energy and area per action of operators, register files, buffers and DRAM.
 * The formulas know `depth` and `addressBits` = ceil(log2 depth); those of a register file also `bits`, of a word, with which
 * they hold for words of any width.
 */
export interface Technology {
  readonly name: string;
  readonly source: string;
  /** What it says nothing about, in words: energy and area are then not known, and what stands for them here is not shown. */
  readonly lacks: readonly string[];
  /** Decimals to which derived energies are rounded (Accelergy prints six). */
  readonly energyDecimals: number;
  /** Bits of the words that operators and register files are for; absent: of whatever words the architecture has. */
  readonly wordBits?: number | undefined;
  readonly operations: Readonly<Record<string, OperationCost>>;
  /** Operators of number types of their own (docs/arithmetic.md): of products by the factors', else by the accumulator's. */
  readonly types?: Readonly<Record<string, TypedOperations>> | undefined;
  readonly dram: { readonly energyPj: number; readonly bits: number };
  readonly registerFile: { readonly readPj: Formula; readonly writePj: Formula; readonly areaUm2: Formula };
  readonly sram: {
    /** What the address decoder adds to the table's energy and area. */
    readonly decoderPj: Formula;
    readonly decoderUm2: Formula;
    /** [width in bits, depth in rows, read pJ, write pJ, area in um2] per row of a buffer. */
    readonly table: readonly (readonly number[])[];
  };
}

export interface TypedOperations {
  /** Where the figures come from. */
  readonly source: string;
  readonly operations: Readonly<Record<string, OperationCost>>;
}

const positive = z.number().check(z.nonnegative());

const operations = z.record(
  z.string(),
  z.strictObject({
    energyPj: described("Picojoules of one.", positive),
    areaUm2: described("Square micrometres of its operator.", positive),
  }),
);

/** What is used where a technology says nothing; `lacks` says that it does. */
const unsaid = {
  operations: {},
  dram: { energyPj: 0, bits: 64 },
  registerFile: { readPj: 0, writePj: 0, areaUm2: 0 },
  sram: { decoderPj: 0, decoderUm2: 0, table: [[1, 1, 1, 1, 1]] },
} as const satisfies Partial<Technology>;

const partNames: Readonly<Record<keyof typeof unsaid, string>> = {
  operations: "operators",
  dram: "DRAM",
  registerFile: "register files",
  sram: "buffers",
};

const written = z.strictObject({
  name: described("Its name.", z.string()),
  source: described("Where its numbers come from.", z.string()),
  energyDecimals: described(
    "Decimals to which derived energies are rounded (default 6).",
    z._default(z.int().check(z.nonnegative()), 6),
  ),
  wordBits: described(
    "Bits of the words that operators and register files are for; left out: of any.",
    z.optional(z.number().check(z.positive())),
  ),
  operations: described(
    "Operations of a PE by name. A part that is left out (operations, dram, registerFile, sram) makes energy and area unknown.",
    z.optional(operations),
  ),
  types: described(
    "Operators of number types of their own: of products by the factors' type, else by the accumulator's.",
    z.optional(
      z.partialRecord(
        z.enum(numberTypeNames),
        z.strictObject({
          source: described("Where its numbers come from.", z.string()),
          operations: described("Operations of a PE by name.", operations),
        }),
      ),
    ),
  ),
  dram: described(
    "DRAM.",
    z.optional(
      z.strictObject({
        energyPj: described("Picojoules of one access, read or write.", positive),
        bits: described("Bits of one access.", z.number().check(z.positive())),
      }),
    ),
  ),
  registerFile: described(
    "Register files, over depth, addressBits = ceil(log2 depth) and, for words of any width, bits.",
    z.optional(
      z.strictObject({
        readPj: described("Picojoules of reading a word.", formula),
        writePj: described("Picojoules of writing a word.", formula),
        areaUm2: described("Square micrometres of the file.", formula),
      }),
    ),
  ),
  sram: described(
    "Buffers.",
    z.optional(
      z.strictObject({
        decoderPj: described(
          "Picojoules that the address decoder adds to an access, over depth and addressBits.",
          formula,
        ),
        decoderUm2: described("Square micrometres that the address decoder adds, over depth and addressBits.", formula),
        table: described(
          "A row a buffer: width in bits, rows, read pJ, write pJ, square micrometres.",
          numberTable.check(
            z.refine(rows => rows.length > 0 && rows.every(row => row.length === 5 && row.every(cell => cell > 0)), {
              error: "rows of five positive numbers: width, rows, read, write, area",
            }),
          ),
        ),
      }),
    ),
  ),
});

export const technologySchema: z.ZodMiniType<Technology> = z.pipe(
  written,
  z.transform((said: z.output<typeof written>) => ({
    ...said,
    operations: said.operations ?? unsaid.operations,
    dram: said.dram ?? unsaid.dram,
    registerFile: said.registerFile ?? unsaid.registerFile,
    sram: said.sram ?? unsaid.sram,
    lacks: (Object.keys(partNames) as (keyof typeof unsaid)[])
      .filter(part => said[part] === undefined)
      .map(part => partNames[part]),
  })),
);
