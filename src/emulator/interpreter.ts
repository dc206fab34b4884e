import { isEmpty } from "../attention/key-range.js";
import { maskOf } from "../attention/mask.js";
import type { AttentionProblem, Operands } from "../attention/problem.js";
import { keyRowAt, kvHeadOfRow } from "../attention/rows.js";
import type { Cascade } from "../einsum/cascade.js";
import { evaluateCascade } from "../einsum/evaluate.js";
import { rolesOf } from "../einsum/roles.js";
import { splitOf } from "../einsum/split.js";
import type { DenseTensor } from "../einsum/tensor-store.js";

/**
 * Every tensor of one output row as the interpreter has it: the golden reference of the engines, which shares nothing
 * with them but the cascade's text. Keys are filled up with zeros, which are not there, to whole tiles; null for a row that
 * sees no key.
 * @throws NumericsError for a value out of range.
 */
export function interpretRow(
  problem: AttentionProblem,
  cascade: Cascade,
  operands: Operands,
  row: number,
): ReadonlyMap<string, DenseTensor> | null {
  const { shape, tile, arithmetic, scale } = problem;
  const { keys, headDim, valueDim } = shape;
  const roles = rolesOf(cascade);
  const mask = maskOf(problem);
  if (isEmpty(mask.span(row))) return null;
  const kvHead = kvHeadOfRow(shape, row);
  const ofKeys = cascade.ranks.byName(roles.keys);
  const [, inner] = ofKeys === undefined ? [] : splitOf(cascade, ofKeys);
  const m0 = Math.min(tile.m0, keys);
  const length = inner === undefined ? keys : Math.ceil(keys / m0) * m0;
  const place = (tensor: string, rank: string): number =>
    (cascade.tensors.get(tensor)?.indices ?? []).findIndex(index =>
      index.terms.some(({ variable }) => cascade.ranks.ofVariable(variable).name === rank),
    );
  /** [outer, inner] of `at(i, j)`, in the order in which the tensor has the two ranks. */
  const tensor = (name: string, rank: string, n: number, other: number, at: (i: number, j: number) => number) => {
    const first = place(name, rank) === 0;
    const data = new Float64Array(n * other);
    for (let i = 0; i < n; i += 1) {
      for (let j = 0; j < other; j += 1) data[first ? i * other + j : j * n + i] = at(i, j);
    }
    return { shape: first ? [n, other] : [other, n], data };
  };
  const kept = (values: Float32Array, width: number) => (m: number, i: number) =>
    m < keys ? (values[keyRowAt(shape, kvHead, m) * width + i] as number) : 0;
  const inputs = {
    [roles.q]: tensor(roles.q, roles.e, headDim, 1, e => operands.q[row * headDim + e] as number),
    [roles.k]: tensor(roles.k, roles.keys, length, headDim, kept(operands.k, headDim)),
    [roles.v]: tensor(roles.v, roles.keys, length, valueDim, kept(operands.v, valueDim)),
  };
  const present = { rank: roles.keys, exists: (m: number) => mask.sees(row, m) };
  const options = {
    format: arithmetic,
    scale,
    present,
    ...(inner === undefined ? {} : { shape: { [inner]: m0 } }),
  };
  return evaluateCascade(cascade, inputs, options).tensors;
}

/** AV of one row, [F]; +0 for a row that sees no key. */
export function interpretOutput(
  problem: AttentionProblem,
  cascade: Cascade,
  operands: Operands,
  row: number,
): Float32Array {
  const tensors = interpretRow(problem, cascade, operands, row);
  const output = tensors?.get(rolesOf(cascade).out);
  return output === undefined ? new Float32Array(problem.shape.valueDim) : Float32Array.from(output.data);
}
