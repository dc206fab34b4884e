import { normalQuantile } from "./normal.js";
import { threefry2x32 } from "./threefry.js";

/** Attention's inputs have keys of their own; any other tensor has a stream of its name. */
const ownKeys: Readonly<Record<string, number>> = { q: 1, k: 2, v: 3 };

/** Seeds are the integers from 0 to 2^53 - 1. */
export const largestSeed = Number.MAX_SAFE_INTEGER;

const block = new Uint32Array(2);

/**
 * The elements of a generated tensor by their flat index, before they are rounded to fp32: standard normal values that
 * are a function of (seed, tensor, index) alone. The bits are the same in Node and in any browser (docs/numerics.md,
 * "Generated inputs"). `Q` and `q` are one tensor; so are K and V with their small letters.
 */
export function generatedNormals(seed: number, tensor: string): (index: number) => number {
  const ownKey = ownKeys[tensor.toLowerCase()];
  const key0 = seed >>> 0;
  const key1 = (Math.floor(seed / 2 ** 32) & 0x1fffff) | ((ownKey ?? 0) << 24);
  const stream = ownKey === undefined ? hashOf(tensor) : 0;
  return index => {
    const upper = index < 2 ** 32 ? 0 : Math.floor(index / 2 ** 32);
    threefry2x32(key0, key1, index >>> 0, stream ^ upper, block);
    // 52 random bits and a half: strictly between 0 and 1, symmetric about 1/2.
    const p = (((block[0] as number) >>> 6) * 2 ** 26 + ((block[1] as number) >>> 6) + 0.5) * 2 ** -52;
    return normalQuantile(p);
  };
}

/** FNV-1a of a name, 32 bits. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
