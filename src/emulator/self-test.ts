import { noMask } from "../attention/mask.js";
import type { AttentionProblem, Operands } from "../attention/problem.js";
import { allRows } from "../attention/rows.js";
import { type InputName, tensorShapes, valuesOf } from "../attention/shape.js";
import { type FormatName, formatNames } from "../numerics/format.js";
import { formatArithmetics, requireFormat } from "../numerics/format-of.js";
import { fromBits } from "../numerics/rounding.js";
import type { Engine } from "./engine.js";
import { generateNormal } from "./generate.js";
import { roundOperands } from "./operands.js";
import { type OpCase, opCases, type SelfTestOp } from "./self-test-ops.js";
import { Twin } from "./twin.js";

/** A whole small attention and its bits. */
export interface AttentionCase {
  readonly group: string;
  readonly problem: AttentionProblem;
  readonly operands: Operands;
  readonly expected: Uint32Array;
}

/** The first case in which an engine differs from the golden bits. */
export interface SelfTestFailure {
  readonly group: string;
  readonly op: SelfTestOp | "attention";
  readonly format: FormatName;
  readonly index: number;
  /** Bits of the operands, of the result got and of the result expected. */
  readonly inputs: readonly number[];
  readonly got: number;
  readonly expected: number;
}

/** Small attentions, one a format: grouped heads, a causal window, ragged tiles and lengths. */
export function attentionCases(names: readonly FormatName[] = formatNames): AttentionCase[] {
  const shape = { batch: 2, heads: 4, kvHeads: 2, queries: 11, keys: 45, headDim: 12, valueDim: 10 };
  return names.map(name => {
    const problem: AttentionProblem = {
      shape,
      mask: { ...noMask, left: 30, right: 0, kvLens: [45, 20], qLens: [11, 10] },
      tile: { m0: 8, p0: 4 },
      arithmetic: formatArithmetics[name],
      scale: 0.5,
    };
    const { queries, valueDim } = shape;
    const sizes = tensorShapes(shape);
    const input = (name: InputName): Float32Array => generateNormal(0x5e1f, name, valuesOf(sizes[name]));
    const inputs = { q: input("q"), k: input("k"), v: input("v") };
    const operands = roundOperands(inputs, shape, problem.arithmetic);
    const av = new Float32Array(allRows(problem).end * valueDim);
    const twin = new Twin(problem, operands);
    for (let start = 0; start < allRows(problem).end; start += queries) {
      twin.rows({ start, end: start + queries }, av.subarray(start * valueDim));
    }
    return { group: "a whole attention", problem, operands, expected: new Uint32Array(av.buffer) };
  });
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
  names: readonly FormatName[] = formatNames,
): Promise<SelfTestFailure | null> {
  if (runOps !== null) {
    for (const test of opCases(names)) {
      const failure = compareOp(test, await runOps(test));
      if (failure !== null) return failure;
    }
  }
  for (const { group, problem, operands, expected } of attentionCases(names)) {
    const session = await engine.open(problem, operands);
    const { av } = await session.run(allRows(problem)).finally(() => session.close());
    const got = new Uint32Array(av.buffer, av.byteOffset, av.length);
    const index = firstDifference(got, expected);
    if (index === null) continue;
    const result = { got: got[index] as number, expected: expected[index] as number };
    return {
      group,
      op: "attention",
      format: requireFormat(problem.arithmetic, group).name,
      index,
      inputs: [],
      ...result,
    };
  }
  return null;
}

function compareOp({ group, op, format, chain, a, b, c, expected }: OpCase, got: Uint32Array): SelfTestFailure | null {
  const index = firstDifference(got, expected);
  if (index === null) return null;
  const inputs = [a, b, c].flatMap(x => [...x.subarray(index * chain, (index + 1) * chain)]);
  return { group, op, format, index, inputs, got: got[index] ?? 0, expected: expected[index] as number };
}

function firstDifference(got: Uint32Array, expected: Uint32Array): number | null {
  const index = expected.findIndex((bits, i) => bits !== got[i]);
  return index === -1 ? null : index;
}

const hex = (bits: number): string => `0x${bits.toString(16).padStart(8, "0")}`;

/** A failure in one line, in bits and in decimal. */
export function describeFailure({ group, op, format, index, inputs, got, expected }: SelfTestFailure): string {
  const operands =
    inputs.length > 8 ? `${inputs.length} operands` : inputs.map(u => `${hex(u)} = ${fromBits(u)}`).join(", ");
  const value = (bits: number): string => `${hex(bits)} = ${fromBits(bits)}`;
  return `${group}, ${op} in ${format}, case ${index} (${operands}): got ${value(got)}; expected ${value(expected)}`;
}
