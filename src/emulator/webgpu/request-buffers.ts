import type { AttentionProblem } from "../../attention/problem.js";
import { blockLayout } from "./layout.js";
import { columnsTogether, eight, pageCounts, pagesOf, pageWords, valueBlocksOf } from "./pack.js";
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

/** Eights of words that the dump of a tile has of eight slots (shaders/shared/dump.wgsl). */
export function dumpEightsOf(problem: AttentionProblem): number {
  const columns = valueBlocksOf(problem.shape.valueDim) * columnsTogether;
  return 2 + 2 * columns + 2 * tilePagesOf(problem) * eight;
}

/** What sets the kernels' requests apart: fields of a slot's state, vectors over F, and pages of scratch of eight slots. */
export interface SlotNeeds {
  readonly stateFields: number;
  readonly vectors: number;
  readonly scratchPages: number;
  /** Words behind the windows (score-words.ts). */
  readonly scoreWords?: number;
}

/** Bytes of the buffers of a request of so many slots. */
export function sizesOf(
  { shape, arithmetic }: AttentionProblem,
  { stateFields, vectors, scratchPages, scoreWords = 0 }: SlotNeeds,
  slots: number,
  blockRows: number,
): RequestSizes {
  const pages = pageCounts(arithmetic, shape);
  return {
    blocks: (slots / blockRows) * blockLayout.byteSize,
    windows: slots * (8 + 4 * scoreWords),
    queries: pagesOf(slots, pages.keyOperands + pages.keyScales) * pageWords * 4,
    state: 4 * (stateHeader + slots * stateFields),
    sums: vectorBytes(shape.valueDim, slots) * vectors,
    scratch: 4 * pagesOf(slots, scratchPages) * pageWords,
    av: 4 * slots * shape.valueDim,
  };
}

/** Bytes of one vector over F of every slot. */
export const vectorBytes = (valueDim: number, slots: number): number =>
  4 * slots * valueBlocksOf(valueDim) * columnsTogether;

/** Bytes of the buffers of a request to the kernels written by hand, with `dumpEights` of words for the dump of eight slots. */
export function requestSizes(
  problem: AttentionProblem,
  slots: number,
  { kernel, blockRows }: Pick<Variant, "kernel" | "blockRows">,
  dumpEights = 0,
): RequestSizes {
  // attention-tiles puts the weights in the place of the scores.
  const scratchPages = (kernel === "attention-tiles" ? 1 : 2) * tilePagesOf(problem);
  const sizes = sizesOf(problem, { stateFields, vectors: 2, scratchPages }, slots, blockRows);
  return { ...sizes, sums: sizes.sums + 4 * slots * dumpEights };
}

/** The buffers of one request, made once for the most rows that a request may have. */
export class RequestBuffers {
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

  /** `jobBytes` is the size of the kernels' uniform. */
  constructor(
    device: GPUDevice,
    readonly sizes: RequestSizes,
    jobBytes: number,
  ) {
    const { UNIFORM, STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
    const storage = (label: string, size: number): GPUBuffer =>
      device.createBuffer({ label, size: Math.max(16, size), usage: STORAGE | COPY_DST | COPY_SRC });
    this.job = device.createBuffer({ label: "job", size: jobBytes, usage: UNIFORM | COPY_DST });
    this.blocks = storage("blocks", sizes.blocks);
    this.windows = storage("windows", sizes.windows);
    this.queries = storage("queries", sizes.queries);
    this.state = storage("state", sizes.state);
    this.sums = storage("sums", sizes.sums);
    // A page at the least, which the shader's array has to have.
    this.scratch = storage("scratch", Math.max(4 * pageWords, sizes.scratch));
    this.av = storage("av", sizes.av);
    const size = sizes.av + sizes.state;
    this.readback = device.createBuffer({ label: "readback", size, usage: MAP_READ | COPY_DST });
  }

  close(): void {
    const { job, blocks, windows, queries, state, sums, scratch, av, readback } = this;
    for (const buffer of [job, blocks, windows, queries, state, sums, scratch, av, readback]) buffer.destroy();
  }
}
