import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { onePassAttention } from "../../../src/emulator/golden/one-pass.js";
import { bitsOf, fromBits } from "../../../src/numerics/rounding.js";
import { loadArithmetic } from "../../../src/spec/load.js";

/** Made by an independent program from the contract's text: one head each, values as fp32 bits in hexadecimal. */
interface Vector {
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

const folder = join(import.meta.dirname, "../../golden/arithmetic");
const files = readdirSync(folder);

const valuesOf = (bits: readonly string[]): Float64Array => Float64Array.from(bits, hex => fromBits(parseInt(hex, 16)));

describe("the golden implementation", () => {
  it("has vectors", () => expect(files.length).toBe(14));

  it.each(files)("gives the bits of %s", file => {
    const vector = JSON.parse(readFileSync(join(folder, file), "utf8")) as Vector;
    const { P, M, E, F } = vector.shape;
    const text = JSON.stringify(vector.arithmetic);
    const arithmetic = loadArithmetic({ read: () => ({ file, text }), names: () => [] }, file);
    const { av } = onePassAttention(arithmetic, {
      q: { rows: P, columns: E, values: valuesOf(vector.q) },
      k: { rows: M, columns: E, values: valuesOf(vector.k) },
      v: { rows: M, columns: F, values: valuesOf(vector.v) },
      m0: vector.tile.m0,
      scale: vector.scale,
      sees: (p, m) => !vector.causal || m <= p + M - P,
      kvSplits: vector.kvSplits,
    });
    expect([...av.values].map(x => bitsOf(x).toString(16).padStart(8, "0"))).toEqual(
      vector.av.map(hex => hex.padStart(8, "0")),
    );
  });
});
