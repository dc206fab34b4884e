import type { BitPlane } from "../../attention/bit-plane.js";
import { groupOf } from "../../attention/heads.js";
import { type AttentionMask, sequenceOf } from "../../attention/mask.js";
import type { AttentionProblem } from "../../attention/problem.js";
import type { AttentionInputs, InputTensor } from "../operands.js";

/** An attention with its inputs as given. */
export interface GivenAttention {
  readonly problem: AttentionProblem;
  readonly inputs: AttentionInputs;
}

/** A range of each of the ranks that an attention can be cut along. */
export interface Part {
  readonly batch: readonly [from: number, to: number];
  /** Key/value heads, with the query heads that read them. */
  readonly kvHeads: readonly [from: number, to: number];
  readonly queries: readonly [from: number, to: number];
}

/**
 * A part of an attention as an attention of its own: the same values, the same places among the keys. Some of the queries
 * are those of one batch. Null where the mask cannot be cut there: documents of a packed sequence, and blocks of bits, by
 * queries.
 */
export function partOf({ problem, inputs }: GivenAttention, part: Part): GivenAttention | null {
  const { shape, mask } = problem;
  const group = groupOf(shape);
  const [b, g, p] = [part.batch, part.kvHeads, part.queries];
  const h = [g[0] * group, g[1] * group] as const;
  const whole = p[0] === 0 && p[1] === shape.queries;
  const { documents, planes = [] } = mask;
  if (!whole && (documents !== undefined || planes.some(({ queriesPerBit }) => queriesPerBit > 1))) return null;
  const { batch: B, heads: H, kvHeads: G, queries: P, keys: M, headDim: E, valueDim: F } = shape;
  const { bias, sink } = inputs;
  const biasShape = bias === undefined ? [] : [1, 1, 1, 1, ...bias.shape].slice(bias.shape.length);
  return {
    problem: {
      ...problem,
      shape: { ...shape, batch: b[1] - b[0], heads: h[1] - h[0], kvHeads: g[1] - g[0], queries: p[1] - p[0] },
      mask: { ...mask, ...cutMask(problem, part, h), ...(whole ? {} : placed(problem, b[0], p[0])) },
    },
    inputs: {
      q: cut(inputs.q, [B, H, P, E], [b, h, p]),
      k: cut(inputs.k, [B, G, M, E], [b, g]),
      v: cut(inputs.v, [B, G, M, F], [b, g]),
      ...(bias === undefined
        ? {}
        : {
            bias: {
              shape: cutSizes(biasShape, [b, h, p]),
              values: cut(bias.values, biasShape, [b, h, p]),
            },
          }),
      ...(sink === undefined ? {} : { sink: Array.from(sink).slice(h[0], h[1]) }),
    },
  };
}

type Range = readonly [from: number, to: number];

/** Query p of a part is where it was in the whole, whose last query is at the last key of its batch. */
function placed(problem: AttentionProblem, b: number, from: number): Pick<AttentionMask, "origin"> {
  const { queries, keys } = sequenceOf(problem, b);
  return { origin: (problem.mask.origin ?? keys - queries) + from };
}

function cutMask({ mask }: AttentionProblem, { batch, queries }: Part, heads: Range): Partial<AttentionMask> {
  const ofBatch = (lengths: readonly number[] | null | undefined) => lengths?.slice(batch[0], batch[1]) ?? null;
  return {
    kvLens: ofBatch(mask.kvLens),
    qLens:
      ofBatch(mask.qLens)?.map(length => Math.min(queries[1] - queries[0], Math.max(0, length - queries[0]))) ?? null,
    ...(mask.leftPad === undefined ? {} : { leftPad: ofBatch(mask.leftPad) }),
    ...(mask.planes === undefined ? {} : { planes: mask.planes.map(plane => cutPlane(plane, batch, heads, queries)) }),
  };
}

function cutPlane(plane: BitPlane, batch: Range, heads: Range, queries: Range): BitPlane {
  const [B, H, P, M] = plane.sizes;
  const perRow = Math.ceil(M / 32);
  const ranges = plane.queriesPerBit === 1 ? [batch, heads, queries] : [batch, heads];
  const [b = 1, h = 1, p = 1] = cutSizes([B, H, P], ranges);
  return { ...plane, sizes: [b, h, p, M], words: cut(plane.words, [B, H, P, perRow], ranges) };
}

/** Sizes after ranges of the first ranks are taken; a rank of 1 is that of all. */
const cutSizes = (sizes: readonly number[], ranges: readonly Range[]): readonly number[] =>
  sizes.map((size, axis) => {
    const range = ranges[axis];
    return size === 1 || range === undefined ? size : range[1] - range[0];
  });

/** The values of ranges of the first ranks, row-major. */
function cut<Values extends InputTensor | Uint32Array>(
  values: Values,
  sizes: readonly number[],
  ranges: readonly Range[],
): Values {
  const kept = cutSizes(sizes, ranges);
  const out = values.slice(
    0,
    kept.reduce((product, size) => product * size, 1),
  ) as Values;
  let at = 0;
  const walk = (axis: number, offset: number): void => {
    const range = ranges[axis];
    const width = sizes.slice(axis).reduce((product, size) => product * size, 1);
    if (range === undefined) {
      out.set(values.subarray(offset, offset + width), at);
      at += width;
      return;
    }
    const size = sizes[axis] as number;
    const step = width / size;
    const [from, to] = size === 1 ? [0, 1] : range;
    for (let i = from; i < to; i += 1) walk(axis + 1, offset + i * step);
  };
  walk(0, 0);
  return out;
}
