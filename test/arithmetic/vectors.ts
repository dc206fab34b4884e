import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { noMask } from "../../src/attention/mask.js";
import type { AttentionProblem } from "../../src/attention/problem.js";
import { bitsOf, fromBits } from "../../src/numerics/rounding.js";
import { loadArithmetic } from "../../src/spec/load.js";

/** Made by an independent program from the contract's text: one head each, values as fp32 bits in hexadecimal. */
interface VectorFile {
  readonly arithmetic: object;
  readonly tile: { readonly m0: number };
  readonly scale: number;
  readonly causal: boolean;
  readonly kvSplits: number;
  readonly shape: Readonly<Record<"P" | "M" | "E" | "F", number>>;
  readonly q: readonly string[];
  readonly k: readonly string[];
  readonly v: readonly string[];
  readonly av: readonly string[];
}

export interface Vector {
  readonly problem: AttentionProblem & { readonly kvSplits: number };
  readonly inputs: Readonly<Record<"q" | "k" | "v", Float32Array>>;
  /** Bits of AV. */
  readonly av: readonly string[];
}

const folder = join(import.meta.dirname, "../golden/arithmetic");
export const vectorNames = readdirSync(folder);

const valuesOf = (bits: readonly string[]): Float32Array => Float32Array.from(bits, hex => fromBits(parseInt(hex, 16)));

/** fp32 values as bits in hexadecimal. */
export const hexOf = (values: Iterable<number>): readonly string[] =>
  [...values].map(x => bitsOf(x).toString(16).padStart(8, "0"));

export function readVector(name: string): Vector {
  const vector = JSON.parse(readFileSync(join(folder, name), "utf8")) as VectorFile;
  const { P, M, E, F } = vector.shape;
  const text = JSON.stringify(vector.arithmetic);
  return {
    problem: {
      shape: { batch: 1, heads: 1, kvHeads: 1, queries: P, keys: M, headDim: E, valueDim: F },
      mask: { ...noMask, right: vector.causal ? 0 : -1 },
      tile: { m0: vector.tile.m0, p0: 4 },
      arithmetic: loadArithmetic({ read: () => ({ file: name, text }), names: () => [] }, name),
      scale: vector.scale,
      kvSplits: vector.kvSplits,
    },
    inputs: { q: valuesOf(vector.q), k: valuesOf(vector.k), v: valuesOf(vector.v) },
    av: vector.av.map(hex => hex.padStart(8, "0")),
  };
}
