import type { Format } from "../numerics/format.js";
import type { AttentionMask } from "./mask.js";
import type { AttentionShape } from "./shape.js";
import type { Tile } from "./tile.js";

/** Everything that fixes the bits of an attention, but for the values of its operands. */
export interface AttentionProblem {
  readonly shape: AttentionShape;
  readonly mask: AttentionMask;
  readonly tile: Tile;
  readonly format: Format;
  /** Multiplies the scores inside the exponential: c = RNE32(scale * log2 e). */
  readonly scale: number;
  /** The cascade that computes it; FuseMax's own 1-pass cascade where absent. */
  readonly cascade?: CascadeSource;
}

/** A cascade of the language of docs/cascades.md, by its text. */
export interface CascadeSource {
  /** What errors call it. */
  readonly name: string;
  readonly text: string;
}

/**
 * Q [B,H,P,E], K [B,Hkv,M,E] and V [B,Hkv,M,F], row-major, already rounded to the operand format by rO and held as
 * fp32 values (every operand value is an fp32 value).
 */
export interface Operands {
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
}
