import { noMask } from "../attention/mask.js";
import type { AttentionProblem, Operands } from "../attention/problem.js";
import { allRows } from "../attention/rows.js";
import { type InputName, tensorShapes, valuesOf } from "../attention/shape.js";
import { NumericsError } from "../errors.js";
import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import { fromBits } from "../numerics/rounding.js";
import type { Engine } from "./engine.js";
import { generateNormal } from "./generate.js";
import { goldenAttention } from "./golden/attention.js";
import { roundOperands } from "./operands.js";
import { opCases } from "./self-test-cases.js";
import type { OpCase, SelfTestOp } from "./self-test-ops.js";

/** A whole small attention and its bits. */
export interface AttentionCase {
  readonly title: string;
  readonly problem: AttentionProblem;
  readonly operands: Operands;
  /** Null where the arithmetic has no values for it: an offset at which every numerator rounds to 0. */
  readonly expected: Uint32Array | null;
}

/** The first case in which an engine differs from the golden bits. */
export interface SelfTestFailure {
  readonly title: string;
  readonly op: SelfTestOp | "attention";
  /** Its name. */
  readonly arithmetic: string;
  readonly index: number;
  /** Bits of the operands, of the result got and of the result expected. */
  readonly inputs: readonly number[];
  readonly got: number;
  readonly expected: number;
}

/** A small attention: grouped heads, a causal window, ragged tiles and lengths. */
export function attentionCase(arithmetic: ArithmeticSpec): AttentionCase {
  const shape = { batch: 2, heads: 4, kvHeads: 2, queries: 11, keys: 45, headDim: 12, valueDim: 10 };
  const mask = { ...noMask, left: 30, right: 0, kvLens: [45, 20], qLens: [11, 10] };
  const problem: AttentionProblem = { shape, mask, tile: { m0: 8, p0: 4 }, arithmetic, scale: 0.5 };
  const sizes = tensorShapes(shape);
  const input = (name: InputName): Float32Array => generateNormal(0x5e1f, name, valuesOf(sizes[name]));
  const inputs = { q: input("q"), k: input("k"), v: input("v") };
  const operands = roundOperands(inputs, shape, arithmetic, undefined, mask);
  const expected = unlessRefused(() => new Uint32Array(goldenAttention({ ...problem, kvSplits: 1 }, inputs).av.buffer));
  return { title: "a whole attention", problem, operands, expected };
}

/** What a computation gives; null where a value of it is out of range. */
function unlessRefused<T>(compute: () => T): T | null {
  try {
    return compute();
  } catch (error) {
    if (error instanceof NumericsError) return null;
    throw error;
  }
}

/**
 * What an engine lets be tested: its operations one by one (an engine without kernels of its own has none), and the
 * whole.
 */
export interface TestedEngine {
  readonly runOps: ((test: OpCase) => Promise<Uint32Array>) | null;
  readonly engine: Engine;
}

/** Runs the self-test; gives the first failing case, or null when every bit is right. */
export async function selfTest(
  { runOps, engine }: TestedEngine,
  arithmetic: ArithmeticSpec,
): Promise<SelfTestFailure | null> {
  if (runOps !== null) {
    for (const test of opCases(arithmetic)) {
      const failure = compareOp(test, await runOps(test));
      if (failure !== null) return failure;
    }
  }
  const { title, problem, operands, expected } = attentionCase(arithmetic);
  // Other inputs may have values all the same: with a sink the denominator is never 0. The operations are tested by then.
  if (expected === null) return null;
  const session = await engine.open(problem, operands);
  const { av } = await session.run(allRows(problem)).finally(() => session.close());
  const got = new Uint32Array(av.buffer, av.byteOffset, av.length);
  const index = firstDifference(got, expected);
  if (index === null) return null;
  const result = { got: got[index] as number, expected: expected[index] as number };
  return { title, op: "attention", arithmetic: arithmetic.name, index, inputs: [], ...result };
}

function compareOp({ title, op, arithmetic, a, b, c, expected }: OpCase, got: Uint32Array): SelfTestFailure | null {
  const index = firstDifference(got, expected);
  if (index === null) return null;
  const inputs = [a, b, c].flatMap(x => {
    const each = x.length / expected.length;
    return [...x.subarray(index * each, (index + 1) * each)];
  });
  const result = { got: got[index] ?? 0, expected: expected[index] as number };
  return { title, op, arithmetic: arithmetic.name, index, inputs, ...result };
}

function firstDifference(got: Uint32Array, expected: Uint32Array): number | null {
  const index = expected.findIndex((bits, i) => bits !== got[i]);
  return index === -1 ? null : index;
}

const hex = (bits: number): string => `0x${bits.toString(16).padStart(8, "0")}`;

/** A failure in one line, in bits and in decimal. */
export function describeFailure({ title, op, arithmetic, index, inputs, got, expected }: SelfTestFailure): string {
  const operands =
    inputs.length > 8 ? `${inputs.length} operands` : inputs.map(u => `${hex(u)} = ${fromBits(u)}`).join(", ");
  const value = (bits: number): string => `${hex(bits)} = ${fromBits(bits)}`;
  return `${title}, ${op} in ${arithmetic}, case ${index} (${operands}): got ${value(got)}; expected ${value(expected)}`;
}
