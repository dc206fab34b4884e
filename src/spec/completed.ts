import type { Document } from "./document.js";
import type { FusionFacts } from "./fusion-facts.js";
import type { Mapping } from "./mapping.js";
import type { PlacedEinsum } from "./placement.js";

/** A mapping with what its cascade says filled in, and each Einsum's place. */
export interface CompleteMapping {
  readonly mapping: Document<Mapping>;
  /** Undefined without a cascade. */
  readonly placement: readonly PlacedEinsum[] | undefined;
  /** For the check of what the Einsums hand over (fusion.ts). */
  readonly facts: FusionFacts;
}
