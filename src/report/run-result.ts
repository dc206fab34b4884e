import type { CheckResult } from "../emulator/check.js";
import type { EngineName } from "../emulator/engine.js";
import type { Saturated } from "../emulator/golden/one-pass.js";
import type { RunCost } from "../model/cost.js";
import type { FormatName } from "../numerics/format.js";
import type { WrittenArithmetic } from "./arithmetic.js";
import type { OnnxComparison } from "./onnx-comparison.js";

/** What `fusemax run` found: its JSON, schema fusemax.run/1. Fields may be added to it, never renamed. */
export interface RunResult {
  readonly schema: "fusemax.run/1";
  readonly workload: {
    readonly model: string | null;
    /** Which kind of the model's layers, where it has several; else null. */
    readonly layers: string | null;
    /** Each value is the first part of its key, as the model has it: the cost counts one tensor. */
    readonly valuesInKeys: boolean;
    readonly batch: number;
    readonly heads: number;
    readonly kvHeads: number;
    readonly queries: number;
    readonly keys: number;
    /** How many of the keys come from a cache (--past-k); null without one. */
    readonly pastKeys: number | null;
    readonly headDim: number;
    readonly valueDim: number;
    readonly scale: number;
    /** Of the generated inputs; null with files. */
    readonly seed: number | null;
    readonly spread: number | null;
    readonly causal: boolean;
    /** Keys seen left and right of a query's own place as asked for, -1 unbounded; `causal` bounds the right to 0. */
    readonly window: readonly [left: number, right: number];
    /** The corner that causal masks and windows are aligned to: the last query and key, or the first; null without them. */
    readonly corner: "bottom-right" | "top-left" | null;
    /** Every --mask in words, and those that files of inputs hold; all masks intersect. */
    readonly masks: readonly string[];
    readonly kvLens: readonly number[] | null;
    /** Keys of each batch that are padding in front. */
    readonly leftPad: readonly number[] | null;
    /** How many scores the mask leaves, of all heads. */
    readonly scores: number;
    /** What scores are capped at by tanh. */
    readonly softcap: number | null;
    /** The sizes [B, H, P, M] of what is added to scores, 1 where it is the same for all. */
    readonly bias: readonly number[] | null;
    /** Whether each head has a sink. */
    readonly sink: boolean;
    readonly qLens: readonly number[] | null;
    /**
     * Linear biases (--alibi): how many elements wider than `headDim` they make queries and keys, in cost and speed
     * too; or null.
     */
    readonly alibi: { readonly elements: number } | null;
  };
  readonly design: string;
  /** The cascade whose values were computed. */
  readonly cascade: string;
  /** The cascade whose cost is given: the design's own, which --cascade does not change; null where they are one. */
  readonly costOfCascade: string | null;
  readonly tile: { readonly m0: number; readonly p0: number };
  /** All that the values were computed in, as a file of it has it. */
  readonly arithmetic: WrittenArithmetic;
  /** The short name of the arithmetic, where it is one of the five formats. */
  readonly format: FormatName | null;
  /** Runs of key tiles that were merged at the end. */
  readonly kvSplits: number;
  /** Operands that were past the largest value of their type, and became it; of p in all rows, resumed ones included. */
  readonly saturated: Saturated;
  readonly engine: {
    readonly name: EngineName;
    readonly adapter: string | null;
    /** Why this engine, in a sentence. */
    readonly reason: string;
  };
  readonly output: {
    readonly shape: readonly number[];
    /** Of AV in accumulator values as little-endian fp32, row-major. */
    readonly sha256: string;
    /** Queries that see no key: their rows are zeros. */
    readonly rowsWithoutKeys: number;
    readonly file: string | null;
  };
  /** Against float64 attention on the inputs rounded to operands; null with --check none. */
  readonly error: CheckResult | null;
  /** With --onnx: the model's outputs beside those of its test data. */
  readonly onnx?: OnnxComparison;
  readonly cost: RunCost;
  readonly time: {
    readonly totalSeconds: number;
    /** From the upload of the operands to the last row, compilation left out. */
    readonly emulateSeconds: number;
    /** 2 * (scores that exist in the rows computed) * (E + F) / emulateSeconds / 1e9. */
    readonly gflops: number;
    readonly checkSeconds: number;
    /** Rows that an earlier run had finished (--resume). */
    readonly resumedRows: number;
  };
}
