import { z } from "zod/mini";
import type { Formula } from "./expression.js";
import { formula, numberTable } from "./fields.js";

/** What one operation of a PE costs. */
export interface OperationCost {
  readonly energyPj: number;
  readonly areaUm2: number;
}

/**
 * A process with its building blocks: energy and area per action of operators, register files, buffers and DRAM.
 * The formulas know `depth` and `addressBits` = ceil(log2 depth).
 */
export interface Technology {
  readonly name: string;
  readonly source: string;
  /** Decimals to which derived energies are rounded (Accelergy prints six). */
  readonly energyDecimals: number;
  /** Bits of the words that operators and register files are for; absent: of whatever words the architecture has. */
  readonly wordBits?: number | undefined;
  readonly operations: Readonly<Record<string, OperationCost>>;
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

const positive = z.number().check(z.nonnegative());

export const technologySchema: z.ZodMiniType<Technology> = z.strictObject({
  name: z.string(),
  source: z.string(),
  energyDecimals: z.int().check(z.nonnegative()),
  wordBits: z.optional(z.number().check(z.positive())),
  operations: z.record(z.string(), z.strictObject({ energyPj: positive, areaUm2: positive })),
  dram: z.strictObject({ energyPj: positive, bits: z.number().check(z.positive()) }),
  registerFile: z.strictObject({ readPj: formula, writePj: formula, areaUm2: formula }),
  sram: z.strictObject({
    decoderPj: formula,
    decoderUm2: formula,
    table: numberTable.check(
      z.refine(rows => rows.length > 0 && rows.every(row => row.length === 5 && row.every(cell => cell > 0)), {
        error: "rows of five positive numbers: width, rows, read, write, area",
      }),
    ),
  }),
});
