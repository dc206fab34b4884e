import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import type { ScoreSizes, ScoreTensor } from "./broadcast.js";
import type { AttentionMask } from "./mask.js";
import type { AttentionShape, InputName } from "./shape.js";
import type { Tile } from "./tile.js";

/** Everything that fixes the bits of an attention, but for the values of its operands. */
export interface AttentionProblem {
  readonly shape: AttentionShape;
  readonly mask: AttentionMask;
  readonly tile: Tile;
  readonly arithmetic: ArithmeticSpec;
  /** Multiplies the scores inside the exponential: c = RNE32(scale * log2 e). */
  readonly scale: number;
  /** Scores are bounded by tanh to this magnitude, in score units (after `scale`), before bias, mask and maximum. */
  readonly softcap?: number;
  /** The sizes of an additive bias, whose values are an operand. */
  readonly bias?: ScoreSizes;
  /** Whether each head has a sink: a logit of no key that takes part in its softmax. */
  readonly sink?: boolean;
  /** Whether RM and RD of each row are wanted beside AV, as the log-sum-exp needs them. */
  readonly states?: boolean;
  /** The cascade that computes it; FuseMax's own 1-pass cascade where absent. */
  readonly cascade?: CascadeSource;
  /** Runs of key tiles that are merged at the end; 1, where absent, merges nothing. */
  readonly kvSplits?: number;
}

/** A cascade of the language of docs/cascades.md, by its text. */
export interface CascadeSource {
  /** What errors call it. */
  readonly name: string;
  readonly text: string;
}

/**
 * Q [B,H,P,E], K [B,Hkv,M,E] and V [B,Hkv,M,F], row-major, as the multipliers take them: rounded to operands by rO, where
 * an arithmetic scales them after the division by the scale, and held as fp32 values (every operand value is one).
 */
export interface Operands {
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  /** What operands are times, for those that have scales. */
  readonly scales?: OperandScales;
  /** How many operands were past the largest value of their type. */
  readonly saturated?: Readonly<Record<InputName, number>>;
  /** rA(RNE32(bias / scale)) of a problem with a bias; +0 where it is -inf, which the mask hides. */
  readonly addends?: ScoreTensor<Float32Array>;
  /** rA(RNE32(sink / scale)) of each query head, of a problem with sinks. */
  readonly sinks?: Float32Array;
}

/**
 * The scales of operands as fp32 values, row-major; absent for a tensor without. The scales `tensor`, `head` and `rows`
 * are given for each token of q and k, [B,H,P] and [B,Hkv,M], and for each head of v, [B,Hkv]. Blocks of w (`mx`: 32,
 * `nvfp4`: 16) have q [B,H,P,ceil(E/w)], k [B,Hkv,M,ceil(E/w)] and v [B,Hkv,ceil(M/w),F]; nvfp4's two levels are one: its
 * scale is RNE32(e / G).
 */
export type OperandScales = Readonly<Partial<Record<InputName, Float32Array>>>;
