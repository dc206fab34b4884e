import { normalQuantile } from "./normal.js";
import { threefry2x32 } from "./threefry.js";

/** The tensors that a seed stands for. */
export type InputName = "q" | "k" | "v";
const tensorKey: Readonly<Record<InputName, number>> = { q: 1, k: 2, v: 3 };

/** Seeds are the integers from 0 to 2^53 - 1. */
export const largestSeed = Number.MAX_SAFE_INTEGER;

const block = new Uint32Array(2);

/**
 * Element `index` of a generated tensor before its rounding to fp32: a standard normal value that is a function of
 * (seed, tensor, index) alone. The bits are the same in Node and in any browser (docs/numerics.md, "Generated inputs").
 */
export function normalAt(seed: number, name: InputName, index: number): number {
  const key1 = (Math.floor(seed / 2 ** 32) & 0x1fffff) | (tensorKey[name] << 24);
  threefry2x32(seed >>> 0, key1, index >>> 0, Math.floor(index / 2 ** 32), block);
  // 52 random bits and a half: strictly between 0 and 1, symmetric about 1/2.
  const p = (((block[0] as number) >>> 6) * 2 ** 26 + ((block[1] as number) >>> 6) + 0.5) * 2 ** -52;
  return normalQuantile(p);
}

/**
 * Elements [start, start + length) of a generated tensor as fp32: `spread` times standard normal values. The scores'
 * spread is set by giving Q a spread.
 */
export function generateNormal(seed: number, name: InputName, length: number, spread = 1, start = 0): Float32Array {
  const out = new Float32Array(length);
  for (let i = 0; i < length; i += 1) out[i] = spread * normalAt(seed, name, start + i);
  return out;
}
