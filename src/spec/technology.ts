import { z } from "zod";
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

const positive = z.number().nonnegative();

export const technologySchema: z.ZodType<Technology> = z.strictObject({
  name: z.string(),
  source: z.string(),
  energyDecimals: z.int().nonnegative(),
  wordBits: z.number().positive().optional(),
  operations: z.record(z.string(), z.strictObject({ energyPj: positive, areaUm2: positive })),
  dram: z.strictObject({ energyPj: positive, bits: z.number().positive() }),
  registerFile: z.strictObject({ readPj: formula, writePj: formula, areaUm2: formula }),
  sram: z.strictObject({
    decoderPj: formula,
    decoderUm2: formula,
    table: numberTable.refine(
      rows => rows.length > 0 && rows.every(row => row.length === 5 && row.every(cell => cell > 0)),
      {
        error: "rows of five positive numbers: width, rows, read, write, area",
      },
    ),
  }),
});
