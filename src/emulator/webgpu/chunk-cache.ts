import type { AttentionProblem, Operands } from "../../attention/problem.js";
import type { Chunk } from "./jobs.js";
import { eight, keyPagesOf, pagesOf, pageWords, valuePagesOf, wordsOf } from "./pack.js";
import type { Packer, PackTask } from "./packer.js";

/** A part of K or of V on the device. */
export interface DeviceChunk {
  readonly buffer: GPUBuffer;
  /** Pages from one group to the next. */
  readonly groupStride: number;
}

/** Bytes that one key takes in a buffer: the larger of K's and V's, packed or as uploaded. */
export function bytesPerKey({ shape, arithmetic }: AttentionProblem): number {
  const { headDim, valueDim } = shape;
  const words = wordsOf(arithmetic);
  const pages = Math.max(keyPagesOf(headDim, words), valuePagesOf(valueDim, words));
  return Math.max((4 * pages * pageWords) / eight, 4 * headDim, 4 * valueDim);
}

/**
 * K and V on the device, packed and uploaded part by part when a job first needs them; the least recently used parts
 * go when the cache is full, so a sequence may be longer than the device's memory.
 */
export class ChunkCache {
  readonly #chunks = new Map<string, DeviceChunk>();
  #bytes = 0;

  constructor(
    private readonly device: GPUDevice,
    private readonly packer: Packer,
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    private readonly limitBytes: number,
  ) {}

  keys(chunk: Chunk): DeviceChunk {
    const { headDim } = this.problem.shape;
    const pages = keyPagesOf(headDim, wordsOf(this.problem.arithmetic));
    return this.#chunk("k", chunk, headDim, pages, task => this.packer.rows(task));
  }

  values(chunk: Chunk): DeviceChunk {
    const { valueDim } = this.problem.shape;
    const pages = valuePagesOf(valueDim, wordsOf(this.problem.arithmetic));
    return this.#chunk("v", chunk, valueDim, pages, task => this.packer.values(task));
  }

  #chunk(
    tensor: "k" | "v",
    { groupBegin, groupCount, keyBegin, keyEnd }: Chunk,
    width: number,
    pagesOfEight: number,
    pack: (task: PackTask) => void,
  ): DeviceChunk {
    const key = `${tensor} ${groupBegin} ${groupCount} ${keyBegin} ${keyEnd}`;
    const known = this.#chunks.get(key);
    if (known !== undefined) {
      this.#chunks.delete(key);
      this.#chunks.set(key, known); // the most recent
      return known;
    }
    const count = keyEnd - keyBegin;
    const groupStride = pagesOf(count, pagesOfEight);
    const size = 4 * groupCount * groupStride * pageWords;
    this.#makeRoom(size);
    const buffer = this.device.createBuffer({ label: key, size, usage: GPUBufferUsage.STORAGE });
    // Every group begins with an eight of its own.
    const groupRows = Math.ceil(count / eight) * eight;
    const fill = (source: Float32Array): void => {
      for (let i = 0; i < groupCount; i += 1) {
        const from = ((groupBegin + i) * this.problem.shape.keys + keyBegin) * width;
        source.set(this.operands[tensor].subarray(from, from + count * width), i * groupRows * width);
      }
    };
    pack({ rows: groupCount * groupRows, width, fill, to: buffer });
    const chunk = { buffer, groupStride };
    this.#chunks.set(key, chunk);
    this.#bytes += size;
    return chunk;
  }

  /** WebGPU keeps a destroyed buffer until submitted work that uses it is done. */
  #makeRoom(size: number): void {
    for (const [key, { buffer }] of this.#chunks) {
      // Two chunks, one of K and one of V, are in use at a time.
      if (this.#bytes + size <= this.limitBytes || this.#chunks.size <= 2) return;
      this.#chunks.delete(key);
      this.#bytes -= buffer.size;
      buffer.destroy();
    }
  }

  close(): void {
    for (const { buffer } of this.#chunks.values()) buffer.destroy();
    this.#chunks.clear();
  }
}
