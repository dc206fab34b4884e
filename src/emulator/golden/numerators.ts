import { type OperandSpec, scaleBlock } from "../../numerics/arithmetic.js";
import { encode } from "./encode.js";

/** The softmax numerators of one query in a tile, over all its keys that exist; those that it does not see are 0. */
export interface Numerators {
  /** SLN, as operands. */
  readonly operands: Float64Array;
  /** What SLN of the key at this place in the tile is times, blocks counted from the tile's first key. */
  scale(place: number): number;
  readonly saturated: number;
}

/** SLN of E2 values (docs/arithmetic.md, "One tile", 3). For nvfp4 G is 1. */
export function numeratorsOf(values: Float64Array, spec: OperandSpec): Numerators {
  const width = scaleBlock(spec.scale) ?? values.length;
  const encoded = encode({ rows: 1, columns: values.length, values }, spec, { headFactor: 1 });
  return {
    operands: encoded.values,
    scale: place => encoded.scale(0, Math.floor(place / width)),
    saturated: encoded.saturated,
  };
}
