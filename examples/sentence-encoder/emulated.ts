import { check, emulate, formatArithmetics, noMask, sampleRows } from "fusemax";
import type { AttentionProblem } from "#fusemax/attention/problem";
import type { CheckResult } from "#fusemax/emulator/check";
import { roundOperands } from "#fusemax/emulator/operands";
import type { FormatName } from "#fusemax/numerics/format";
import type { ChosenEngine } from "#fusemax/platform/choose-engine";
import type { LayerInputs } from "./attention.js";

/** The array of the paper: 256 keys down its rows, 256 queries across its columns. */
export const tile = { m0: 256, p0: 256 } as const;

/** How many output rows of a layer are compared with float64 attention. */
const checkedRows = 64;

/** One layer's attention as the array computed it. */
export interface LayerEmulation {
  /** [heads, tokens, headDim] in accumulator values. */
  readonly av: Float32Array;
  readonly seconds: number;
  /** The engine that computed it, with its adapter if it has one. */
  readonly engine: string;
}

/** Runs one layer's attention on the array in `format`. */
export async function emulateLayer(
  chosen: ChosenEngine,
  format: FormatName,
  inputs: LayerInputs,
): Promise<LayerEmulation> {
  const { engine, fallback } = chosen;
  const run = await emulate(problemOf(inputs, format), inputs, {
    engine,
    ...(fallback === undefined ? {} : { fallback }),
  });
  const { name, adapter } = run.engine;
  return { av: run.av, seconds: run.seconds, engine: adapter === null ? name : `${name} on ${adapter}` };
}

/** Compares a layer's emulated attention, on a sample of its rows, with float64 attention and with the baseline. */
export async function checkLayer(format: FormatName, inputs: LayerInputs, av: Float32Array): Promise<CheckResult> {
  const problem = problemOf(inputs, format);
  const operands = roundOperands(inputs, problem.shape, problem.arithmetic);
  return await check(problem, inputs, operands, av, sampleRows(problem, checkedRows));
}

function problemOf({ heads, tokens, headDim, scale }: LayerInputs, format: FormatName): AttentionProblem {
  return {
    shape: { batch: 1, heads, kvHeads: heads, queries: tokens, keys: tokens, headDim, valueDim: headDim },
    mask: noMask,
    tile,
    arithmetic: formatArithmetics[format],
    scale,
  };
}
