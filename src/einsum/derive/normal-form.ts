import type { Access, Expression } from "../einsum.js";
import { formatExpression } from "../format-expression.js";

/** A product with a number: coefficient * factors / divisors. */
export interface Term {
  readonly coefficient: number;
  readonly factors: readonly Expression[];
  readonly divisors: readonly Expression[];
}

/** What is known of the parts of an expression. */
export interface Algebra {
  /** What an access stands for, or null where it is to stay as it is. */
  readonly open: (access: Access) => Expression | null;
  /** What an access stands for wherever it stands for something: a logarithm sees into it. */
  readonly inside: (access: Access) => Expression | null;
  /** Whether the logarithm of a part may be taken by itself. */
  readonly isPositive: (part: Expression) => boolean;
}

/** Nothing is known: every access stays as it is. */
export const noAlgebra: Algebra = { open: () => null, inside: () => null, isPositive: () => false };

/** Products of sums with more terms are left as they are. */
const mostTerms = 24;

const one: Term = { coefficient: 1, factors: [], divisors: [] };
const atom = (expression: Expression): readonly Term[] => [{ ...one, factors: [expression] }];

/**
 * An expression as a sum of products: products are distributed over sums, squares and negations opened, a logarithm of
 * a product is the sum of logarithms and undoes an exponential. Anything else is an atom. Like terms are added.
 */
export function expand(expression: Expression, { open, inside, isPositive }: Algebra): readonly Term[] {
  const termsOf = (part: Expression): readonly Term[] => {
    switch (part.kind) {
      case "number":
        return Number.isFinite(part.value) ? [{ ...one, coefficient: part.value }] : atom(part);
      case "size":
        return atom(part);
      case "access": {
        const body = open(part);
        return body === null ? atom(part) : termsOf(body);
      }
      case "unary":
        if (part.fn === "neg") return scaled(termsOf(part.operand), -1);
        if (part.fn === "square") return product(part, termsOf(part.operand), termsOf(part.operand));
        if (part.fn === "recip") return quotient([one], termsOf(part.operand), part.operand);
        return part.fn === "log" ? (logarithm(part.operand) ?? atom(part)) : atom(part);
      case "binary": {
        if (part.op === "max" || part.op === "min") return atom(part);
        const [left, right] = [termsOf(part.left), termsOf(part.right)];
        if (part.op === "*") return product(part, left, right);
        if (part.op === "/") return quotient(left, right, part.right);
        return merged([...left, ...scaled(right, part.op === "+" ? 1 : -1)]);
      }
    }
  };
  const logarithm = (operand: Expression): readonly Term[] | null => {
    const [term, another] = termsOf(operand);
    if (term === undefined || another !== undefined || term.coefficient !== 1) return null;
    const all = [...term.factors, ...term.divisors].map(factor =>
      factor.kind === "access" ? (inside(factor) ?? factor) : factor,
    );
    if (!all.every(isPositive)) return null;
    const parts = all.map((factor, i) => {
      const undone = factor.kind === "unary" && factor.fn === "exp" && factor.scale === undefined;
      const own = undone ? termsOf(factor.operand) : atom({ kind: "unary", fn: "log", operand: factor });
      return scaled(own, i < term.factors.length ? 1 : -1);
    });
    return all.length === 1 && !(all[0]?.kind === "unary" && all[0].fn === "exp") ? null : merged(parts.flat());
  };
  return merged(termsOf(expression));
}

function product(whole: Expression, left: readonly Term[], right: readonly Term[]): readonly Term[] {
  if (left.length * right.length > mostTerms) return atom(whole);
  return merged(left.flatMap(a => right.map(b => times(a, b))));
}

function quotient(left: readonly Term[], right: readonly Term[], divisor: Expression): readonly Term[] {
  const [only, another] = right;
  const by: Term =
    only === undefined || another !== undefined || only.coefficient === 0
      ? { ...one, divisors: [divisor] }
      : { coefficient: 1 / only.coefficient, factors: only.divisors, divisors: only.factors };
  return merged(left.map(term => times(term, by)));
}

const scaled = (terms: readonly Term[], by: number): readonly Term[] =>
  terms.map(term => ({ ...term, coefficient: term.coefficient * by }));

const times = (a: Term, b: Term): Term =>
  cancelled({
    coefficient: a.coefficient * b.coefficient,
    factors: [...a.factors, ...b.factors],
    divisors: [...a.divisors, ...b.divisors],
  });

/** Without what is a factor and a divisor alike. */
export function cancelled({ coefficient, factors, divisors }: Term): Term {
  const below = [...divisors];
  const above = factors.filter(factor => {
    const text = formatExpression(factor);
    const at = below.findIndex(divisor => formatExpression(divisor) === text);
    if (at !== -1) below.splice(at, 1);
    return at === -1;
  });
  return { coefficient, factors: above, divisors: below };
}

/** What tells terms apart but for their coefficients. */
export function keyOf({ factors, divisors }: Pick<Term, "factors" | "divisors">): string {
  const sorted = (parts: readonly Expression[]): string => parts.map(formatExpression).sort().join(" * ");
  return `${sorted(factors)} / ${sorted(divisors)}`;
}

/** Like terms added; those that come to nothing are gone. */
export function merged(terms: readonly Term[]): readonly Term[] {
  const byKey = new Map<string, Term>();
  for (const term of terms) {
    const key = keyOf(term);
    const known = byKey.get(key);
    byKey.set(key, known === undefined ? term : { ...known, coefficient: known.coefficient + term.coefficient });
  }
  return [...byKey.values()].filter(({ coefficient }) => coefficient !== 0);
}

/** Whether two expressions are the same sum of products. */
export function sameTerms(a: readonly Term[], b: readonly Term[]): boolean {
  return merged([...a, ...scaled(b, -1)]).length === 0;
}

/** A sum of products as an expression: products first, then the quotients; a negative one is subtracted. */
export function sumOf(terms: readonly Term[]): Expression {
  const ordered = [...terms].sort((a, b) => Number(a.coefficient < 0) - Number(b.coefficient < 0));
  const [first, ...rest] = ordered;
  if (first === undefined) return { kind: "number", value: 0 };
  return rest.reduce<Expression>(
    (left, term) =>
      term.coefficient < 0
        ? { kind: "binary", op: "-", left, right: productOf({ ...term, coefficient: -term.coefficient }) }
        : { kind: "binary", op: "+", left, right: productOf(term) },
    productOf(first),
  );
}

/** A term as an expression. */
export function productOf({ coefficient, factors, divisors }: Term): Expression {
  const negative = coefficient === -1 && factors.length > 0;
  const number: readonly Expression[] =
    (coefficient === 1 || negative) && factors.length > 0 ? [] : [{ kind: "number", value: coefficient }];
  const [head = { kind: "number", value: 1 } as const, ...rest] = [...number, ...factors];
  const start: Expression = negative ? { kind: "unary", fn: "neg", operand: head } : head;
  const above = rest.reduce<Expression>((left, right) => ({ kind: "binary", op: "*", left, right }), start);
  return divisors.reduce<Expression>((left, right) => ({ kind: "binary", op: "/", left, right }), above);
}
