import { z } from "zod/mini";
import type { Document } from "../document.js";
import { parseSchedule, type ScheduleSpec } from "./schedule.js";

/** A schedule's file. */
export interface ScheduleDocument {
  readonly name: string;
  readonly source: string;
  /** Each letter's lag in epochs: a number, `auto`, or another letter's plus a number. */
  readonly tiles: Readonly<Record<string, number | string>>;
  /** Each array's program of one epoch, in the notation of Fig. 4. */
  readonly "2d": string;
  readonly "1d": string;
}

export const scheduleSchema: z.ZodMiniType<ScheduleDocument> = z.strictObject({
  name: z.string(),
  source: z.string(),
  tiles: z.record(
    z.string(),
    z.union([z.number(), z.string()], { error: "epochs, auto, or a letter plus a number (c + 1)" }),
  ),
  "2d": z.string(),
  "1d": z.string(),
});

/** The document's schedule, checked. Throws SpecError at its fields. */
export function scheduleOf({ data, at }: Document<ScheduleDocument>): ScheduleSpec {
  return parseSchedule(data.name, data, part => at(part.split(".")));
}
