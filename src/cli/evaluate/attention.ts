import { noMask } from "../../attention/mask.js";
import type { AttentionProblem } from "../../attention/problem.js";
import { axisOrder, reorderAxes } from "../../einsum/axes.js";
import type { Cascade } from "../../einsum/cascade.js";
import type { EvaluatedCascade } from "../../einsum/evaluate.js";
import type { Roles } from "../../einsum/roles.js";
import { splitOf } from "../../einsum/split.js";
import type { DenseTensor } from "../../einsum/tensor-store.js";
import { isOnePass } from "../../emulator/one-pass.js";
import type { AttentionInputs } from "../../emulator/operands.js";

/** The inputs of a cascade as those of an attention of one head. */
export function givenInputs(
  cascade: Cascade,
  roles: Roles,
  inputs: Readonly<Record<string, DenseTensor>>,
): AttentionInputs {
  /** A tensor's values with the ranks that attention has it in. */
  const input = (name: string, ...axes: readonly string[]) => {
    const tensor = inputs[name] as DenseTensor;
    const places = axisOrder(cascade, { name, axes }, "--engine");
    const order = axes.map((_, axis) => places.indexOf(axis));
    return reorderAxes(Float64Array.from(tensor.data), tensor.shape, order);
  };
  return {
    q: input(roles.q, roles.queries, roles.e),
    k: input(roles.k, roles.keys, roles.e),
    v: input(roles.v, roles.keys, roles.f),
  };
}

/** AV [P, F] as what an evaluation of the cascade gives: nothing else is kept. */
export function outputOf(
  cascade: Cascade,
  roles: Roles,
  { shape }: AttentionProblem,
  av: Float32Array,
): EvaluatedCascade {
  const axes = [roles.queries, roles.f];
  const order = axisOrder(cascade, { name: roles.out, axes }, "--engine");
  const sizes = [shape.queries, shape.valueDim];
  const data = reorderAxes(Float64Array.from(av), sizes, order);
  const output = { shape: order.map(axis => sizes[axis] as number), data };
  return { tensors: new Map([[roles.out, output]]), emptyQuotients: [] };
}

/** Tiles of as many queries as may be: their number changes no bit. */
const queriesAtOnce = 256;
/** Keys of a tile where the cascade does not split them, which changes no bit either. */
const keysAtOnce = 256;

/** The attention that a cascade computes on tensors of these sizes. */
export function problemOf(
  cascade: Cascade,
  roles: Roles,
  sizes: ReadonlyMap<string, number>,
  arithmetic: AttentionProblem["arithmetic"],
  scale: number,
): AttentionProblem {
  const size = (rank: string): number => sizes.get(rank) ?? 1;
  const keys = cascade.ranks.byName(roles.keys);
  const [, inner] = keys === undefined ? [] : splitOf(cascade, keys);
  return {
    shape: {
      ...{ batch: 1, heads: 1, kvHeads: 1, queries: size(roles.queries), keys: size(roles.keys) },
      ...{ headDim: size(roles.e), valueDim: size(roles.f) },
    },
    mask: noMask,
    tile: { m0: inner === undefined ? keysAtOnce : size(inner), p0: queriesAtOnce },
    arithmetic,
    scale,
    ...(isOnePass(cascade) ? {} : { cascade: { name: cascade.name, text: cascade.source.lines.join("\n") } }),
  };
}
