import { z } from "zod/mini";
import type { Formula } from "./expression.js";
import { type Corrections, corrections, described, formula } from "./fields.js";

/**
 * When each Einsum runs. Phases follow one another; within a phase, `latency` is a series-parallel expression over
 * Einsum names: `+` is one after the other, `max` side by side, a number times an Einsum repeats it. The phase ends
 * when both its computation and its DRAM traffic are done.
 */
export interface Binding {
  readonly name: string;
  readonly source: string;
  readonly phases: readonly Phase[];
  readonly corrections?: Corrections | undefined;
}

export interface Phase {
  readonly name: string;
  readonly latency: Formula;
}

export const bindingSchema: z.ZodMiniType<Binding> = z.strictObject({
  name: described("Its name.", z.string()),
  source: described("Where it comes from.", z.string()),
  phases: described(
    "Phases one after the other; a phase ends when its computation and its DRAM traffic are done.",
    z
      .array(
        z.strictObject({
          name: described("What the phase is called.", z.string()),
          latency: described(
            "Its cycles, over the names of Einsums: + is one after the other, max side by side, a number times an Einsum repeats it.",
            formula,
          ),
        }),
      )
      .check(z.minLength(1)),
  ),
  corrections: described("Fields that a correction changes: NAME: { field: value }.", z.optional(corrections)),
});
