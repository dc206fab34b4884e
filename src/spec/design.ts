import { z } from "zod/mini";
import type { Cascade } from "../einsum/cascade.js";
import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import type { Architecture } from "./architecture.js";
import type { Binding } from "./binding.js";
import type { DeclaredOperations } from "./declared-operations.js";
import type { Document } from "./document.js";
import { type Corrections, corrections, described } from "./fields.js";
import type { Mapping } from "./mapping.js";
import type { PlacedEinsum } from "./placement.js";
import type { ScheduleDocument } from "./schedule/document.js";
import type { Technology } from "./technology.js";

/** A design by the names of its parts, as its file has it. */
export interface DesignSpec {
  readonly name: string;
  /** What the paper's figures call it. */
  readonly label: string;
  readonly source: string;
  readonly cascade?: string | undefined;
  readonly architecture: string;
  readonly mapping: string;
  readonly binding: string;
  /** What values are computed in: a name of specs/arithmetic or a file; bf16 where it is left out. */
  readonly arithmetic?: string | undefined;
  /** The binding cycle by cycle, where the design has one. */
  readonly schedule?: string | undefined;
  /** Energy that the published sum leaves out. */
  readonly unchargedWhenPublished?: readonly Uncharged[] | undefined;
  readonly corrections?: Corrections | undefined;
}

/** An operation of some Einsums, or a memory level, that the published energy misses; `correction` brings it back. */
export interface Uncharged {
  readonly operation?: string | undefined;
  readonly einsums?: readonly string[] | undefined;
  readonly level?: string | undefined;
  readonly correction: string;
}

export const designSchema: z.ZodMiniType<DesignSpec> = z.strictObject({
  name: described("Its name.", z.string()),
  label: described("What figures call it.", z.string()),
  source: described("Where it comes from.", z.string()),
  cascade: described(
    "What it computes, by name or file; left out: the mapping says all itself.",
    z.optional(z.string()),
  ),
  architecture: described("Its machine, by name or file.", z.string()),
  mapping: described("How the cascade is laid over the machine, by name or file.", z.string()),
  binding: described("When each Einsum runs, by name or file.", z.string()),
  arithmetic: described("What values are computed in, by name or file; left out: bf16.", z.optional(z.string())),
  schedule: described("What happens cycle by cycle, by name or file.", z.optional(z.string())),
  unchargedWhenPublished: described(
    "Energy that the published sum leaves out.",
    z.optional(
      z.array(
        z.strictObject({
          operation: described("An operation that is not charged.", z.optional(z.string())),
          einsums: described("Of these Einsums alone.", z.optional(z.array(z.string()))),
          level: described("A level whose accesses are not charged.", z.optional(z.string())),
          correction: described("The correction that charges it.", z.string()),
        }),
      ),
    ),
  ),
  corrections: described("Fields that a correction changes: NAME: { field: value }.", z.optional(corrections)),
});

/** A design with all its parts read and checked, each with the places of its fields. */
export interface Design {
  readonly name: string;
  readonly label: string;
  readonly spec: Document<DesignSpec>;
  /** What it computes; undefined where it names no cascade, and its mapping says everything itself. */
  readonly cascade: Cascade | undefined;
  /** Where each Einsum of the cascade is done, in the mapping's order; undefined without a cascade. */
  readonly placement: readonly PlacedEinsum[] | undefined;
  /** What its mapping does Einsums with where that is not the cascade's text. */
  readonly declared: readonly DeclaredOperations[];
  readonly architecture: Document<Architecture>;
  /** With what the cascade says filled in. */
  readonly mapping: Document<Mapping>;
  readonly binding: Document<Binding>;
  readonly schedule: Document<ScheduleDocument> | undefined;
  readonly technology: Document<Technology>;
  readonly arithmetic: Document<ArithmeticSpec>;
  /** Who names it. Words of a design that names none, by a command that names none, have the architecture's `wordBits`. */
  readonly arithmeticBy: "command" | "design" | "default";
}
