import { z } from "zod/mini";
import type { Document } from "../document.js";
import { described } from "../fields.js";
import { parseSchedule, type ScheduleSpec, type WhereOf } from "./schedule.js";

/** A schedule's file: beside these fields one for each array, its program of one epoch in the notation of Fig. 4. */
export interface ScheduleDocument {
  readonly name: string;
  readonly source: string;
  /** Each letter's lag in epochs: a number, `auto`, or another letter's plus a number. */
  readonly tiles: Readonly<Record<string, number | string>>;
  readonly [array: string]: unknown;
}

export const scheduleSchema: z.ZodMiniType<ScheduleDocument> = z.catchall(
  z.object({
    name: described("Its name.", z.string()),
    source: described("Where it comes from.", z.string()),
    tiles: described(
      "Each letter's lag in epochs: a number, auto, or another letter's plus a number (c + 1).",
      z.record(
        z.string(),
        z.union([z.number(), z.string()], { error: "epochs, auto, or a letter plus a number (c + 1)" }),
      ),
    ),
  }),
  z.string({ error: "an array's program, such as BQK[a] -> LM[a]" }),
);

/** Where the parts of a schedule's document are. */
export const placesIn =
  ({ at }: Document<ScheduleDocument>): WhereOf =>
  part =>
    at(part.split("."));

/** The document's schedule. Throws SpecError at its fields. */
export function scheduleOf(document: Document<ScheduleDocument>): ScheduleSpec {
  const { name, source: _, tiles, ...arrays } = document.data;
  const programs = Object.fromEntries(Object.entries(arrays).map(([array, text]) => [array, String(text)]));
  return parseSchedule(name, { tiles, programs }, placesIn(document));
}
