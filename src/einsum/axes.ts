import { UsageError } from "../errors.js";
import type { Cascade } from "./cascade.js";
import { formatTensor } from "./format-einsum.js";
import { rankOfIndex } from "./input-shape.js";

/** A tensor by its name, and its axes where they are named: `Q[p,e]`. */
export interface NamedAxes {
  readonly name: string;
  /** Rank variables or rank names, in the order of the axes; null where nothing is said, for the text's own order. */
  readonly axes: readonly string[] | null;
}

/** Reads `Q` or `Q[p,e]`; null for anything else. */
export function parseNamedAxes(text: string): NamedAxes | null {
  const [, name, inside] = /^\s*([A-Za-z_]\w*)\s*(?:\[([^\]]*)\])?\s*$/.exec(text) ?? [];
  if (name === undefined) return null;
  if (inside === undefined) return { name, axes: null };
  const axes = inside.split(",").map(axis => axis.trim());
  return { name, axes: inside.trim() === "" ? [] : axes };
}

/**
 * For each axis of a tensor in the text's order, which of the named axes it is.
 * @throws UsageError where the names are not the tensor's ranks, each once.
 */
export function axisOrder(cascade: Cascade, { name, axes }: NamedAxes, option: string): readonly number[] {
  const indices = cascade.tensors.get(name)?.indices ?? [];
  if (axes === null) return indices.map((_, place) => place);
  const given = axes.map(axis => cascade.ranks.byName(axis.toUpperCase())?.name);
  const order = indices.map(index => given.indexOf(rankOfIndex(cascade, index) ?? ""));
  if (axes.length === indices.length && new Set(order).size === order.length && !order.includes(-1)) return order;
  throw new UsageError({
    where: option,
    got: `the axes ${name}[${axes.join(",")}]`,
    expected: `those of ${formatTensor(cascade, name)} in some order`,
  });
}

/** Row-major values with their axes in another order: axis `i` of the result is axis `order[i]` of the values. */
export function reorderAxes<T extends Float32Array | Float64Array>(
  values: T,
  shape: readonly number[],
  order: readonly number[],
): T {
  if (order.every((axis, place) => axis === place)) return values;
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const sizes = order.map(axis => shape[axis] as number);
  const steps = order.map(axis => strides[axis] as number);
  const out = values.slice() as T;
  const at = sizes.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to += 1) {
    out[to] = values[from] as number;
    for (let place = sizes.length - 1; place >= 0; place -= 1) {
      from += steps[place] as number;
      at[place] = (at[place] as number) + 1;
      if ((at[place] as number) < (sizes[place] as number)) break;
      from -= (steps[place] as number) * (sizes[place] as number);
      at[place] = 0;
    }
  }
  return out;
}
