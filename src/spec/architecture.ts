import { z } from "zod/mini";
import type { Formula } from "./expression.js";
import { type Corrections, corrections, formula, formulas } from "./fields.js";

/**
 * A memory or a fan-out of an accelerator. Levels form a tree: each but the outermost stands `within` another. A
 * `fanout` level is a row of equal instances that work side by side; everything within it exists once per instance.
 */
export type Level = DramLevel | SramLevel | RegisterLevel | FanoutLevel;

export interface DramLevel {
  readonly kind: "dram";
  readonly bytesPerSecond: Formula;
  readonly areaUm2?: Formula | undefined;
}
export interface SramLevel {
  readonly kind: "sram";
  readonly within: string;
  readonly bytes: Formula;
  /** Words read or written by one access. */
  readonly rowWords: Formula;
  readonly energyPj?: AccessEnergy | undefined;
  readonly areaUm2?: Formula | undefined;
}
export interface RegisterLevel {
  readonly kind: "registers";
  readonly within: string;
  readonly depth: Formula;
  /** These are the registers of another level, reached from here; their area is counted there. */
  readonly sameAs?: string | undefined;
  readonly energyPj?: AccessEnergy | undefined;
  readonly areaUm2?: Formula | undefined;
}
export interface FanoutLevel {
  readonly kind: "fanout";
  readonly within: string;
  readonly size: Formula;
  readonly areaUm2?: Formula | undefined;
}

/** Energy per access in place of the technology's. */
export interface AccessEnergy {
  readonly read: Formula;
  readonly write: Formula;
}

/** PEs: the level whose registers feed them, and the cycles that each operation they have takes. */
export interface ProcessingArray {
  readonly at: string;
  readonly operations: Readonly<Record<string, Formula>>;
}

/** What happens cycle by cycle (docs/schedule.md). */
export interface ArchitectureTiming {
  /** Rows of the global buffer that the arrays can read, and write, in one cycle. */
  readonly bufferReadRows: Formula | "unlimited";
  readonly bufferWriteRows: Formula | "unlimited";
  /** How RM gets back into the columns: link by link up them, or through the buffer in that many cycles. */
  readonly rmReturn: "columns" | Formula;
  readonly dramLatencyCycles: Formula;
}

export interface Architecture {
  readonly name: string;
  readonly source: string;
  readonly technology: string;
  readonly frequencyHz: Formula;
  readonly wordBits: number;
  readonly parameters: Readonly<Record<string, Formula>>;
  readonly levels: Readonly<Record<string, Level>>;
  readonly arrays: Readonly<Record<string, ProcessingArray>>;
  /** What a schedule's simulation needs beyond that; absent where the architecture runs none. */
  readonly timing?: ArchitectureTiming | undefined;
  readonly corrections?: Corrections | undefined;
}

const energyPj = z.optional(z.strictObject({ read: formula, write: formula }));
const areaUm2 = z.optional(formula);

const level: z.ZodMiniType<Level> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("dram"), bytesPerSecond: formula, areaUm2 }),
  z.strictObject({ kind: z.literal("sram"), within: z.string(), bytes: formula, rowWords: formula, energyPj, areaUm2 }),
  z.strictObject({
    kind: z.literal("registers"),
    within: z.string(),
    depth: formula,
    sameAs: z.optional(z.string()),
    energyPj,
    areaUm2,
  }),
  z.strictObject({ kind: z.literal("fanout"), within: z.string(), size: formula, areaUm2 }),
]);

export const architectureSchema: z.ZodMiniType<Architecture> = z.strictObject({
  name: z.string(),
  source: z.string(),
  technology: z.string(),
  frequencyHz: formula,
  wordBits: z.number().check(z.positive()),
  parameters: formulas,
  levels: z.record(z.string(), level),
  arrays: z.record(z.string(), z.strictObject({ at: z.string(), operations: formulas })),
  timing: z.optional(
    z.strictObject({
      bufferReadRows: formula,
      bufferWriteRows: formula,
      rmReturn: formula,
      dramLatencyCycles: formula,
    }),
  ),
  corrections: z.optional(corrections),
});
