import type { InputName } from "../attention/shape.js";
import { normalQuantile } from "./normal.js";
import { threefry2x32 } from "./threefry.js";

/** The tensors that a seed stands for, as the generator's key has them. */
const tensorKey: Readonly<Record<InputName, number>> = { q: 1, k: 2, v: 3 };

/** Seeds are the integers from 0 to 2^53 - 1. */
export const largestSeed = Number.MAX_SAFE_INTEGER;

const block = new Uint32Array(2);

/** The second word of the generator's key: the upper bits of the seed, and the tensor. */
const upperKey = (seed: number, name: InputName): number =>
  (Math.floor(seed / 2 ** 32) & 0x1fffff) | (tensorKey[name] << 24);

function normalOf(key0: number, key1: number, index: number): number {
  threefry2x32(key0, key1, index >>> 0, index < 2 ** 32 ? 0 : Math.floor(index / 2 ** 32), block);
  // 52 random bits and a half: strictly between 0 and 1, symmetric about 1/2.
  const p = (((block[0] as number) >>> 6) * 2 ** 26 + ((block[1] as number) >>> 6) + 0.5) * 2 ** -52;
  return normalQuantile(p);
}

/**
 * Element `index` of a generated tensor before its rounding to fp32: a standard normal value that is a function of
 * (seed, tensor, index) alone. The bits are the same in Node and in any browser (docs/numerics.md, "Generated inputs").
 */
export function normalAt(seed: number, name: InputName, index: number): number {
  return normalOf(seed >>> 0, upperKey(seed, name), index);
}

/**
 * Elements [start, start + length) of a generated tensor as fp32: `spread` times standard normal values. The scores'
 * spread is set by giving Q a spread.
 */
export function generateNormal(
  seed: number,
  name: InputName,
  length: number,
  spread = 1,
  start = 0,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(length);
  const key0 = seed >>> 0;
  const key1 = upperKey(seed, name);
  for (let i = 0; i < length; i += 1) out[i] = spread * normalOf(key0, key1, start + i);
  return out;
}

/** A stretch of a generated tensor: the arguments of `generateNormal`. */
export interface NormalStretch {
  readonly seed: number;
  readonly name: InputName;
  readonly length: number;
  readonly spread: number;
  readonly start: number;
}

export function generateStretch({ seed, name, length, spread, start }: NormalStretch): Float32Array<ArrayBuffer> {
  return generateNormal(seed, name, length, spread, start);
}

/** Generates stretches in their order. */
export type GenerateStretches = (stretches: readonly NormalStretch[]) => AsyncIterable<Float32Array>;

/** One stretch after the other, here. */
export async function* generateHere(stretches: readonly NormalStretch[]): AsyncGenerator<Float32Array> {
  for (const stretch of stretches) yield generateStretch(stretch);
}
