import { placeInTensor } from "../numerics/coordinates.js";
import type { Run, Term } from "../numerics/dot.js";
import { type Arithmetic, float64, inRange, OutOfRange, type ProductSums, reductionStart } from "./arithmetic.js";
import type { Cascade } from "./cascade.js";
import type { Access, Einsum, Expression, Filter, Index, ReductionOperator } from "./einsum.js";
import { formatRead } from "./format-einsum.js";
import { type Node, PointSpace } from "./point-space.js";
import type { Presence } from "./presence.js";
import type { SizeOf } from "./shape.js";
import { type Level, type Store, sumOfProducts } from "./sum-of-products.js";

/** Told of points as they are computed. */
interface Counter {
  add(points: number): void;
}

/** One Einsum made ready to run: its expression as closures over the coordinates of a point. */
export class EinsumKernel {
  readonly einsum: Einsum;
  /** How many quotients were 0 / 0, and where the first was. */
  emptyQuotients = 0;
  firstEmpty = "";
  private readonly store: Store;
  private readonly arithmetic: Arithmetic;
  private readonly scale: number;
  private readonly space: PointSpace;
  /** Where the value of the point goes. */
  private readonly target: Node;
  private readonly data: Float64Array;
  private readonly shape: readonly number[];
  private readonly mayBeLow: boolean;
  private readonly conditions: readonly (() => boolean)[];
  /** The reductions, outermost first. */
  private readonly levels: readonly Level[];
  /** The value at the point, put into the innermost reduction's `sum`. */
  private readonly point: (sum: number) => number;
  private readonly finish: (x: number) => number;
  /** Of a copy of a scaled input: the scales that go with its values. */
  private readonly scales: { readonly data: Float64Array; readonly value: Node } | null;
  /** The innermost sum as a whole, or null where the Einsum is no plain sum of products. */
  private readonly products: (() => number) | null;
  /** Tensors whose values are operands already. */
  private readonly operands: ReadonlySet<string>;
  /** Tensors whose own Einsum says what they are rounded to. */
  private readonly annotated: ReadonlySet<string>;
  /** Where the coordinate before that of the target is, for an iteration. */
  private readonly carried: Node | null;
  private readonly exists: () => boolean;

  constructor(
    cascade: Cascade,
    einsum: Einsum,
    store: Store,
    sizeOf: SizeOf,
    arithmetic: Arithmetic,
    scale: number,
    present: Presence | null = null,
  ) {
    this.einsum = einsum;
    this.annotated = new Set(cascade.einsums.flatMap(({ tensor, annotation }) => (annotation === null ? [] : tensor)));
    this.store = store;
    this.arithmetic = arithmetic;
    this.scale = scale;
    this.space = new PointSpace(cascade, einsum, sizeOf);
    const existsAmong = (bound: Iterable<string>): (() => boolean)[] =>
      present === null ? [] : present.condition(this.space, bound);
    const { shape, data } = store.tensor(einsum.tensor);
    this.data = data;
    this.shape = shape;
    this.mayBeLow = mayBeLow(einsum);
    this.target = this.space.place(shape, targetIndices(einsum), `${einsum.tensor} on the left`);
    this.carried =
      einsum.iteration?.role === "step"
        ? this.space.place(shape, carriedIndices(einsum), `${einsum.tensor} on the left`)
        : null;
    const bound = new Set(einsum.free);
    const placed = new Set<Filter>();
    this.conditions = this.space.conditions(bound, placed);
    const [exists = () => true] = existsAmong(bound);
    this.exists = exists;
    this.levels = [...einsum.reductions].reverse().map(({ op, variables }) => {
      for (const variable of variables) bound.add(variable);
      const ordered = einsum.reduced.filter(variable => variables.includes(variable));
      return {
        op,
        variables: ordered.map(v => this.space.variables.indexOf(v)),
        conditions: [...this.space.conditions(bound, placed), ...existsAmong(bound)],
      };
    });
    this.operands = operandTensors(cascade, arithmetic);
    this.point = this.pointOf(this.levels.at(-1)?.op);
    const isOperand = (tensor: string): boolean => this.operands.has(tensor) || this.annotated.has(tensor);
    this.products =
      arithmetic.products === null
        ? sumOfProducts(einsum, this.levels.at(-1), this.space, store, isOperand, arithmetic.mac)
        : this.sumOfTerms(arithmetic.products);
    // A copy of an operand is moved, not computed: an accumulator may be narrower.
    const copies = this.operands.has(einsum.tensor) && einsum.annotation === null;
    const finish = copies
      ? (x: number) => x
      : einsum.annotation === null
        ? arithmetic.result
        : arithmetic.annotation(einsum.annotation);
    this.finish = this.scaledOutput(finish);
    const ownScales = store.scales(einsum.tensor);
    this.scales = ownScales === undefined ? null : { data: ownScales, value: this.scaleOf(einsum.right) };
  }

  /** The output is multiplied by the scale of the values, one for all of them, once it is done. */
  private scaledOutput(finish: (x: number) => number): (x: number) => number {
    const { scaled } = this.arithmetic;
    if (scaled?.output?.tensor !== this.einsum.tensor) return finish;
    const [scale = 1] = this.store.scales(scaled.output.values) ?? [];
    return x => scaled.times(finish(x), scale);
  }

  /** Computes the whole tensor, or of an initialization its first coordinate. */
  run(counter: Counter): void {
    this.walk(
      this.einsum.free.map((_, i) => i),
      counter,
    );
  }

  /** Computes step `turn` of an iteration over `loop`. */
  runTurn(loop: string, turn: number, counter: Counter): void {
    const own = this.einsum.free.findIndex(variable => this.space.rankOf(variable) === loop);
    this.space.at[own] = turn;
    this.walk(
      this.einsum.free.flatMap((_, i) => (i === own ? [] : [i])),
      counter,
    );
  }

  private walk(free: readonly number[], counter: Counter): void {
    try {
      this.compute(free, counter);
    } catch (error) {
      if (!(error instanceof OutOfRange)) throw error;
      const at = placeInTensor(this.einsum.tensor, this.shape, this.target());
      throw error.at(`${at} in ${this.arithmetic.name} arithmetic`);
    }
  }

  private compute(free: readonly number[], counter: Counter): void {
    const { conditions, mayBeLow } = this;
    const pointsEach = this.space.pointsOver(this.levels.flatMap(({ variables }) => variables));
    const { largest } = this.arithmetic;
    this.space.visit(free, () => {
      counter.add(pointsEach);
      if (!this.exists()) {
        // Where nothing is, an iteration carries on what it had.
        if (this.carried !== null) this.data[this.target()] = this.data[this.carried()] as number;
        return;
      }
      // A point that a filter leaves out is empty.
      const value = this.finish(conditions.every(holds => holds()) ? this.reduce(0) : 0);
      if (largest !== null && !(mayBeLow && value === Number.NEGATIVE_INFINITY)) inRange(value, largest);
      const target = this.target();
      this.data[target] = value;
      if (this.scales !== null) this.scales.data[target] = this.scales.value();
    });
  }

  private reduce(depth: number): number {
    const level = this.levels[depth];
    if (level === undefined) return this.point(0);
    const innermost = depth === this.levels.length - 1;
    if (innermost && this.products !== null) return this.products();
    const combine = this.arithmetic.reduce(level.op);
    const { conditions, variables } = level;
    let sum = reductionStart[level.op];
    this.space.visit(variables, () => {
      for (const condition of conditions) if (!condition()) return;
      sum = innermost ? this.point(sum) : combine(sum, this.reduce(depth + 1));
    });
    return sum;
  }

  /** The innermost sum of products as a whole, in the way of an arithmetic whose sums have steps or types. */
  private sumOfTerms(products: ProductSums): (() => number) | null {
    const { right } = this.einsum;
    const level = this.levels.at(-1);
    const factors =
      right.kind === "binary" && right.op === "*"
        ? ([right.left, right.right] as const)
        : right.kind === "unary" && right.fn === "square"
          ? ([right.operand, right.operand] as const)
          : null;
    if (level?.op !== "+" || factors === null) return null;
    const tensorOf = (expression: Expression): string | null =>
      expression.kind === "access" && (this.operands.has(expression.tensor) || this.annotated.has(expression.tensor))
        ? expression.tensor
        : null;
    const [left, other] = [tensorOf(factors[0]), tensorOf(factors[1])];
    const factor = (expression: Expression, own: string | null, beside: string | null): Node => {
      const value = this.compile(expression);
      if (own !== null) return value;
      const operand = products.operand(beside);
      return () => operand(value());
    };
    const [a, b] = [factor(factors[0], left, other), factor(factors[1], other, left)];
    const sum = products.sum(left, other);
    // Scales of values multiply the output; those of q and k their sum.
    const scaled = this.arithmetic.scaled?.isScore(left, other) === true ? this.arithmetic.scaled : null;
    const block = scaled?.scoreBlock ?? null;
    const scaleIn = (factor: Expression): Node => (scaled === null ? () => 1 : this.scaleOf(factor));
    const [scaleA, scaleB] = [scaleIn(factors[0]), scaleIn(factors[1])];
    const { variables, conditions } = level;
    const [outer, inner] = [variables.slice(0, -1), variables.slice(-1)];
    return () => {
      const runs: Run[] = [];
      this.space.visit(outer, () => {
        let terms: Term[] = [];
        let begins = true;
        this.space.visit(inner, () => {
          if (begins || terms.length === block) {
            terms = [];
            begins = false;
            runs.push({ terms, scaleA: scaleA(), scaleB: scaleB() });
          }
          const visible = conditions.every(holds => holds());
          terms.push(visible ? { a: a(), b: b(), visible } : { a: 0, b: 0, visible });
        });
      });
      return sum(runs);
    };
  }

  /** The scale of what an expression reads; 1 where it has none. */
  private scaleOf(expression: Expression): Node {
    const scales = expression.kind === "access" ? this.store.scales(expression.tensor) : undefined;
    if (scales === undefined || expression.kind !== "access") return () => 1;
    const { shape } = this.store.tensor(expression.tensor);
    const place = this.space.place(shape, expression.indices, formatRead(expression));
    return () => scales[place()] as number;
  }

  /** The value at a point, put into the innermost reduction: a product that is summed multiplies and accumulates. */
  private pointOf(innermost: ReductionOperator | undefined): (sum: number) => number {
    const { right } = this.einsum;
    const { arithmetic } = this;
    if (innermost === undefined) {
      const value = this.compile(right);
      return () => value();
    }
    if (innermost === "+" && right.kind === "binary" && right.op === "*") {
      const [a, b] = [this.compileFactor(right.left), this.compileFactor(right.right)];
      return sum => arithmetic.mac(sum, a(), b());
    }
    if (innermost === "+" && right.kind === "unary" && right.fn === "square") {
      const a = this.compileFactor(right.operand);
      return sum => {
        const x = a();
        return arithmetic.mac(sum, x, x);
      };
    }
    const value = this.compile(right);
    const combine = arithmetic.reduce(innermost);
    return sum => combine(sum, value());
  }

  /** A factor of a product that is summed: an operand, unless its tensor is annotated otherwise. */
  private compileFactor(expression: Expression): Node {
    const value = this.compile(expression);
    if (expression.kind === "access" && (this.annotated.has(expression.tensor) || this.operands.has(expression.tensor)))
      return value;
    const { operand } = this.arithmetic;
    return () => operand(value());
  }

  private compile(expression: Expression, arithmetic = this.arithmetic): Node {
    switch (expression.kind) {
      case "number": {
        const value = arithmetic.constant(expression.value);
        return () => value;
      }
      case "size": {
        const value = arithmetic.constant(this.space.size(expression.size));
        return () => value;
      }
      case "access":
        return this.compileAccess(expression, arithmetic !== this.arithmetic);
      case "unary": {
        const operand = this.compile(expression.operand, arithmetic);
        if (expression.fn === "exp") return this.compileExp(operand, expression.scale);
        const op = arithmetic.unary[expression.fn];
        if (op === undefined) throw new Error(`no ${expression.fn} in ${arithmetic.name} arithmetic`);
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
   * 0 / 0 is 0, as a point that is empty stays empty (EDGE's intersection): so Cascade 3 is defined at i = 0, and a
   * query without keys gives 0 as the emulator does. It is counted, and said in the evaluation's notes.
   */
  private compileQuotient(left: Node, right: Node, op: (a: number, b: number) => number): Node {
    return () => {
      const [a, b] = [left(), right()];
      if (a !== 0 || b !== 0) return op(a, b);
      if (this.emptyQuotients === 0) {
        const { variables, at } = this.space;
        const point = variables.map((variable, i) => `${variable}=${at[i]}`).join(", ");
        this.firstEmpty = point === "" ? "at its only point" : `at ${point}`;
      }
      this.emptyQuotients += 1;
      return 0;
    };
  }

  private compileAccess(access: Access, exact: boolean): Node {
    const { shape, data: rounded } = this.store.tensor(access.tensor);
    const data = exact ? this.store.exact(access.tensor) : rounded;
    const place = this.space.place(shape, access.indices, formatRead(access));
    return () => data[place()] as number;
  }
}

/** Tensors whose values rO leaves as they are: inputs, and copies of them; in float64 all. */
function operandTensors(cascade: Cascade, arithmetic: Arithmetic): ReadonlySet<string> {
  if (arithmetic.isFloat64) return new Set(cascade.tensors.keys());
  const operands = new Set(cascade.inputs);
  for (const { tensor, right, reductions, iteration } of cascade.einsums) {
    const copies = right.kind === "access" && operands.has(right.tensor) && reductions.length === 0;
    if (copies && iteration === null) operands.add(tensor);
  }
  return operands;
}

/** Whether values may be minus infinity in any arithmetic: what a maximum starts from, and a maximum that keeps it. */
function mayBeLow({ right, reductions }: Einsum): boolean {
  if (reductions.length > 0) return reductions.every(({ op }) => op === "max");
  return right.kind === "number" || right.kind === "access" || (right.kind === "binary" && right.op === "max");
}

/** The coordinate before that which a step writes. */
function carriedIndices({ indices, iteration }: Einsum): readonly Index[] {
  return indices.map((index, i) => (i === iteration?.position ? { ...index, offset: [] } : index));
}

/** The indices of the left-hand side; an initialization writes coordinate 0. */
function targetIndices({ indices, iteration }: Einsum): readonly Index[] {
  if (iteration?.role !== "init") return indices;
  return indices.map((index, i) => (i === iteration.position ? { ...index, terms: [], offset: [] } : index));
}
