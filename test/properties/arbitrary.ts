import fc from "fast-check";
import type { AttentionMask } from "../../src/attention/mask.js";
import type { AttentionProblem, Operands } from "../../src/attention/problem.js";
import { type AttentionShape, tensorShapes, valuesOf } from "../../src/attention/shape.js";
import { generateNormal } from "../../src/emulator/generate.js";
import { roundTensor } from "../../src/emulator/operands.js";
import { type FormatName, formatNames, formats } from "../../src/numerics/format.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";

export interface Case {
  readonly problem: AttentionProblem;
  readonly operands: Operands;
}

/** What values a case is made of. */
export const valueKinds = ["normal", "wide", "ties", "tiny", "huge", "equal scores", "negative scores"] as const;
export type ValueKind = (typeof valueKinds)[number];

/** Operands of a kind, functions of the seed. */
export function makeOperands(shape: AttentionShape, formatName: FormatName, kind: ValueKind, seed: number): Operands {
  const { operand } = formats[formatName];
  const make = (name: "q" | "k" | "v"): Float32Array => {
    const size = tensorShapes(shape)[name];
    const length = valuesOf(size);
    const normal = generateNormal(seed, name, length);
    const keyOfAll = normal.slice(0, shape.headDim);
    const values = Float32Array.from(normal, (x, i) =>
      elementOf(kind, name, x, keyOfAll[i % shape.headDim] ?? 0, formatName),
    );
    return roundTensor(values, name, size, operand);
  };
  return { q: make("q"), k: make("k"), v: make("v") };
}

/** One value of a kind, from a standard normal one and the same element of the first key. */
function elementOf(kind: ValueKind, name: "q" | "k" | "v", x: number, first: number, format: FormatName): number {
  switch (kind) {
    case "normal":
      return x;
    case "wide":
      return x * 6;
    case "ties":
      return Math.round(x * 4) / 4;
    case "tiny":
      return x * { bf16: 2 ** -45, fp16: 2 ** -20, fp32: 2 ** -26 }[formats[format].operand];
    case "huge":
      return x * (format === "fp16" ? 8000 : format === "fp16-strict" ? 40 : 2 ** 46);
    case "equal scores":
      return name === "k" ? first : x;
    case "negative scores":
      return name === "q" ? Math.abs(x) : name === "k" ? -Math.abs(x) : x;
  }
}

interface Limits {
  readonly queries?: number;
  readonly keys?: number;
  readonly dim?: number;
  readonly formats?: readonly FormatName[];
  readonly kinds?: readonly ValueKind[];
  readonly masked?: boolean;
  readonly batch?: number;
}

const upTo = (n: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: n });

export function shapes({ queries = 13, keys = 40, dim = 19, batch = 2 }: Limits = {}): fc.Arbitrary<AttentionShape> {
  return fc
    .record({
      batch: upTo(batch),
      kvHeads: upTo(2),
      group: upTo(3),
      queries: upTo(queries),
      keys: upTo(keys),
      headDim: upTo(dim),
      valueDim: upTo(dim),
    })
    .map(({ group, ...shape }) => ({ ...shape, heads: shape.kvHeads * group }));
}

export function masks(shape: AttentionShape): fc.Arbitrary<AttentionMask> {
  const side = fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: shape.keys + 2 }));
  const lengths = (most: number): fc.Arbitrary<number[] | null> =>
    fc.option(fc.array(fc.integer({ min: 0, max: most }), { minLength: shape.batch, maxLength: shape.batch }), {
      freq: 2,
    });
  return fc.record({ left: side, right: side, kvLens: lengths(shape.keys), qLens: lengths(shape.queries) });
}

export const unmasked: AttentionMask = { left: -1, right: -1, kvLens: null, qLens: null };

export function cases(limits: Limits = {}): fc.Arbitrary<Case> {
  return shapes(limits).chain(shape =>
    fc
      .record({
        mask: limits.masked === false ? fc.constant(unmasked) : masks(shape),
        tile: fc.record({ m0: upTo(shape.keys + 3), p0: upTo(shape.queries + 3) }),
        format: fc.constantFrom(...(limits.formats ?? formatNames)),
        scale: fc.constantFrom(1 / Math.sqrt(shape.headDim), 0.125, 1, 2 ** -12),
        kind: fc.constantFrom(...(limits.kinds ?? valueKinds)),
        seed: fc.nat(1000),
      })
      .map(({ mask, tile, format, scale, kind, seed }) => ({
        problem: { shape, mask, tile, arithmetic: formatArithmetics[format], scale },
        operands: makeOperands(shape, format, kind, seed),
      })),
  );
}
