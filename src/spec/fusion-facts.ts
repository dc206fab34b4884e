import type { Cascade } from "../einsum/cascade.js";
import type { Rank } from "../einsum/ranks.js";
import type { Architecture } from "./architecture.js";
import type { Path } from "./document.js";
import type { Mapping } from "./mapping.js";

/** A read as the fusion of two Einsums sees it. */
export interface FusedRead {
  readonly name: string;
  /** The tensor that is there: RM for RM0. */
  readonly tensor: string;
  /** `carried`: what the tile before left; `last`: what an iteration leaves at its end; else the same tile's. */
  readonly when: "now" | "carried" | "last";
  /** Whether windows slide over it: a tile of the reader wants words of several tiles of the maker. */
  readonly slides?: true;
}

/** What a design's cascade says of its Einsums; without one, what its mapping types. */
export interface FusionFacts {
  reads(einsum: string): readonly FusedRead[];
  /** The ranks of a tensor in the mapping, and the one over which it is iterated (in the mapping's parts). */
  ranks(tensor: string): readonly string[];
  iterates(tensor: string): readonly string[];
  /** The cascade's Einsum of that name, and its rank that a loop is over; undefined without a cascade, and for the batch. */
  indexOf(einsum: string): number | undefined;
  rankOf(part: string): Rank | undefined;
  readonly cascade: Cascade | undefined;
}

/** Throws SpecError where an Einsum reads what is not there any more, or not yet. */
export type CheckFusion = (
  mapping: Mapping,
  architecture: Architecture,
  facts: FusionFacts,
  at: (path: Path) => string,
) => void;
