import { z } from "zod/mini";
import type { ShardHeader } from "../../io/shard-file.js";
import { measures } from "../../model/sweep.js";
import { wholeNumber } from "../shard/header-schema.js";
import type { SweepWords } from "./asked.js";
import type { Stripes } from "./stripes.js";
import type { SweepTable } from "./table.js";

/** The first line of a shard of a sweep; then comes a line of JSON a stripe, its points. */
export interface SweepShardHeader extends ShardHeader {
  readonly command: "sweep";
  /** How many points the whole sweep has, and how they are dealt. */
  readonly stripes: Stripes;
  /** What the table says beside its points, lengths and axes in words. */
  readonly table: Omit<SweepTable, "lengths" | "axes">;
  readonly words: SweepWords;
}

export const sweepHeaderSchema = z.looseObject({
  stripes: z.strictObject({ size: wholeNumber, points: wholeNumber }),
  table: z.strictObject({
    designs: z.array(z.string()),
    workloads: z.array(z.strictObject({ name: z.string(), batch: z.number(), layers: z.string() })),
    phase: z.enum(["prefill", "decode"]),
    decodeQueries: z.number(),
    accounting: z.strictObject({
      name: z.enum(["published", "corrected"]),
      corrections: z.array(z.string()),
      mapping: z.enum(["published", "search"]),
    }),
    byDefault: z.boolean(),
    objectives: z.array(z.enum(measures)),
  }),
  words: z.strictObject({ seq: z.string(), set: z.array(z.string()) }),
});
