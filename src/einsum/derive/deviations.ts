import type { Cascade } from "../cascade.js";
import { type Access, accessesOf, type Einsum, type Expression, plainVariable } from "../einsum.js";
import { formatExpression } from "../format-expression.js";
import type { nameSize } from "../size.js";
import { bodyOf, expressionOf, quotientOf, rename, variablesOf, writerOf } from "./factors.js";
import { expand, noAlgebra, sameTerms } from "./normal-form.js";

/** x(r) - mean of x */
export interface Deviation {
  readonly from: Expression;
  /** The mean's tensor; null where none holds it. */
  readonly mean: string | null;
}

/**
 * A sum of w * (x - mean of x) * (y - mean of y). One of (x - mean of x) * y is one of these, too: what is taken from y does not matter,
 * since the sum of x - mean of x is 0.
 */
export interface AboutMeans {
  /** What is multiplied with the differences; null for 1. */
  readonly weight: Expression | null;
  readonly first: Deviation;
  /** Null where it is the first again: a square. */
  readonly second: Deviation | null;
}

/**
 * The sum of an Einsum as one of products of two differences from means over the ranks that it sums, with the weights of those means.
 * Null for what does not look like it; a reason for what is taken from something else.
 */
export function aboutMeansOf(cascade: Cascade, einsum: Einsum): AboutMeans | { readonly reason: string } | null {
  if (einsum.reductions[0]?.op !== "+" || einsum.reductions.length > 1) return null;
  const whole = (part: Expression): Expression => bodyOf(cascade, part) ?? part;
  const open = (part: Expression): readonly Expression[] => {
    const inside = whole(part);
    const { factors, divisors } = quotientOf(inside);
    return divisors.length === 0 && factors.length > 1 ? factors.flatMap(open) : [part];
  };
  const { factors, divisors } = quotientOf(einsum.right);
  if (divisors.length > 0) return null;
  const parts = factors.flatMap(open);
  const varies = (part: Expression): boolean => einsum.reduced.some(variable => variablesOf(part).has(variable));
  const differences = parts.map(part => differenceOf(whole(part), varies));
  const found = differences.flatMap(difference => difference ?? []);
  const [first, second, third] = found;
  if (first === undefined || third !== undefined) return null;
  const weights = parts.filter((_, i) => differences[i] === null);
  if (second === undefined) {
    if (!weights.some(varies) || !isMeanOf(cascade, einsum, first.mean, first.from, null)) return null;
    const y = expressionOf({ factors: weights, divisors: [] });
    return { weight: null, first: named(first), second: { from: y, mean: null } };
  }
  const weight = weights.length === 0 ? null : expressionOf({ factors: weights, divisors: [] });
  for (const { mean, from } of [first, second]) {
    if (!isMeanOf(cascade, einsum, mean, from, weight))
      return {
        reason: `${mean.tensor} is not the mean${weight === null ? "" : ", weighted alike,"} of what is taken from it`,
      };
  }
  const same = formatExpression(first.from) === formatExpression(second.from);
  const isSquare = same && formatExpression(first.mean) === formatExpression(second.mean);
  return { weight, first: named(first), second: isSquare ? null : named(second) };
}

interface Difference {
  readonly from: Expression;
  readonly mean: Access;
}

const named = ({ from, mean }: Difference): Deviation => ({ from, mean: mean.tensor });

/** x - c where x varies and c does not. */
function differenceOf(part: Expression, varies: (part: Expression) => boolean): Difference | null {
  if (part.kind !== "binary" || part.op !== "-" || part.right.kind !== "access") return null;
  return varies(part.left) && !varies(part.right) ? { from: part.left, mean: part.right } : null;
}

/** Whether an access is the sum of w * x over all that an Einsum sums, divided by the sum of w, or by how many there are. */
function isMeanOf(cascade: Cascade, einsum: Einsum, access: Access, x: Expression, weight: Expression | null): boolean {
  const quotient = openedOnce(cascade, access);
  if (quotient === null) return false;
  const { factors, divisors } = quotientOf(quotient);
  const [total, another] = factors;
  const [count, more] = divisors;
  if (total?.kind !== "access" || another !== undefined || count === undefined || more !== undefined) return false;
  const product: Expression = weight === null ? x : { kind: "binary", op: "*", left: weight, right: x };
  if (!isSumOf(cascade, einsum, total, product)) return false;
  if (weight !== null) return count.kind === "access" && isSumOf(cascade, einsum, count, weight);
  const sizes = einsum.reduced.map(variable => cascade.ranks.ofVariable(variable).name);
  return count.kind === "size" && isNumberOf(cascade, count.size, sizes);
}

/** What an access stands for, through tensors that are but copies. */
function openedOnce(cascade: Cascade, access: Access): Expression | null {
  const inside = bodyOf(cascade, access);
  return inside?.kind === "access" ? (openedOnce(cascade, inside) ?? inside) : inside;
}

/** Whether a size is the product of some ranks' sizes: K, or K1 * K0 for the parts of K. */
function isNumberOf(cascade: Cascade, size: ReturnType<typeof nameSize>, ranks: readonly string[]): boolean {
  const [only, another] = size;
  if (only === undefined || another !== undefined || only.coefficient !== 1) return false;
  const parts = (names: readonly string[]): string =>
    names
      .flatMap(name => cascade.ranks.byName(name)?.parts ?? [name])
      .sort()
      .join();
  return parts(only.names) === parts(ranks);
}

/** Whether an access is the sum of x over all that an Einsum sums. */
function isSumOf(cascade: Cascade, einsum: Einsum, access: Access, x: Expression): boolean {
  const total = writerOf(cascade, access.tensor);
  const [only, another] = total?.reductions ?? [];
  if (total === undefined || another !== undefined || only?.op !== "+") return false;
  if (total.iteration !== null || total.filters.length > 0 || total.annotation !== null) return false;
  const rankOf = (variable: string): string => cascade.ranks.ofVariable(variable).name;
  if (total.reduced.length !== einsum.reduced.length) return false;
  const names = new Map<string, string>();
  for (const variable of einsum.reduced) {
    const own = total.reduced.find(other => rankOf(other) === rankOf(variable));
    if (own === undefined) return false;
    names.set(own, variable);
  }
  for (const [place, index] of total.indices.entries()) {
    const read = access.indices[place];
    const [own, other] = [plainVariable(index), read && plainVariable(read)];
    if (own === undefined || other === undefined || einsum.reduced.includes(other)) return false;
    names.set(own, other);
  }
  const inside = (part: Access): Expression | null => bodyOf(cascade, part);
  const terms = (part: Expression) => expand(part, { ...noAlgebra, open: inside, inside });
  return accessesOf(total.right).length > 0 && sameTerms(terms(rename(total.right, names)), terms(x));
}
