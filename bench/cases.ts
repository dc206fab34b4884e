import { formatArithmetics, formats, generateNormal, noMask } from "fusemax";
import type { AttentionProblem, CascadeSource, Operands } from "#fusemax/attention/problem";
import { roundOperands, roundTensor } from "#fusemax/emulator/operands";
import type { ArithmeticSpec } from "#fusemax/numerics/arithmetic";
import type { FormatName } from "#fusemax/numerics/format";

/** One attention to be timed: `seq` queries and keys of one head, E = F = `dim`. */
export interface BenchCase {
  readonly seq: number;
  readonly dim: number;
  readonly format: FormatName;
  /** All rows are computed, once where it takes long; else as many as take a while, over and over. */
  readonly whole?: boolean;
  /** That of the format where absent. */
  readonly arithmetic?: ArithmeticSpec;
  /** FuseMax's own where absent. */
  readonly cascade?: CascadeSource;
}

export const allCases: readonly BenchCase[] = (["bf16", "bf16-strict"] as const).flatMap(format =>
  [64, 128].flatMap(dim => [1024, 4096, 16384].map(seq => ({ seq, dim, format }))),
);

export const arithmeticOf = ({ format, arithmetic }: BenchCase): ArithmeticSpec =>
  arithmetic ?? formatArithmetics[format];

export function problemOf(one: BenchCase): AttentionProblem {
  const { seq, dim, cascade } = one;
  const shape = { batch: 1, heads: 1, kvHeads: 1, queries: seq, keys: seq, headDim: dim, valueDim: dim };
  return {
    shape,
    mask: noMask,
    tile: { m0: 256, p0: 256 },
    arithmetic: arithmeticOf(one),
    scale: dim ** -0.5,
    ...(cascade === undefined ? {} : { cascade }),
  };
}

/** Multiply-accumulates count as two, exponentials and divisions as none: 4 P M E. */
export const flopsOf = ({ seq, dim }: BenchCase, rows = seq): number => 4 * rows * seq * dim;

/** Normal operands; a few thousand values repeat, since no engine's time depends on them. */
export function operandsOf(
  one: BenchCase,
  allocate = (length: number): Float32Array => new Float32Array(length),
): Operands {
  const { seq, dim, format, arithmetic } = one;
  if (arithmetic !== undefined) {
    const { shape } = problemOf(one);
    const made = (name: "q" | "k" | "v") => generateNormal(0, name, seq * dim);
    return roundOperands({ q: made("q"), k: made("k"), v: made("v") }, shape, arithmetic, allocate);
  }
  const period = 4099;
  const tensor = (name: "q" | "k" | "v"): Float32Array => {
    const some = roundTensor(generateNormal(0, name, period), name, [period], formats[format].operand);
    const all = allocate(seq * dim);
    for (let at = 0; at < all.length; at += period) all.set(some.subarray(0, Math.min(period, all.length - at)), at);
    return all;
  };
  return { q: tensor("q"), k: tensor("k"), v: tensor("v") };
}

export const nameOf = ({ seq, dim, format }: BenchCase): string => `${seq / 1024}K ${dim} ${format}`;
