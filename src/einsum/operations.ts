import type { Cascade } from "./cascade.js";
import { type Expression, type Filter, type Index, plainVariable, type ReductionOperator } from "./einsum.js";
import { formatIndex } from "./format-einsum.js";
import type { SizeOf } from "./shape.js";
import { sizeValue } from "./size.js";

/** What the arithmetic of an Einsum is made of. A subtraction is an add, a square a mul, a minimum a max. */
export type CascadeOperation =
  | "mac"
  | "mul"
  | "add"
  | "max"
  | "div"
  | "exp"
  | "log"
  | "sqrt"
  | "rsqrt"
  | "sigmoid"
  | "tanh";

/** How often an Einsum does an operation, on any mapping. */
export interface OperationCount {
  /** The Einsum's number in the cascade. */
  readonly einsum: number;
  readonly tensor: string;
  readonly op: CascadeOperation;
  /** In the ranks' names, alphabetically: `E*M*P`. */
  readonly count: string;
  /** Null where a rank's size is not known, or a filter's points are too many to count. */
  readonly value: bigint | null;
}

/** A number of points: symbolic and, where the sizes are known, numeric. */
interface Points {
  readonly factors: readonly string[];
  readonly value: bigint | null;
}

/**
 * Counts the operations of every Einsum as it is written: the right-hand side once per point, then one operation per point
 * and reduction. A product that is summed counts as multiply-accumulates. Copies and constants cost nothing.
 */
export function countOperations(cascade: Cascade, sizeOf: SizeOf = () => undefined): OperationCount[] {
  return cascade.einsums.flatMap((einsum, i) => {
    const counts = new Map<CascadeOperation, { times: number; points: Points }[]>();
    const add = (op: CascadeOperation, times: number, points: Points): void => {
      if (times > 0) counts.set(op, [...(counts.get(op) ?? []), { times, points }]);
    };
    let variables = [...einsum.free, ...einsum.reduced];
    const points = pointsOf(cascade, variables, einsum.filters, sizeOf);
    const perPoint = new Map<CascadeOperation, number>();
    countExpression(einsum.right, perPoint);
    const [first] = einsum.reductions;
    if (first?.op === "+" && isProduct(einsum.right)) {
      perPoint.set("mul", (perPoint.get("mul") ?? 0) - 1);
      perPoint.set("mac", 1);
    } else if (first !== undefined) {
      perPoint.set(operationOf(first.op), (perPoint.get(operationOf(first.op)) ?? 0) + 1);
    }
    for (const [op, times] of perPoint) add(op, times, points);
    for (const [n, reduction] of einsum.reductions.entries()) {
      if (n > 0) add(operationOf(reduction.op), 1, pointsOf(cascade, variables, einsum.filters, sizeOf));
      variables = variables.filter(variable => !reduction.variables.includes(variable));
    }
    return [...counts].map(([op, terms]) => ({
      einsum: i,
      tensor: einsum.tensor,
      op,
      count: terms.map(({ times, points: p }) => formatProduct(times, p.factors)).join(" + "),
      value: terms.reduce<bigint | null>(
        (sum, { times, points: p }) => (sum === null || p.value === null ? null : sum + BigInt(times) * p.value),
        0n,
      ),
    }));
  });
}

function formatProduct(times: number, factors: readonly string[]): string {
  const sorted = [...factors].sort();
  if (sorted.length === 0) return String(times);
  return (times === 1 ? sorted : [String(times), ...sorted]).join("*");
}

const operationOf = (op: ReductionOperator): CascadeOperation => (op === "+" ? "add" : op === "*" ? "mul" : "max");

const isProduct = (expression: Expression): boolean =>
  (expression.kind === "binary" && expression.op === "*") ||
  (expression.kind === "unary" && expression.fn === "square");

const unaryOperation = {
  exp: "exp",
  log: "log",
  sqrt: "sqrt",
  rsqrt: "rsqrt",
  sigmoid: "sigmoid",
  tanh: "tanh",
  relu: "max",
  square: "mul",
  recip: "div",
  // A change of sign costs nothing.
  abs: null,
  neg: null,
} as const;

const binaryOperation = { "+": "add", "-": "add", "*": "mul", "/": "div", max: "max", min: "max" } as const;

function countExpression(expression: Expression, counts: Map<CascadeOperation, number>): void {
  if (expression.kind === "unary") {
    countExpression(expression.operand, counts);
    const op = unaryOperation[expression.fn];
    if (op !== null) counts.set(op, (counts.get(op) ?? 0) + 1);
  } else if (expression.kind === "binary") {
    countExpression(expression.left, counts);
    countExpression(expression.right, counts);
    const op = binaryOperation[expression.op];
    counts.set(op, (counts.get(op) ?? 0) + 1);
  }
}

/** The points over which some variables run, under the filters among them. */
function pointsOf(cascade: Cascade, variables: readonly string[], filters: readonly Filter[], sizeOf: SizeOf): Points {
  const within = filters.filter(filter => variablesOf(filter).every(variable => variables.includes(variable)));
  const bound = new Set(within.flatMap(variablesOf));
  const factors: string[] = [];
  let value: bigint | null = 1n;
  const multiply = (by: number | undefined): void => {
    value = value === null || by === undefined ? null : value * BigInt(by);
  };
  for (const variable of variables) {
    if (bound.has(variable)) continue;
    const { name } = cascade.ranks.ofVariable(variable);
    factors.push(name);
    multiply(sizeOf(name));
  }
  for (const cluster of clustersOf(within)) {
    const counted = countCluster(cascade, cluster, sizeOf);
    factors.push(...counted.factors);
    value = value === null || counted.value === null ? null : value * counted.value;
  }
  return { factors, value };
}

function variablesOf(filter: Filter): string[] {
  return [filter.left, filter.right].flatMap(index => index.terms.map(term => term.variable));
}

/** Filters that share variables belong together. */
function clustersOf(filters: readonly Filter[]): Filter[][] {
  const clusters: { variables: Set<string>; filters: Filter[] }[] = [];
  for (const filter of filters) {
    const own = variablesOf(filter);
    const touching = clusters.filter(cluster => own.some(variable => cluster.variables.has(variable)));
    for (const cluster of touching) clusters.splice(clusters.indexOf(cluster), 1);
    clusters.push({
      variables: new Set([...own, ...touching.flatMap(cluster => [...cluster.variables])]),
      filters: [...touching.flatMap(cluster => cluster.filters), filter],
    });
  }
  return clusters.map(cluster => cluster.filters);
}

/** Points that are worth counting one by one. */
const mostPoints = 4e7;

function countCluster(cascade: Cascade, filters: readonly Filter[], sizeOf: SizeOf): Points {
  const variables = [...new Set(filters.flatMap(variablesOf))];
  const ranks = variables.map(variable => cascade.ranks.ofVariable(variable).name);
  const sizes = ranks.map(sizeOf);
  const [filter] = filters;
  const [a, b] = [filter && plainVariable(filter.left), filter && plainVariable(filter.right)];
  if (filters.length === 1 && filter !== undefined && a !== undefined && b !== undefined && ranks[0] === ranks[1]) {
    const [n, name] = [sizes[0], ranks[0] ?? ""];
    if (filter.relation === "==") return { factors: [name], value: n === undefined ? null : BigInt(n) };
    const shift = filter.relation === "<=" || filter.relation === ">=" ? 1 : -1;
    const value = n === undefined ? null : (BigInt(n) * BigInt(n + shift)) / 2n;
    return { factors: [`${name}*(${name}${shift === 1 ? "+" : "-"}1)/2`], value };
  }
  const text = filters.map(f => `${formatIndex(f.left)}${f.relation}${formatIndex(f.right)}`).join(" & ");
  return { factors: [`points(${text})`], value: enumerate(filters, variables, sizes, sizeOf) };
}

function enumerate(
  filters: readonly Filter[],
  variables: readonly string[],
  sizes: readonly (number | undefined)[],
  sizeOf: SizeOf,
): bigint | null {
  const total = sizes.reduce<number>((product, size) => product * (size ?? Number.POSITIVE_INFINITY), 1);
  if (!(total <= mostPoints)) return null;
  const at = new Map(variables.map(variable => [variable, 0]));
  const coordinate = (index: Index): number =>
    index.terms.reduce(
      (sum, term) => sum + (at.get(term.variable) ?? 0) * (sizeValue(term.coefficient, sizeOf) ?? 0),
      sizeValue(index.offset, sizeOf) ?? 0,
    );
  let count = 0n;
  for (let point = 0; point < total; point += 1) {
    let rest = point;
    for (const [i, variable] of variables.entries()) {
      at.set(variable, rest % (sizes[i] as number));
      rest = Math.floor(rest / (sizes[i] as number));
    }
    if (filters.every(filter => holds(coordinate(filter.left), filter.relation, coordinate(filter.right)))) count += 1n;
  }
  return count;
}

/** Whether `a relation b`. */
export function holds(a: number, relation: Filter["relation"], b: number): boolean {
  switch (relation) {
    case "<=":
      return a <= b;
    case "<":
      return a < b;
    case ">=":
      return a >= b;
    case ">":
      return a > b;
    case "==":
      return a === b;
  }
}
