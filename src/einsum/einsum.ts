import type { Size } from "./size.js";
import type { Span } from "./source.js";

/** The operators that may be between or before values (docs/cascades.md, "Operators"). */
export const unaryFunctions = [
  "exp",
  "log",
  "sqrt",
  "rsqrt",
  "abs",
  "neg",
  "sigmoid",
  "tanh",
  "relu",
  "square",
  "recip",
] as const;
export type UnaryFunction = (typeof unaryFunctions)[number];
export type BinaryOperator = "+" | "-" | "*" | "/" | "max" | "min";
export type ReductionOperator = "+" | "*" | "max" | "min";

/** What an Einsum's value is rounded to in PE arithmetic: rO, z of rA, rP (docs/numerics.md). */
export const annotations = ["operand", "accumulator", "factor"] as const;
export type Annotation = (typeof annotations)[number];

/** One rank variable in an index expression, times a size: `m1*M0`. */
export interface IndexTerm {
  readonly variable: string;
  readonly coefficient: Size;
}

/** What is between two commas in brackets: a sum of terms plus an offset, `m1*M0 + m0`, `i + 1`, `K`. */
export interface Index {
  readonly terms: readonly IndexTerm[];
  readonly offset: Size;
  /** The rank of the tensor that a place is said to be: H of `H: p*2+r`. */
  readonly rank?: string;
  /** True where several variables slide over each other, `p*2+r`; a split rank's parts, `m1*M0+m0`, do not. */
  readonly window?: true;
  readonly span: Span;
}

/** A condition on rank variables: the Einsum's points are those for which it holds. `left - right` as one index. */
export interface Filter {
  readonly left: Index;
  readonly relation: "<=" | "<" | ">=" | ">" | "==";
  readonly right: Index;
  readonly span: Span;
}

/** A tensor read at a point: `BQK[m1,m0,p]`; no brackets is no ranks. */
export interface Access {
  readonly kind: "access";
  readonly tensor: string;
  readonly indices: readonly Index[];
  readonly bracketed: boolean;
  readonly span: Span;
}

export type Expression =
  | Access
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "size"; readonly size: Size }
  | {
      readonly kind: "unary";
      readonly fn: UnaryFunction;
      readonly operand: Expression;
      /** exp(x, scale) is e^(scale * x). */
      readonly scale?: Expression;
    }
  | {
      readonly kind: "binary";
      readonly op: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    };

/** `:: max(m0)`: how the named rank variables are reduced. */
export interface Reduction {
  readonly op: ReductionOperator;
  readonly variables: readonly string[];
}

/** How a tensor is written along an iterative rank: its first coordinate, or coordinate i + 1 from coordinate i. */
export interface Iteration {
  readonly role: "init" | "step";
  /** Which index of the left-hand side. */
  readonly position: number;
  /** The rank variable; in an initialization that of the tensor's step. */
  readonly variable: string;
}

/** One line of a cascade, names resolved. */
export interface Einsum {
  readonly tensor: string;
  readonly indices: readonly Index[];
  readonly iteration: Iteration | null;
  readonly right: Expression;
  readonly filters: readonly Filter[];
  /** In the order in which they are carried out; together they name every reduced variable once. */
  readonly reductions: readonly Reduction[];
  readonly annotation: Annotation | null;
  /** Rank variables of the left-hand side, in order. */
  readonly free: readonly string[];
  /** Rank variables that the left-hand side lacks, in order of appearance. */
  readonly reduced: readonly string[];
  /** Every tensor read, in order of appearance. */
  readonly reads: readonly Access[];
  /** The Einsum's text, without comment. */
  readonly text: string;
  /** The left-hand side's tensor in the text. */
  readonly span: Span;
}

/** The rank name of a variable: its upper case (`m1` ranges over M1). */
export function rankNameOf(variable: string): string {
  return variable.toUpperCase();
}

/** The index's rank variable when it is nothing but that, else undefined. */
export function plainVariable(index: Index): string | undefined {
  const [term] = index.terms;
  if (index.terms.length !== 1 || index.offset.length !== 0 || term === undefined) return undefined;
  return isOne(term.coefficient) ? term.variable : undefined;
}

/** `i + offset`: the variable of an index that has just one, unscaled. */
export function shiftedVariable(index: Index): string | undefined {
  const [term] = index.terms;
  return index.terms.length === 1 && term !== undefined && isOne(term.coefficient) ? term.variable : undefined;
}

function isOne(size: Size): boolean {
  const [only] = size;
  return size.length === 1 && only?.coefficient === 1 && only.names.length === 0;
}

/** An expression and all parts of it, left to right; the scale of an exponential included. */
export function* partsOf(expression: Expression): Generator<Expression> {
  yield expression;
  if (expression.kind === "unary") {
    yield* partsOf(expression.operand);
    if (expression.scale !== undefined) yield* partsOf(expression.scale);
  } else if (expression.kind === "binary") {
    yield* partsOf(expression.left);
    yield* partsOf(expression.right);
  }
}

/** Every access in an expression, left to right. */
export const accessesOf = (expression: Expression): Access[] =>
  [...partsOf(expression)].filter(part => part.kind === "access");

/** Every function in an expression, but for those in the scale of an exponential, which no PE computes. */
export function functionsOf(expression: Expression): UnaryFunction[] {
  if (expression.kind === "unary") return [expression.fn, ...functionsOf(expression.operand)];
  if (expression.kind === "binary") return [...functionsOf(expression.left), ...functionsOf(expression.right)];
  return [];
}
