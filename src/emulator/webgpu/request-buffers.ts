import type { AttentionProblem } from "../../attention/problem.js";
import { blockLayout, jobLayout } from "./layout.js";
import { columnsTogether, eight, keyPagesOf, pagesOf, pageWords, valueBlocksOf } from "./pack.js";
import { stateFields, stateHeader } from "./state.js";
import type { Variant } from "./variant.js";

/** Sizes of a request's buffers, in bytes, for a number of slots. */
export interface RequestSizes {
  readonly blocks: number;
  readonly windows: number;
  readonly queries: number;
  readonly state: number;
  readonly sums: number;
  readonly scratch: number;
  readonly av: number;
}

/** Pages of scratch for the scores of a tile, from its first to its last eight of keys. */
export function tilePagesOf({ tile }: AttentionProblem): number {
  return Math.ceil(tile.m0 / eight) + 1;
}

export function requestSizes(
  problem: AttentionProblem,
  slots: number,
  { kernel, blockRows }: Pick<Variant, "kernel" | "blockRows">,
): RequestSizes {
  const { shape, format } = problem;
  // attention-tiles puts the weights in the place of the scores.
  const scoresAndWeights = kernel === "attention-tiles" ? 1 : 2;
  return {
    blocks: (slots / blockRows) * blockLayout.byteSize,
    windows: slots * 8,
    queries: pagesOf(slots, keyPagesOf(shape.headDim, format.operand)) * pageWords * 4,
    state: stateHeader * 4 + slots * stateFields * 4,
    sums: slots * valueBlocksOf(shape.valueDim) * columnsTogether * 4 * 2,
    scratch: scoresAndWeights * pagesOf(slots, tilePagesOf(problem)) * pageWords * 4,
    av: slots * shape.valueDim * 4,
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
  readonly av: GPUBuffer;
  /** AV, then the state, for reading back. */
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
    this.av = storage("av", sizes.av);
    const size = sizes.av + sizes.state;
    this.readback = device.createBuffer({ label: "readback", size, usage: MAP_READ | COPY_DST });
  }

  close(): void {
    const { job, blocks, windows, queries, state, sums, scratch, av, readback } = this;
    for (const buffer of [job, blocks, windows, queries, state, sums, scratch, av, readback]) buffer.destroy();
  }
}
