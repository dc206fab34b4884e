import type { AttentionProblem, Operands } from "../problem.js";
import type { Kernels } from "./kernels.js";

/** Keys [first, first + count) of a key/value head of the tensors K and V. */
export interface KeySpan {
  readonly kvHead: number;
  readonly first: number;
  readonly count: number;
}

/** Brings spans of K and V from the operands into the kernels' panels; a span that is there already stays. */
export class Panels {
  private packedKeys: KeySpan | null = null;
  private packedValues: KeySpan | null = null;
  private readonly floats: Float32Array;

  constructor(
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    private readonly kernels: Kernels,
  ) {
    this.floats = new Float32Array(kernels.memory.buffer);
  }

  packKeys(span: KeySpan): void {
    if (same(span, this.packedKeys)) return;
    this.stage(this.operands.k, span, this.problem.shape.headDim);
    this.kernels.packKeys(span.count);
    this.packedKeys = span;
  }

  packValues(span: KeySpan): void {
    if (same(span, this.packedValues)) return;
    this.stage(this.operands.v, span, this.problem.shape.valueDim);
    this.kernels.packValues(span.count);
    this.packedValues = span;
  }

  private stage(tensor: Float32Array, { kvHead, first, count }: KeySpan, width: number): void {
    const start = (kvHead * this.problem.shape.keys + first) * width;
    this.floats.set(tensor.subarray(start, start + count * width), this.kernels.stage / 4);
  }
}

function same(a: KeySpan, b: KeySpan | null): boolean {
  return b !== null && a.kvHead === b.kvHead && a.first === b.first && a.count === b.count;
}
