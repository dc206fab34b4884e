import { InputError } from "../errors.js";
import { type Arithmetic, float64, reductionStart } from "./arithmetic.js";
import type { Cascade } from "./cascade.js";
import type { Access, Einsum, Expression, Filter, Index, ReductionOperator } from "./einsum.js";
import { formatRead } from "./format-einsum.js";
import { holds } from "./operations.js";
import type { SizeOf } from "./shape.js";
import { type Size, sizeValue } from "./size.js";

/** A value that depends on the point that the kernel stands at. */
type Node = () => number;

interface Level {
  readonly op: ReductionOperator;
  readonly variables: readonly number[];
  /** Conditions that are known once this level's variables are. */
  readonly conditions: readonly (() => boolean)[];
}

interface Store {
  tensor(name: string): { readonly shape: readonly number[]; readonly data: Float64Array };
  /** An input as it was given, before any rounding. */
  exact(name: string): ArrayLike<number>;
}

/** One Einsum made ready to run: its expression as closures over the coordinates of a point. */
export class EinsumKernel {
  readonly einsum: Einsum;
  /** How many quotients were 0 / 0, and where the first was. */
  emptyQuotients = 0;
  firstEmpty = "";
  private readonly cascade: Cascade;
  private readonly store: Store;
  private readonly sizeOf: SizeOf;
  private readonly arithmetic: Arithmetic;
  private readonly scale: number;
  /** Free variables, then reduced ones. */
  private readonly variables: readonly string[];
  private readonly extents: Int32Array;
  private readonly at: Int32Array;
  private readonly target: Node;
  private readonly data: Float64Array;
  private readonly conditions: readonly (() => boolean)[];
  private readonly levels: readonly Level[];
  private readonly point: (level: Level | undefined, sum: number) => number;
  private readonly finish: (x: number) => number;

  constructor(cascade: Cascade, einsum: Einsum, store: Store, sizeOf: SizeOf, arithmetic: Arithmetic, scale: number) {
    this.cascade = cascade;
    this.einsum = einsum;
    this.store = store;
    this.sizeOf = sizeOf;
    this.arithmetic = arithmetic;
    this.scale = scale;
    this.variables = [...einsum.free, ...einsum.reduced];
    this.extents = Int32Array.from(this.variables, v => this.size([{ coefficient: 1, names: [this.rankOf(v)] }]));
    this.at = new Int32Array(this.variables.length);
    this.data = store.tensor(einsum.tensor).data;
    this.target = this.offsetOf(einsum.tensor, this.targetIndices(), `${einsum.tensor} on the left`);
    // The first reduction is the innermost.
    const outward = [...einsum.reductions].reverse();
    const bound = new Set(einsum.free);
    const placed = new Set<Filter>();
    this.conditions = this.conditionsWithin(bound, placed);
    this.levels = outward.map(({ op, variables }) => {
      for (const variable of variables) bound.add(variable);
      const ordered = einsum.reduced.filter(variable => variables.includes(variable));
      return {
        op,
        variables: ordered.map(v => this.variables.indexOf(v)),
        conditions: this.conditionsWithin(bound, placed),
      };
    });
    this.point = this.pointOf(this.levels.at(-1)?.op);
    this.finish = einsum.annotation === null ? x => x : arithmetic.annotation(einsum.annotation);
  }

  /** Computes the whole tensor, or of an initialization its first coordinate. */
  run(): void {
    this.walk(this.einsum.free.map((_, i) => i));
  }

  /** Computes turn `turn` of an iteration over `loop`. */
  runTurn(loop: string, turn: number): void {
    const own = this.einsum.free.findIndex(variable => this.rankOf(variable) === loop);
    this.at[own] = turn;
    this.walk(this.einsum.free.flatMap((_, i) => (i === own ? [] : [i])));
  }

  private walk(free: readonly number[]): void {
    const write = (): void => {
      const { levels, conditions } = this;
      // A point that a filter leaves out is empty.
      const value = conditions.every(holds => holds()) ? this.reduce(0, levels) : 0;
      this.data[this.target()] = this.finish(value);
    };
    this.odometer(free, write);
  }

  /** Sets the coordinates to every point of some variables, the last one fastest. */
  private odometer(variables: readonly number[], visit: () => void): void {
    const { at, extents } = this;
    for (const v of variables) {
      if (extents[v] === 0) return;
      at[v] = 0;
    }
    for (;;) {
      visit();
      let i = variables.length - 1;
      for (; i >= 0; i -= 1) {
        const v = variables[i] as number;
        const next = (at[v] as number) + 1;
        if (next < (extents[v] as number)) {
          at[v] = next;
          break;
        }
        at[v] = 0;
      }
      if (i < 0) return;
    }
  }

  private reduce(depth: number, levels: readonly Level[]): number {
    const level = levels[depth];
    if (level === undefined) return this.point(undefined, 0);
    const innermost = depth === levels.length - 1;
    const combine = this.arithmetic.reduce(level.op);
    let sum = reductionStart[level.op];
    const { conditions } = level;
    this.odometer(level.variables, () => {
      for (const condition of conditions) if (!condition()) return;
      sum = innermost ? this.point(level, sum) : combine(sum, this.reduce(depth + 1, levels));
    });
    return sum;
  }

  /** The value at a point, put into the innermost reduction: a product that is summed multiplies and accumulates. */
  private pointOf(innermost: ReductionOperator | undefined): (level: Level | undefined, sum: number) => number {
    const { right } = this.einsum;
    const { arithmetic } = this;
    if (innermost === undefined) {
      const value = this.compile(right);
      return () => value();
    }
    if (innermost === "+" && right.kind === "binary" && right.op === "*") {
      const [a, b] = [this.compile(right.left), this.compile(right.right)];
      return (_, sum) => arithmetic.mac(sum, a(), b());
    }
    if (innermost === "+" && right.kind === "unary" && right.fn === "square") {
      const a = this.compile(right.operand);
      return (_, sum) => {
        const x = a();
        return arithmetic.mac(sum, x, x);
      };
    }
    const value = this.compile(right);
    const combine = arithmetic.reduce(innermost);
    return (_, sum) => combine(sum, value());
  }

  private compile(expression: Expression, arithmetic = this.arithmetic): Node {
    switch (expression.kind) {
      case "number": {
        const value = arithmetic.constant(expression.value);
        return () => value;
      }
      case "size": {
        const value = arithmetic.constant(this.size(expression.size));
        return () => value;
      }
      case "access":
        return this.compileAccess(expression, arithmetic !== this.arithmetic);
      case "unary": {
        const operand = this.compile(expression.operand, arithmetic);
        if (expression.fn === "exp") return this.compileExp(operand, expression.scale);
        const op = arithmetic.unary(expression.fn);
        return () => op(operand());
      }
      case "binary": {
        const left = this.compile(expression.left, arithmetic);
        const right = this.compile(expression.right, arithmetic);
        const op = arithmetic.binary(expression.op);
        return expression.op === "/" ? this.compileQuotient(left, right, op) : () => op(left(), right());
      }
    }
  }

  private compileExp(operand: Node, scale: Expression | undefined): Node {
    const { arithmetic } = this;
    if (scale === undefined) {
      const op = arithmetic.exp(this.scale);
      return () => op(operand());
    }
    // The scale is a constant of the PE, never rounded to its formats: it is computed in float64.
    const factor = this.compile(scale, float64);
    let [known, op] = [Number.NaN, arithmetic.exp(1)];
    return () => {
      const s = factor();
      if (s !== known) [known, op] = [s, arithmetic.exp(s)];
      return op(operand());
    };
  }

  /**
   * 0 / 0 is 0, as a point that is empty stays empty (EDGE's intersection): so Cascade 3 is defined at i = 0, and a query
   * without keys gives 0 as the emulator does. It is counted, and said in the evaluation's notes.
   */
  private compileQuotient(left: Node, right: Node, op: (a: number, b: number) => number): Node {
    return () => {
      const [a, b] = [left(), right()];
      if (a !== 0 || b !== 0) return op(a, b);
      if (this.emptyQuotients === 0) {
        const point = this.variables.map((variable, i) => `${variable}=${this.at[i]}`).join(", ");
        this.firstEmpty = point === "" ? "at its only point" : `at ${point}`;
      }
      this.emptyQuotients += 1;
      return 0;
    };
  }

  private compileAccess(access: Access, exact: boolean): Node {
    const data = exact ? this.store.exact(access.tensor) : this.store.tensor(access.tensor).data;
    const offset = this.offsetOf(access.tensor, access.indices, formatRead(access));
    return () => data[offset()] as number;
  }

  /** The place in a tensor's data at the point; checked at each read only where it could be out of range. */
  private offsetOf(tensor: string, indices: readonly Index[], where: string): Node {
    const { shape } = this.store.tensor(tensor);
    const { at } = this;
    const strides = new Map<number, number>();
    let base = 0;
    let stride = 1;
    const checks: (() => void)[] = [];
    for (let position = indices.length - 1; position >= 0; position -= 1) {
      const index = indices[position] as Index;
      const length = shape[position] ?? 1;
      const terms = this.linear(index);
      const start = this.size(index.offset);
      base += start * stride;
      for (const [v, coefficient] of terms) strides.set(v, (strides.get(v) ?? 0) + coefficient * stride);
      const reach = (pick: (c: number) => boolean): number =>
        terms.reduce((sum, [v, c]) => sum + (pick(c) ? c * ((this.extents[v] as number) - 1) : 0), start);
      if (reach(c => c < 0) < 0 || reach(c => c > 0) >= length) {
        checks.push(() => {
          const coordinate = terms.reduce((sum, [v, c]) => sum + c * (at[v] as number), start);
          if (coordinate >= 0 && coordinate < length) return;
          throw new InputError({
            where: `${where} in ${this.cascade.name}`,
            got: `coordinate ${coordinate}`,
            expected: `one from 0 to ${length - 1}`,
            mend: "the sizes of the ranks and of the inputs do not fit together",
          });
        });
      }
      stride *= length;
    }
    const linear = sumOf(base, [...strides], at);
    if (checks.length === 0) return linear;
    return () => {
      for (const check of checks) check();
      return linear();
    };
  }

  private linear(index: Index): (readonly [number, number])[] {
    return index.terms.map(({ variable, coefficient }) => [this.variables.indexOf(variable), this.size(coefficient)]);
  }

  private targetIndices(): readonly Index[] {
    const { indices, iteration } = this.einsum;
    if (iteration?.role !== "init") return indices;
    return indices.map((index, i) => (i === iteration.position ? { ...index, terms: [], offset: [] } : index));
  }

  private conditionsWithin(bound: ReadonlySet<string>, placed: Set<Filter>): (() => boolean)[] {
    const found: (() => boolean)[] = [];
    for (const filter of this.einsum.filters) {
      const variables = [...filter.left.terms, ...filter.right.terms].map(term => term.variable);
      if (placed.has(filter) || !variables.every(variable => bound.has(variable))) continue;
      placed.add(filter);
      const [a, b] = [filter.left, filter.right].map(index =>
        sumOf(this.size(index.offset), this.linear(index), this.at),
      );
      if (a !== undefined && b !== undefined) found.push(() => holds(a(), filter.relation, b()));
    }
    return found;
  }

  private rankOf(variable: string): string {
    return this.cascade.ranks.ofVariable(variable).name;
  }

  private size(size: Size): number {
    const value = sizeValue(size, this.sizeOf);
    if (value !== undefined) return value;
    const unknown = size.flatMap(term => term.names).find(name => this.sizeOf(name) === undefined);
    throw new InputError({
      where: `the shape of ${this.cascade.name}`,
      got: `no size of the rank ${unknown ?? "?"}`,
      expected: "a size for every rank that the inputs do not fix",
      mend: `give ${unknown ?? "it"}=... in the shape`,
    });
  }
}

/** base + sum of coefficient * coordinate. */
function sumOf(base: number, terms: readonly (readonly [number, number])[], at: Int32Array): Node {
  const [a, b, c] = terms;
  if (a === undefined) return () => base;
  const [v0, c0] = a;
  if (b === undefined) return () => base + c0 * (at[v0] as number);
  const [v1, c1] = b;
  if (c === undefined) return () => base + c0 * (at[v0] as number) + c1 * (at[v1] as number);
  return () => {
    let sum = base;
    for (const [v, coefficient] of terms) sum += coefficient * (at[v] as number);
    return sum;
  };
}
