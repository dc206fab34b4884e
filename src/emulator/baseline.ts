import type { AttentionProblem, Operands } from "../attention/problem.js";
import { inputNames } from "../attention/shape.js";
import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import { onePassChoices } from "../numerics/one-pass-choices.js";
import { RowRunner } from "./javascript/row-runner.js";
import { programOf } from "./program-of.js";
import { threePass } from "./three-pass.js";

/** Whether the 3-pass cascade has an arithmetic: one without scales, whose choices have a meaning in any cascade. */
export const hasBaseline = (arithmetic: ArithmeticSpec): boolean =>
  onePassChoices(arithmetic).length === 0 && inputNames.every(name => arithmetic.operands[name].scale === "none");

/**
 * What plain 3-pass attention gives in the same formats and with the same PEs, its sums in ascending order over the whole
 * row: the tile program of its cascade. The difference from the emulated design is what tiling costs or saves beyond the
 * number format.
 */
export class Baseline {
  private readonly runner: RowRunner;
  private readonly valueDim: number;

  constructor(problem: AttentionProblem, operands: Operands) {
    const { kvSplits: _, ...whole } = problem;
    const own = { ...whole, cascade: threePass };
    const program = programOf(own);
    if (program === null) throw new Error("the 3-pass cascade has no program of its own");
    this.runner = new RowRunner(own, operands, program, { mostRows: 1 });
    this.valueDim = problem.shape.valueDim;
  }

  /** One output row, [F] in accumulator values; NaN where a value left the accumulator's range. */
  row(row: number): Float32Array {
    const values = new Float32Array(this.valueDim);
    const fault = this.runner.run({ start: row, end: row + 1 }, values);
    return fault === null ? values : values.fill(Number.NaN);
  }
}
