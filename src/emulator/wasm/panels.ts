import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { keyRowAt } from "../../attention/rows.js";
import type { Kernels } from "./kernels.js";

/** Keys [first, first + count) of a key/value head of the tensors K and V. */
export interface KeySpan {
  readonly kvHead: number;
  readonly first: number;
  readonly count: number;
}

/** Brings spans of K and V from the operands into the kernels' stage, and on into their panels. */
export class Panels {
  private readonly floats: Float32Array;

  constructor(
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    private readonly kernels: Kernels,
  ) {
    this.floats = new Float32Array(kernels.memory.buffer);
  }

  packKeys(span: KeySpan): void {
    this.stageKeys(span);
    this.kernels.packKeys(span.count);
  }

  packValues(span: KeySpan): void {
    this.stageValues(span);
    this.kernels.packValues(span.count);
  }

  stageKeys(span: KeySpan): void {
    this.stage(this.operands.k, span, this.problem.shape.headDim);
  }

  stageValues(span: KeySpan): void {
    this.stage(this.operands.v, span, this.problem.shape.valueDim);
  }

  private stage(tensor: Float32Array, { kvHead, first, count }: KeySpan, width: number): void {
    const start = keyRowAt(this.problem.shape, kvHead, first) * width;
    this.floats.set(tensor.subarray(start, start + count * width), this.kernels.stage / 4);
  }
}
