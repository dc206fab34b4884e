import { z } from "zod";

/** A model's sizes; the sequence comes from the command line. */
export interface Workload {
  readonly name: string;
  readonly source: string;
  readonly batch: number;
  readonly heads: number;
  readonly headDim: number;
  readonly valueDim: number;
  /** D of the paper's table: the width of a token between layers. */
  readonly modelDim: number;
  /** S: the width of the feed-forward layer. */
  readonly feedForward: number;
}

const size = z.int().positive();

export const workloadSchema: z.ZodType<Workload> = z.strictObject({
  name: z.string(),
  source: z.string(),
  batch: size,
  heads: size,
  headDim: size,
  valueDim: size,
  modelDim: size,
  feedForward: size,
});
