import { groupOf } from "../../attention/heads.js";
import { hidesNothing } from "../../attention/mask.js";
import { allRows, rowAt } from "../../attention/rows.js";
import type { AttentionShape } from "../../attention/shape.js";
import { howMany } from "../../errors.js";
import type { ArithmeticSpec } from "../../numerics/arithmetic.js";
import type { InputTensor } from "../operands.js";
import { type GivenAttention, type Part, partOf } from "./part.js";

/** Computes AV [B, H, P, F] of an attention. */
export type Compute = (attention: GivenAttention) => Promise<Float32Array>;

/** A way of computing the same attention: what is varied, to what, and how it is done. */
export interface Variant {
  readonly varied: string;
  readonly value: string;
  /** Null where it means nothing for this attention, which `why` says. */
  readonly compute: ((compute: Compute) => Promise<Float32Array>) | null;
  readonly why?: string;
}

/** Sizes of tiles that are tried beside the problem's own. */
const tileSizes = [1, 16, 64, 128, 256] as const;
/** Numbers of runs of keys. */
const splits = [1, 2, 4, 8] as const;

/**
 * What changes nothing in exact arithmetic: the queries of a tile, the keys of a tile, runs of keys that are merged, what is
 * computed together, and the order of the keys. Engines are varied by the caller.
 */
export function variantsOf(given: GivenAttention): readonly Variant[] {
  const { problem } = given;
  const { tile, kvSplits = 1, arithmetic, shape } = problem;
  const same = (change: Partial<GivenAttention["problem"]>) => (compute: Compute) =>
    compute({ ...given, problem: { ...problem, ...change } });
  const sizes = (own: number, most: number): readonly number[] =>
    tileSizes.filter(size => size !== own && size < 2 * most);
  const order = arithmetic.keys === "ascending" ? "descending" : "ascending";
  return [
    ...sizes(tile.p0, shape.queries).map(p0 => ({
      varied: "P0",
      value: `${howMany(p0, "query")} per tile`,
      compute: same({ tile: { ...tile, p0 } }),
    })),
    ...cuts(given),
    ...splits
      .filter(runs => runs !== kvSplits && runs <= Math.ceil(shape.keys / tile.m0))
      .map(runs => ({
        varied: "kv-splits",
        value: `${runs} run${runs === 1 ? "" : "s"} of keys`,
        compute: same({ kvSplits: runs }),
      })),
    ...sizes(tile.m0, shape.keys)
      .filter(m0 => m0 > 1)
      .map(m0 => ({ varied: "M0", value: `${howMany(m0, "key")} per tile`, compute: same({ tile: { ...tile, m0 } }) })),
    {
      varied: "key order",
      value: `${order}, by the arithmetic`,
      ...(canDescend(arithmetic)
        ? { compute: same({ arithmetic: { ...arithmetic, keys: order } }) }
        : { compute: null, why: "16-bit accumulators and scales of blocks read keys in ascending order" }),
    },
    reversed(given),
  ];
}

/** What an arithmetic's file may say of the order (docs/arithmetic.md). */
const canDescend = ({ accumulator, operands }: ArithmeticSpec): boolean =>
  accumulator === "fp32" && Object.values(operands).every(({ scale }) => scale !== "mx" && scale !== "nvfp4");

/** The parts of an attention, each computed alone. */
function cuts(given: GivenAttention): readonly Variant[] {
  const { shape } = given.problem;
  const { batch, kvHeads, queries } = shape;
  const all: Part = { batch: [0, batch], kvHeads: [0, kvHeads], queries: [0, queries] };
  const each = (count: number) => Array.from({ length: count }, (_, i) => [i, i + 1] as const);
  const half = Math.ceil(queries / 2);
  const alone = (what: string, count: number, parts: readonly Part[]): Variant => ({
    varied: "batch",
    value: what,
    ...(count < 2 ? { compute: null, why: "there is one" } : assembled(given, parts)),
  });
  return [
    alone(
      "each sequence alone",
      batch,
      each(batch).map(range => ({ ...all, batch: range })),
    ),
    alone(
      "each key/value head alone",
      kvHeads,
      each(kvHeads).map(range => ({ ...all, kvHeads: range })),
    ),
    alone(
      "queries in two halves",
      queries,
      each(batch).flatMap(range => [
        { ...all, batch: range, queries: [0, half] },
        { ...all, batch: range, queries: [half, queries] },
      ]),
    ),
  ];
}

/** Multiply-accumulates of a part that one value at a time computes in some tenths of a second. */
const macsOfPart = 2 ** 22;

/**
 * An attention computed in small parts, one after the other. Whole where its scales are of the whole tensor, or where
 * its mask cannot be cut.
 */
export async function inParts(given: GivenAttention, compute: Compute): Promise<Float32Array> {
  const { shape, arithmetic } = given.problem;
  const { batch, kvHeads, queries, keys, headDim, valueDim } = shape;
  const { q, k, v } = arithmetic.operands;
  if ([q, k, v].some(({ scale }) => scale !== "none" && scale !== "mx")) return compute(given);
  const rows = Math.max(1, Math.floor(macsOfPart / (groupOf(shape) * keys * (headDim + valueDim))));
  const parts: Part[] = [];
  for (let b = 0; b < batch; b += 1) {
    for (let g = 0; g < kvHeads; g += 1) {
      for (let p = 0; p < queries; p += rows) {
        parts.push({ batch: [b, b + 1], kvHeads: [g, g + 1], queries: [p, Math.min(queries, p + rows)] });
      }
    }
  }
  return (assembled(given, parts).compute ?? (() => compute(given)))(compute);
}

/** Parts computed one after the other, their rows put where they belong. */
function assembled(given: GivenAttention, parts: readonly Part[]): Pick<Variant, "compute" | "why"> {
  const attentions = parts.map(part => partOf(given, part));
  if (attentions.includes(null)) return { compute: null, why: "its mask is not cut by queries" };
  const { shape } = given.problem;
  return {
    compute: async compute => {
      const av = new Float32Array(allRows({ shape }).end * shape.valueDim);
      for (const [i, attention] of attentions.entries()) {
        const part = parts[i];
        if (attention !== null && part !== undefined) place(await compute(attention), part, shape, av);
      }
      return av;
    },
  };
}

function place(values: Float32Array, part: Part, shape: AttentionShape, av: Float32Array): void {
  const { valueDim } = shape;
  const group = groupOf(shape);
  const rows = part.queries[1] - part.queries[0];
  let at = 0;
  for (let b = part.batch[0]; b < part.batch[1]; b += 1) {
    for (let h = part.kvHeads[0] * group; h < part.kvHeads[1] * group; h += 1) {
      const to = rowAt(shape, { b, h, p: part.queries[0] }) * valueDim;
      av.set(values.subarray(at, at + rows * valueDim), to);
      at += rows * valueDim;
    }
  }
}

/** The last key first: the sum is over the same keys. */
function reversed(given: GivenAttention): Variant {
  const { problem, inputs } = given;
  const [varied, value] = ["key order", "K and V from the last key to the first"];
  if (!hidesNothing(problem.mask) || inputs.bias !== undefined) {
    return { varied, value, compute: null, why: "masks and biases go by the keys' places" };
  }
  const { keys, headDim, valueDim } = problem.shape;
  return {
    varied,
    value,
    compute: compute =>
      compute({
        problem,
        inputs: { ...inputs, k: rowsReversed(inputs.k, keys, headDim), v: rowsReversed(inputs.v, keys, valueDim) },
      }),
  };
}

/** The rows of each head of [B, H, rows, width] from last to first. */
function rowsReversed(values: InputTensor, rows: number, width: number): InputTensor {
  const out = values.slice() as InputTensor;
  const heads = values.length / (rows * width);
  for (let head = 0; head < heads; head += 1) {
    for (let row = 0; row < rows; row += 1) {
      const from = (head * rows + row) * width;
      out.set(values.subarray(from, from + width), (head * rows + rows - 1 - row) * width);
    }
  }
  return out;
}
