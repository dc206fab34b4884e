import { rowOfScores, scoreSizes } from "../attention/broadcast.js";
import { maskOf } from "../attention/mask.js";
import type { AttentionProblem, Operands } from "../attention/problem.js";
import { placeOf } from "../attention/rows.js";
import { type ReferenceScores, type ReferenceTensors, referenceRow, referenceRowOf } from "../reference/attention.js";
import { Baseline, hasBaseline } from "./baseline.js";
import { breather } from "./breathe.js";
import type { AttentionInputs } from "./operands.js";

/** What an emulated row is compared with. */
export interface ComparedRow {
  /** [F] of float64 attention. */
  readonly exact: Float64Array;
  /** [F] of the 3-pass baseline, which runs on operands alone. */
  readonly baseline: Float32Array | null;
}

/** Operands, with what they stand for where they have scales, or inputs as given. */
export type ComparedTensors =
  | { readonly operands: Operands; readonly meant?: ReferenceTensors }
  | { readonly inputs: AttentionInputs };

/** The rows of one problem on some tensors: operands, or inputs as given. */
export interface ComparisonTask {
  readonly problem: AttentionProblem;
  readonly rows: readonly number[];
  readonly tensors: ComparedTensors;
}

/** Computes the rows of a comparison in their order. */
export type CompareRows = (task: ComparisonTask) => AsyncIterable<ComparedRow>;

/** Makes the function that computes one row. */
export function rowComparer({ problem, tensors }: Omit<ComparisonTask, "rows">): (row: number) => ComparedRow {
  const { shape, scale } = problem;
  const given = "operands" in tensors ? (tensors.meant ?? tensors.operands) : tensors.inputs;
  const baseline =
    "operands" in tensors && hasBaseline(problem.arithmetic) ? new Baseline(problem, tensors.operands) : null;
  const scratch = new Float64Array(shape.keys);
  const mask = maskOf(problem);
  const scores = referenceScores(problem, tensors);
  const plain = problem.softcap === undefined && scores === null && mask.isInterval;
  return row => ({
    exact: plain
      ? referenceRow(given, shape, scale, row, mask.span(row), scratch)
      : referenceRowOf(given, shape, scale, row, mask.span(row), {
          ...(problem.softcap === undefined ? {} : { softcap: problem.softcap }),
          ...(mask.isInterval ? {} : { sees: (m: number) => mask.sees(row, m) }),
          ...scores?.(row),
        }),
    baseline: baseline?.row(row) ?? null,
  });
}

/** The bias and the sink of a row in score units: as given, or as they are when they are rounded; null where there are none. */
function referenceScores(
  { shape, scale }: AttentionProblem,
  tensors: ComparisonTask["tensors"],
): ((row: number) => Pick<ReferenceScores, "bias" | "sink">) | null {
  const unit = "operands" in tensors ? scale : 1;
  const given =
    "operands" in tensors
      ? { bias: tensors.operands.addends, sink: tensors.operands.sinks }
      : {
          bias: tensors.inputs.bias && {
            sizes: scoreSizes(tensors.inputs.bias.shape, shape, "bias"),
            values: tensors.inputs.bias.values,
          },
          sink: tensors.inputs.sink,
        };
  const { bias, sink } = given;
  if (bias === undefined && sink === undefined) return null;
  return row => {
    const { b, h, p } = placeOf(shape, row);
    const first = bias === undefined ? 0 : rowOfScores(bias.sizes, b, h, p);
    return {
      ...(bias === undefined
        ? {}
        : { bias: (m: number) => unit * (bias.values[first + (bias.sizes[3] === 1 ? 0 : m)] as number) }),
      ...(sink === undefined ? {} : { sink: unit * (sink[h] as number) }),
    };
  };
}

/** One row after the other, here; lets timers and signals through between them. */
export async function* compareHere(task: ComparisonTask): AsyncGenerator<ComparedRow> {
  const compare = rowComparer(task);
  const breathe = breather();
  for (const row of task.rows) {
    yield compare(row);
    await breathe();
  }
}
