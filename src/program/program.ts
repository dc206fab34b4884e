import type { FloatType } from "../numerics/format.js";
import type { ProductSum } from "../numerics/summation.js";
import type { Scalar, Test } from "./scalar.js";
import type { Axis, Variable } from "./variable.js";

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
 * scalar statements over nothing, over the tile's keys, over blocks of them, or over a row's E or F. Statements hold
 * expressions of primitive operations on fp32 values, which the table of PE operations has made of the text (`peTable`):
 * printers know primitives only, so that another arithmetic needs another table and no other printer. FuseMax's own cascade
 * has more choices than its text says; `onePassProgram` makes its program in any arithmetic.
 *
 * Masks belong to the form. A row sees some keys; statements over keys run for those alone, a product's lanes are +0 for
 * the others, and a tile of which a row sees no key does not exist for it: all that a tile writes to what lasts longer
 * than the tile is kept as it was. A row without any key gives +0. Ragged tiles are tiles with fewer keys;
 * batches and heads that share keys only say which K and V a row reads.
 *
 * What an arithmetic asks of an engine beside the primitives is in the program, as data:
 * - `products`: how the terms of each product are summed. In a *chain* one after the other; in *blocks* of E or of keys that
 *   have scales; or in the *steps* of a tensor core. Blocks of a tile's keys are cut where one of the lanes' ends, counted from the
 *   tile's first key, and where one of V's ends, counted from key 0; those of E lie side by side. Steps are cut from each
 *   block's first position, or, without blocks, from the first position of E and the first key of the tile that exists,
 *   seen or not; one of which the row sees no key is left out. Scales of K, V and the query's blocks are the
 *   operands' (`OperandScales`); those of the lanes over keys are a variable (`scales`).
 * - `given`: variables that the engine sets before they are read: the scale of the row's query, those of the tile's keys, and
 *   that of the head's values.
 * - `blockKeys`: a variable over blocks has one value for each so many keys of the tile, counted from its first. A loop over keys
 *   reads and folds it at its key's block; a loop over blocks visits those that hold a key of the row.
 * - `descending`: keys are read from last to first. The tiles of a run are walked in descending order, and in each its keys are
 *   in descending order: place 0 is its last key that exists. Loops and products go up in places all the same.
 */

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
  /**
   * What of it: a value; the difference of scores that goes into its exponential; an exponent t in log2; or a sum that is 0,
   * which the value checked is above 1 for.
   */
  readonly what: "value" | "difference" | "exponent" | "zero";
  /** Holds where nothing is to be checked. */
  readonly unless: Test | null;
  /** Over what it is checked, value by value. */
  readonly over: Exclude<Axis, "row"> | null;
  /** The tensor's line among the program's, for the order in which offenders are named. */
  readonly order: number;
}

export interface ProductStep {
  readonly kind: "product";
  /** `E`: q or another row vector against K, one sum per key. `key`: values of keys against V, one sum a coordinate of F. */
  readonly over: "E" | "key";
  readonly lanes: Variable;
  readonly to: Variable;
  /** Whether it goes on from what is in `to`, as from tile to tile. */
  readonly continues: boolean;
  /** The scales of the lanes' blocks, a variable over blocks, where they are no operand's: over keys. */
  readonly scales: Variable | null;
}

export interface LoopStep {
  readonly kind: "loop";
  readonly over: Exclude<Axis, "row"> | null;
  readonly body: readonly Statement[];
}

export type Step = ProductStep | LoopStep;

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
  readonly accumulator: FloatType;
  /** How products over E (with K) and over keys (with V) are summed. */
  readonly products: Readonly<Record<"E" | "key", ProductSum>>;
  /** Keys of a block; null where nothing is over blocks. */
  readonly blockKeys: number | null;
  /** Whether keys are read from last to first. */
  readonly descending: boolean;
  readonly variables: readonly Variable[];
  /** Those among them that a tile hands on to the next. */
  readonly carried: ReadonlySet<Variable>;
  /** The query, a vector over E. */
  readonly query: Variable;
  /** AV, a vector over F; or RNV, of a program of runs of keys that are merged afterwards. */
  readonly output: Variable;
  /** How many numerators of a row were past the largest value of their type; absent where none can be. */
  readonly saturated?: Variable;
  readonly passes: readonly Pass[];
  /** Of a one-pass cascade: its running maximum and denominator, which end as RM and RD of the row. */
  readonly states?: { readonly maximum: Variable; readonly denominator: Variable };
  /** What variables hold before the first tile, in place of their own `initial`. */
  readonly starts?: ReadonlyMap<Variable, number | typeof sinkStart>;
}

/** The sink of the row's head, which the host gives. */
export const sinkStart = "sink";

/** What a variable of a row holds before the first tile, `sink` being the row's; null where nothing needs to be set. */
export function startOf({ starts }: TileProgram, variable: Variable, sink: number): number | null {
  if (variable.life !== "row") return null;
  const start = starts?.get(variable) ?? variable.initial;
  return start === sinkStart ? sink : start;
}

/** The variable that the host fills with the biases of a tile's keys; undefined where there is none. */
export const biasOf = ({ variables }: TileProgram): Variable | undefined =>
  variables.find(({ given }) => given === "bias");

/** What lives between passes, per row: one value for each key or for each tile. */
export function liveBetweenPasses({
  variables,
}: TileProgram): { readonly tensor: string; readonly per: "key" | "tile" }[] {
  return variables
    .filter(({ life }) => life === "whole")
    .map(({ name, axis }) => ({ tensor: name, per: axis === "key" ? "key" : "tile" }));
}
