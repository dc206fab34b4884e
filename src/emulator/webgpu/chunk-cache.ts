import type { AttentionProblem, Operands } from "../problem.js";
import type { Chunk } from "./jobs.js";
import { eight, keyPagesOf, packRows, packValues, pagesOf, pageWords, valuePagesOf } from "./pack.js";

/** A part of K or of V on the device. */
export interface DeviceChunk {
  readonly buffer: GPUBuffer;
  /** Pages from one group to the next. */
  readonly groupStride: number;
}

/** Bytes that one key takes in a chunk: the larger of K's and V's. */
export function bytesPerKey({ shape, format }: AttentionProblem): number {
  const { operand } = format;
  const pages = Math.max(keyPagesOf(shape.headDim, operand), valuePagesOf(shape.valueDim, operand));
  return (4 * pages * pageWords) / eight;
}

/**
 * K and V on the device, packed and uploaded part by part when a job first needs them; the least recently used parts
 * go when the cache is full, so a sequence may be longer than the device's memory.
 */
export class ChunkCache {
  readonly #device: GPUDevice;
  readonly #problem: AttentionProblem;
  readonly #operands: Operands;
  readonly #limitBytes: number;
  readonly #chunks = new Map<string, DeviceChunk>();
  #bytes = 0;

  constructor(device: GPUDevice, problem: AttentionProblem, operands: Operands, limitBytes: number) {
    this.#device = device;
    this.#problem = problem;
    this.#operands = operands;
    this.#limitBytes = limitBytes;
  }

  keys(chunk: Chunk): DeviceChunk {
    const { headDim, keys } = this.#problem.shape;
    const { operand } = this.#problem.format;
    const count = chunk.keyEnd - chunk.keyBegin;
    const groupPages = pagesOf(count, keyPagesOf(headDim, operand));
    return this.#chunk("k", chunk, groupPages, (group, out) => {
      const from = (group * keys + chunk.keyBegin) * headDim;
      packRows(this.#operands.k, i => from + i * headDim, count, headDim, operand, out);
    });
  }

  values(chunk: Chunk): DeviceChunk {
    const { valueDim, keys } = this.#problem.shape;
    const { operand } = this.#problem.format;
    const count = chunk.keyEnd - chunk.keyBegin;
    const groupPages = pagesOf(count, valuePagesOf(valueDim, operand));
    return this.#chunk("v", chunk, groupPages, (group, out) => {
      const from = (group * keys + chunk.keyBegin) * valueDim;
      packValues(this.#operands.v, from, count, valueDim, operand, out);
    });
  }

  #chunk(
    tensor: "k" | "v",
    { groupBegin, groupCount, keyBegin, keyEnd }: Chunk,
    groupPages: number,
    pack: (group: number, out: Uint32Array) => void,
  ): DeviceChunk {
    const key = `${tensor} ${groupBegin} ${groupCount} ${keyBegin} ${keyEnd}`;
    const known = this.#chunks.get(key);
    if (known !== undefined) {
      this.#chunks.delete(key);
      this.#chunks.set(key, known); // the most recent
      return known;
    }
    const groupWords = groupPages * pageWords;
    const size = 4 * groupCount * groupWords;
    this.#makeRoom(size);
    const buffer = this.#device.createBuffer({
      label: key,
      size,
      usage: GPUBufferUsage.STORAGE,
      mappedAtCreation: true,
    });
    const words = new Uint32Array(buffer.getMappedRange());
    for (let i = 0; i < groupCount; i += 1) pack(groupBegin + i, words.subarray(i * groupWords));
    buffer.unmap();
    const chunk = { buffer, groupStride: groupPages };
    this.#chunks.set(key, chunk);
    this.#bytes += size;
    return chunk;
  }

  /** WebGPU keeps a destroyed buffer until submitted work that uses it is done. */
  #makeRoom(size: number): void {
    for (const [key, { buffer }] of this.#chunks) {
      // Two chunks, one of K and one of V, are in use at a time.
      if (this.#bytes + size <= this.#limitBytes || this.#chunks.size <= 2) return;
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
