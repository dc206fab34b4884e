import type { AttentionProblem } from "../../attention/problem.js";
import type { TileProgram } from "../../program/program.js";
import type { WgslPlaces } from "../../program/wgsl-places.js";
import { blockLayout, programJobLayout } from "./layout.js";
import { columnsTogether, eight, keyPagesOf, pagesOf, pageWords, valueBlocksOf } from "./pack.js";

/** Words before the state: the zero of the barrier. */
export const stateHeader = 8;

/** Pages of an eight of slots for a tile's keys, and for all keys. */
export interface ScratchPages {
  readonly tile: number;
  readonly whole: number;
}

/** A tile may begin and end within an eight; products write eights of keys two at a time. */
export const scratchPagesOf = ({ shape, tile }: AttentionProblem): ScratchPages => ({
  tile: Math.ceil(tile.m0 / eight) + 1,
  whole: Math.ceil(shape.keys / eight) + 1,
});

export interface ProgramSizes {
  readonly blocks: number;
  readonly windows: number;
  readonly queries: number;
  readonly state: number;
  readonly sums: number;
  readonly scratch: number;
  readonly av: number;
}

/** Bytes of the buffers of a request of so many slots. */
export function programSizes(
  problem: AttentionProblem,
  places: WgslPlaces,
  slots: number,
  blockRows: number,
): ProgramSizes {
  const { shape, format } = problem;
  const pages = scratchPagesOf(problem);
  const scratchPages = places.tileVariables * pages.tile + places.wholeVariables * pages.whole;
  return {
    blocks: (slots / blockRows) * blockLayout.byteSize,
    windows: slots * 8,
    queries: pagesOf(slots, keyPagesOf(shape.headDim, format.operand)) * pageWords * 4,
    state: 4 * (stateHeader + slots * places.fields),
    sums: 4 * places.vector.size * slots * valueBlocksOf(shape.valueDim) * columnsTogether,
    scratch: 4 * pagesOf(slots, scratchPages) * pageWords,
    av: 4 * slots * shape.valueDim,
  };
}

/** The buffers of one request, made once for the most rows that a request may have. */
export class ProgramBuffers {
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

  constructor(
    device: GPUDevice,
    readonly sizes: ProgramSizes,
  ) {
    const { UNIFORM, STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
    const storage = (label: string, size: number): GPUBuffer =>
      device.createBuffer({ label, size: Math.max(16, size), usage: STORAGE | COPY_DST | COPY_SRC });
    this.job = device.createBuffer({ label: "job", size: programJobLayout.byteSize, usage: UNIFORM | COPY_DST });
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

/** The fields of the state of one slot as they are before the first tile. */
export function initialFields({ variables }: TileProgram, places: WgslPlaces): Float32Array {
  const fields = new Float32Array(places.fields);
  for (const variable of variables) {
    const field = places.field.get(variable);
    if (field !== undefined && variable.initial !== null) fields[field] = variable.initial;
  }
  return fields;
}
