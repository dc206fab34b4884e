/** Over what a value is defined: once per row, for each key or block of keys, for each coordinate of E or of F. */
export type Axis = "row" | "key" | "block" | "E" | "F";

/** What a host sets by itself: biases of scores; the scale of a row's query, of each key of a tile, of a head's values. */
export type Given = "bias" | "queryScale" | "keyScale" | "valueScale";

/**
 * How long a value lives: within the one loop that makes it; within a tile; until the program ends (of one value per row,
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
  /** What the host fills in before the steps that read it, in place of a step. */
  readonly given?: Given;
}
