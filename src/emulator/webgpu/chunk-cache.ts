import { kvHeadPlace } from "../../attention/heads.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { keyRowAt } from "../../attention/rows.js";
import { scaleBlock } from "../../numerics/arithmetic.js";
import type { Chunk } from "./jobs.js";
import type { KeyOrder } from "./key-order.js";
import { eight, keyScalesOf, pageCounts, pagesOf, pageWords } from "./pack.js";
import type { Packer } from "./packer.js";

/** A part of K or of V on the device. */
export interface DeviceChunk {
  readonly buffer: GPUBuffer;
  /** Pages from one key/value head to the next. */
  readonly kvHeadStride: number;
}

/** Bytes that one key takes in a buffer: the larger of K's and V's, packed or as uploaded. */
export function bytesPerKey({ shape, arithmetic }: AttentionProblem): number {
  const { headDim, valueDim } = shape;
  const { keyOperands, keyScales, valueOperands, valueScales } = pageCounts(arithmetic, shape);
  const pages = Math.max(keyOperands + keyScales, valueOperands + valueScales);
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
    /** As it was given: with the keys of its operands. */
    private readonly problem: AttentionProblem,
    private readonly operands: Operands,
    private readonly limitBytes: number,
    private readonly order: KeyOrder,
  ) {}

  keys(chunk: Chunk): DeviceChunk {
    const { shape, arithmetic } = this.problem;
    const { keyOperands, keyScales } = pageCounts(arithmetic, shape);
    return this.#chunk("k", chunk, keyOperands + keyScales, (to, rows) => {
      const { headDim } = shape;
      const { k } = this.operands;
      this.packer.rows({ rows, width: headDim, fill: this.#filler(chunk, k, headDim), to, otherPages: keyScales });
      const scales = this.operands.scales?.k;
      if (scales === undefined) return;
      const width = keyScalesOf(arithmetic, shape);
      const fill = this.#filler(chunk, scales, width);
      this.packer.scales({ rows, width, fill, to, otherPages: keyOperands });
    });
  }

  values(chunk: Chunk): DeviceChunk {
    const { shape, arithmetic } = this.problem;
    const { valueOperands, valueScales } = pageCounts(arithmetic, shape);
    return this.#chunk("v", chunk, valueOperands + valueScales, (to, rows) => {
      const { valueDim } = shape;
      const { v } = this.operands;
      this.packer.values({
        rows,
        width: valueDim,
        fill: this.#filler(chunk, v, valueDim),
        to,
        otherPages: valueScales,
      });
      const fill = this.#valueScales(chunk, rows / eight / chunk.kvHeadCount);
      if (fill === null) return;
      this.packer.valueScales({ rows: rows / eight, width: valueDim, fill, to, otherPages: valueOperands });
    });
  }

  #chunk(
    tensor: "k" | "v",
    { kvHeadBegin, kvHeadCount, keyBegin, keyEnd }: Chunk,
    pagesOfEight: number,
    pack: (to: GPUBuffer, rows: number) => void,
  ): DeviceChunk {
    const key = `${tensor} ${kvHeadBegin} ${kvHeadCount} ${keyBegin} ${keyEnd}`;
    const known = this.#chunks.get(key);
    if (known !== undefined) {
      this.#chunks.delete(key);
      this.#chunks.set(key, known); // the most recent
      return known;
    }
    const count = keyEnd - keyBegin;
    const kvHeadStride = pagesOf(count, pagesOfEight);
    const size = 4 * kvHeadCount * kvHeadStride * pageWords;
    this.#makeRoom(size);
    const buffer = this.device.createBuffer({ label: key, size, usage: GPUBufferUsage.STORAGE });
    // Every key/value head begins with an eight of its own.
    pack(buffer, kvHeadCount * Math.ceil(count / eight) * eight);
    const chunk = { buffer, kvHeadStride };
    this.#chunks.set(key, chunk);
    this.#bytes += size;
    return chunk;
  }

  /** Fills rows of a tensor [B * Hkv, M, width] into the places of a chunk. */
  #filler({ kvHeadBegin, kvHeadCount, keyBegin, keyEnd }: Chunk, tensor: Float32Array, width: number) {
    const { order } = this;
    const { shape } = this.problem;
    const { keys } = shape;
    const count = keyEnd - keyBegin;
    const kvHeadRows = Math.ceil(count / eight) * eight;
    return (source: Float32Array): void => {
      for (let i = 0; i < kvHeadCount; i += 1) {
        const kvHead = kvHeadBegin + i;
        const first = keyRowAt(shape, kvHead, 0);
        if (!order.descending) {
          const from = (first + keyBegin) * width;
          source.set(tensor.subarray(from, from + count * width), i * kvHeadRows * width);
          continue;
        }
        const { b } = kvHeadPlace(shape, kvHead);
        for (let at = 0; at < count; at += 1) {
          const m = order.swapped(b, keyBegin + at);
          if (m < 0 || m >= keys) continue;
          const from = (first + m) * width;
          source.set(tensor.subarray(from, from + width), (i * kvHeadRows + at) * width);
        }
      }
    };
  }

  /** Fills the scales of the values of each eight of keys of a chunk, which blocks of keys hold whole; null without such. */
  #valueScales({ kvHeadBegin, kvHeadCount, keyBegin }: Chunk, eights: number): ((source: Float32Array) => void) | null {
    const { shape, arithmetic } = this.problem;
    const width = scaleBlock(arithmetic.operands.v.scale);
    const scales = this.operands.scales?.v;
    if (width === null || scales === undefined) return null;
    const { keys, valueDim } = shape;
    const blocks = Math.ceil(keys / width);
    return source => {
      for (let i = 0; i < kvHeadCount; i += 1) {
        for (let at = 0; at < eights; at += 1) {
          const block = Math.floor((keyBegin + at * eight) / width);
          const from = ((kvHeadBegin + i) * blocks + Math.min(block, blocks - 1)) * valueDim;
          source.set(scales.subarray(from, from + valueDim), (i * eights + at) * valueDim);
        }
      }
    };
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
