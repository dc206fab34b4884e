import type { Arithmetic } from "./arithmetic.js";
import type { Einsum, Expression, ReductionOperator } from "./einsum.js";
import type { PointSpace } from "./point-space.js";

/** One reduction of an Einsum. */
export interface Level {
  readonly op: ReductionOperator;
  /** By their numbers, the last one fastest. */
  readonly variables: readonly number[];
  /** Conditions that are known once this level's variables are. */
  readonly conditions: readonly (() => boolean)[];
}

/** The tensors of a run. */
export interface Store {
  tensor(name: string): { readonly shape: readonly number[]; readonly data: Float64Array };
  /** The scale of each element; undefined for a tensor without. */
  scales(name: string): Float64Array | undefined;
  /** An input as it was given, before any rounding. */
  exact(name: string): ArrayLike<number>;
}

/**
 * The innermost sum of an Einsum that sums nothing but products of two tensors, its fastest variable walked in steps:
 * most of the work of most cascades. Null for any other Einsum, where a point is left out, an access could miss its tensor
 * or a factor has yet to be rounded to an operand. The order of the sum is that of `PointSpace.visit`.
 */
export function sumOfProducts(
  { right }: Einsum,
  level: Level | undefined,
  space: PointSpace,
  store: Store,
  isOperand: (tensor: string) => boolean,
  mac: Arithmetic["mac"],
): (() => number) | null {
  const variable = level?.variables.at(-1);
  if (level?.op !== "+" || level.conditions.length > 0 || variable === undefined) return null;
  if (right.kind !== "binary" || right.op !== "*") return null;
  const factor = (expression: Expression) => {
    if (expression.kind !== "access" || !isOperand(expression.tensor)) return null;
    const { shape, data } = store.tensor(expression.tensor);
    const along = space.along(shape, expression.indices, variable);
    return along === null ? null : { data, ...along };
  };
  const [a, b] = [factor(right.left), factor(right.right)];
  if (a === null || b === null) return null;
  const count = space.pointsOver([variable]);
  const others = level.variables.slice(0, -1);
  const along = (start: number): number => {
    space.at[variable] = 0;
    let [sum, i, j] = [start, a.place(), b.place()];
    for (let n = 0; n < count; n += 1) {
      sum = mac(sum, a.data[i] as number, b.data[j] as number);
      i += a.step;
      j += b.step;
    }
    return sum;
  };
  return () => {
    let sum = 0;
    space.visit(others, () => {
      sum = along(sum);
    });
    return sum;
  };
}
