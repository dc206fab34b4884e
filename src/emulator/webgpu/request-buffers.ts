import type { AttentionProblem } from "../problem.js";
import { blockLayout, jobLayout } from "./layout.js";
import { keyWordsOf, operandsPerWord, valueBlocksOf } from "./pack.js";

/** State words of a slot: RM, RD, LM, SLD and whether a value overflowed. */
export const stateFields = 5;
export const stateField = { rm: 0, rd: 1, lm: 2, sld: 3, bad: 4 } as const;
/** RM of a row that has seen no key (shaders/attention-rows.wgsl). */
export const noMaximum = -(2 ** 120);
/** Words before the state: the zero of the barrier. */
export const stateHeader = 4;

/** Sizes of a request's buffers, in bytes, for a number of slots. */
export interface RequestSizes {
  readonly blocks: number;
  readonly windows: number;
  readonly queries: number;
  readonly state: number;
  readonly sums: number;
  readonly scratch: number;
}

/** Keys that the scratch has room for: a tile, begun at the multiple of 4 before it. */
export function tileKeysOf({ tile }: AttentionProblem): number {
  return tile.m0 + 3;
}

export function requestSizes(problem: AttentionProblem, slots: number, blockRows: number): RequestSizes {
  const { shape, format } = problem;
  return {
    blocks: (slots / blockRows) * blockLayout.byteSize,
    windows: slots * 8,
    queries: slots * keyWordsOf(shape.headDim, format.operand) * 4,
    state: stateHeader * 4 + slots * stateFields * 4,
    sums: slots * valueBlocksOf(shape.valueDim) * 8 * 4 * 2,
    scratch: slots * tileKeysOf(problem) * (4 + 4 / operandsPerWord(format.operand)),
  };
}

/** The buffers of one request, made once for the most rows that a request may have. */
export class RequestBuffers {
  readonly sizes: RequestSizes;
  readonly job: GPUBuffer;
  readonly blocks: GPUBuffer;
  readonly windows: GPUBuffer;
  readonly queries: GPUBuffer;
  readonly state: GPUBuffer;
  readonly sums: GPUBuffer;
  readonly scratch: GPUBuffer;
  /** RNV, then the state, for reading back. */
  readonly readback: GPUBuffer;

  constructor(device: GPUDevice, sizes: RequestSizes) {
    this.sizes = sizes;
    const storage = (label: string, size: number): GPUBuffer => {
      const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
      return device.createBuffer({ label, size: Math.max(16, size), usage: STORAGE | COPY_DST | COPY_SRC });
    };
    const { UNIFORM, COPY_DST, MAP_READ } = GPUBufferUsage;
    this.job = device.createBuffer({ label: "job", size: jobLayout.byteSize, usage: UNIFORM | COPY_DST });
    this.blocks = storage("blocks", sizes.blocks);
    this.windows = storage("windows", sizes.windows);
    this.queries = storage("queries", sizes.queries);
    this.state = storage("state", sizes.state);
    this.sums = storage("sums", sizes.sums);
    this.scratch = storage("scratch", sizes.scratch);
    const size = sizes.sums / 2 + sizes.state;
    this.readback = device.createBuffer({ label: "readback", size, usage: MAP_READ | COPY_DST });
  }

  close(): void {
    const { job, blocks, windows, queries, state, sums, scratch, readback } = this;
    for (const buffer of [job, blocks, windows, queries, state, sums, scratch, readback]) buffer.destroy();
  }
}
