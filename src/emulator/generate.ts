import type { InputName } from "../attention/shape.js";
import { generatedNormals } from "../numerics/generated-normal.js";

/**
 * Elements [start, start + length) of a generated tensor as fp32: `spread` times standard normal values. The scores'
 * spread is set by giving Q a spread.
 * @example
 * ```ts
 * import { generateNormal } from "fusemax";
 *
 * console.log(generateNormal(0, "q", 2)); // Float32Array(2) [ -0.7318277359008789, -0.6429072618484497 ]
 * ```
 */
export function generateNormal(
  seed: number,
  name: InputName,
  length: number,
  spread = 1,
  start = 0,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(length);
  const normal = generatedNormals(seed, name);
  for (let i = 0; i < length; i += 1) out[i] = spread * normal(start + i);
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
