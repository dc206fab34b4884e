import { z } from "zod/mini";
import { layouts } from "../../attention/layout.js";
import type { RowRange } from "../../attention/rows.js";
import type { ShardHeader } from "../../io/shard-file.js";
import type { RunResult } from "../../report/run-result.js";
import { wholeNumber } from "../shard/header-schema.js";
import type { FileLayout } from "./input-layout.js";

/** The first line of a shard of a run; then come the values of its rows in fp32, and the errors of those that were checked. */
export interface RunShardHeader extends ShardHeader {
  readonly command: "run";
  readonly rows: RowRange;
  /** Values in a row. */
  readonly width: number;
  /** How many of its rows were checked; null with --check none. */
  readonly checkedRows: number | null;
  /** Whether the arithmetic has a baseline. */
  readonly hasBaseline: boolean;
  readonly maxError: number | null;
  /** How the output keeps its ranks. */
  readonly layout: FileLayout;
  /** The result, but for what is known only of all rows: error, hash of the output, numerators that saturated. */
  readonly result: RunResult;
}

/** Of the result what joining computes with; the rest is printed. */
const result = z.looseObject({
  schema: z.literal("fusemax.run/1"),
  workload: z.looseObject({ heads: wholeNumber }),
  arithmetic: z.looseObject({ name: z.string() }),
  saturated: z.record(z.enum(["q", "k", "v", "p"]), wholeNumber),
  engine: z.looseObject({ name: z.string(), adapter: z.nullable(z.string()) }),
  output: z.looseObject({
    shape: z.tuple([wholeNumber, wholeNumber, wholeNumber, wholeNumber]),
    rowsWithoutKeys: wholeNumber,
  }),
  cost: z.looseObject({}),
  time: z.record(
    z.enum(["totalSeconds", "emulateSeconds", "gflops", "checkSeconds", "resumedRows"]),
    z.number().check(z.nonnegative()),
  ),
});

export const runHeaderSchema = z.looseObject({
  rows: z.strictObject({ start: wholeNumber, end: wholeNumber }),
  width: wholeNumber,
  checkedRows: z.nullable(wholeNumber),
  hasBaseline: z.boolean(),
  maxError: z.nullable(z.number()),
  layout: z.strictObject({ layout: z.enum(layouts), ranks: wholeNumber }),
  result,
});
