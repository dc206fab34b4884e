import type { FloatType } from "../numerics/format.js";
import type { Scalar, Test } from "./scalar.js";

/*
 * The tile program: one form between a cascade's text and the engines, built once per design (`lower`).
 *
 * A cascade that computes attention works for each query alone: its program is that of one output row, and an engine
 * runs it for as many rows side by side as it likes. The keys are walked in tiles, in ascending order: the tiles of the
 * mapping where the cascade splits the keys (M = M1 * M0), any tiles where it does not, since sums and maxima ascend
 * and so no cutting changes a bit. A *pass* walks them once; an Einsum whose elements need a whole fiber of what
 * an earlier pass folds comes a pass later, and what a later pass reads again per key or per tile is *whole*: it lives
 * between passes, and nothing else does (the footprints of `fusemax passes`).
 *
 * A step of a tile is a *product* (a sum of a * b against K or V: engines call a block tuned by hand) or a *loop* of
 * scalar statements over nothing, over the tile's keys, or over a row's E or F. Statements hold expressions of
 * primitive operations on fp32 values, which the table of PE operations has made of the text (`peTable`): printers know
 * primitives only, so that another arithmetic needs another table and no other printer.
 *
 * Masks belong to the form. A row sees some keys; statements over keys run for those alone, a product's lanes are +0 for
 * the others, and a tile of which a row sees no key does not exist for it: all that a tile writes to what lasts longer
 * than the tile is kept as it was. A row without any key gives +0. Ragged tiles are tiles with fewer keys;
 * batches and heads that share keys only say which K and V a row reads.
 */

/** Over what a value is defined: once a row, for each key, for each coordinate of E or of F. */
export type Axis = "row" | "key" | "E" | "F";

/**
 * How long a value lives: within the one loop that makes it; within a tile; until the program ends (of one value a row,
 * or a vector: set in `initial` before the pass that writes it begins); or for every key or tile of the row.
 */
export type Life = "local" | "tile" | "row" | "whole";

export interface Variable {
  /** The cascade's tensor, with a prime for its value after this tile, or with a hat as the operand of a product. */
  readonly name: string;
  readonly axis: Axis;
  /** The tensor of the cascade that this is, or null for a hat. */
  readonly tensor: string | null;
  readonly life: Life;
  /** What it holds before the first tile, where it outlives tiles and is built up in them. */
  readonly initial: number | null;
  /** Whether every value is an operand, below which nothing is and of which a product is exact in 16-bit formats. */
  readonly operand: boolean;
}

export type Statement =
  /** Sets a value, at the loop's coordinate where it has an axis. */
  | { readonly kind: "set"; readonly to: Variable; readonly value: Scalar }
  /** Folds values over the loop's axis, ascending, into one of a row: `value` reads `to` as what is folded so far. */
  | {
      readonly kind: "fold";
      readonly to: Variable;
      readonly value: Scalar;
      /** What it starts from in each tile; null where it goes on from tile to tile. */
      readonly start: number | null;
    }
  /** A magnitude above `limit` is a numerics error. */
  | { readonly kind: "check"; readonly value: Scalar; readonly limit: number; readonly where: CheckedPlace };

export interface CheckedPlace {
  /** The tensor to name. */
  readonly tensor: string;
  /** Whether it is the argument of the tensor's exponential. */
  readonly difference: boolean;
  /** Holds where nothing is to be checked. */
  readonly unless: Test | null;
  /** The tensor's line among the program's, for the order in which offenders are named. */
  readonly order: number;
}

export type Step =
  | {
      readonly kind: "product";
      /** `E`: q or another row vector against K, one sum a key. `key`: values of keys against V, one sum a coordinate of F. */
      readonly over: "E" | "key";
      readonly lanes: Variable;
      readonly to: Variable;
      /** Whether it goes on from tile to tile. */
      readonly continues: boolean;
    }
  | { readonly kind: "loop"; readonly over: Exclude<Axis, "row"> | null; readonly body: readonly Statement[] };

/** One walk over the key tiles. */
export interface Pass {
  readonly tile: readonly Step[];
  /** What is done once, after the last tile. */
  readonly end: readonly Step[];
}

export interface TileProgram {
  readonly name: string;
  /** Whether the cascade splits the keys into tiles, so that their size changes bits. */
  readonly splitsKeys: boolean;
  readonly operand: FloatType;
  readonly accumulator: FloatType;
  readonly variables: readonly Variable[];
  /** The query, a vector over E. */
  readonly query: Variable;
  /** AV, a vector over F. */
  readonly output: Variable;
  readonly passes: readonly Pass[];
}

/** What lives between passes, per row: one value for each key or for each tile. */
export function liveBetweenPasses({
  variables,
}: TileProgram): { readonly tensor: string; readonly per: "key" | "tile" }[] {
  return variables
    .filter(({ life }) => life === "whole")
    .map(({ name, axis }) => ({ tensor: name, per: axis === "key" ? "key" : "tile" }));
}
