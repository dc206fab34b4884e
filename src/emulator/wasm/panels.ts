import type { AttentionProblem, Operands } from "../problem.js";
import type { Kernels } from "./kernels.js";

/** Keys [first, first + count) of a key/value head of the tensors K and V. */
export interface KeySpan {
  readonly kvHead: number;
  readonly first: number;
  readonly count: number;
}

/** Brings spans of K and V from the operands into the kernels' panels; a span that is in its slot already stays. */
export class Panels {
  private readonly packedKeys: (KeySpan | undefined)[] = [];
  private readonly packedValues: (KeySpan | undefined)[] = [];
  private readonly floats: Float32Array;

  constructor(
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    private readonly kernels: Kernels,
  ) {
    this.floats = new Float32Array(kernels.memory.buffer);
  }

  packKeys(span: KeySpan, slot: number): void {
    if (same(span, this.packedKeys[slot])) return;
    this.stage(this.operands.k, span, this.problem.shape.headDim);
    this.kernels.packKeys(span.count, slot);
    this.packedKeys[slot] = span;
  }

  packValues(span: KeySpan, slot: number): void {
    if (same(span, this.packedValues[slot])) return;
    this.stage(this.operands.v, span, this.problem.shape.valueDim);
    this.kernels.packValues(span.count, slot);
    this.packedValues[slot] = span;
  }

  /** The first tiles of a head have a slot each, which they keep from block to block; the others share the last. */
  slotOf(m1: number): number {
    return Math.min(m1, this.kernels.slots - 1);
  }

  private stage(tensor: Float32Array, { kvHead, first, count }: KeySpan, width: number): void {
    const start = (kvHead * this.problem.shape.keys + first) * width;
    this.floats.set(tensor.subarray(start, start + count * width), this.kernels.stage / 4);
  }
}

function same(a: KeySpan, b: KeySpan | undefined): boolean {
  return b !== undefined && a.kvHead === b.kvHead && a.first === b.first && a.count === b.count;
}
