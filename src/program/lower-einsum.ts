import type { Expression, ReductionOperator } from "../einsum/einsum.js";
import { noMaximum } from "../numerics/limits.js";
import { type EinsumContext, Expressions } from "./expressions.js";
import { isNone } from "./pe-table.js";
import { read, type Scalar } from "./scalar.js";
import type { Draft, LoopAxis, StepList } from "./steps.js";
import type { Axis, Variable } from "./variable.js";

const foldStart: Readonly<Record<ReductionOperator, number>> = { "+": 0, "*": 1, max: noMaximum, min: -noMaximum };

type Product = { readonly lanes: Expression; readonly shared: "k" | "v" };

/** Iterations one Einsum into steps of its pass. */
export class EinsumLowering {
  private readonly steps: StepList;
  private readonly expressions: Expressions;

  constructor(private readonly context: EinsumContext) {
    this.steps = context.inTiles ? context.tile : context.end;
    this.expressions = new Expressions(context);
  }

  run(): void {
    const { einsum, place, unfit } = this.context;
    const { reductions } = einsum;
    const [first, second] = reductions;
    if (reductions.length > 2) throw unfit("at most two reductions");
    if (first === undefined) {
      this.set(this.target(), place.axis, this.expressions.value(einsum.right, place.axis));
      return;
    }
    if (second === undefined) {
      this.reduce(first.op, first.variables);
      return;
    }
    const [inner, outer] = [first, second].map(({ variables }) => this.ranksOf(variables));
    const { keyParts, tileDraft } = this.context;
    if (place.axis !== "row" || !sameSet(inner, keyParts.slice(1)) || !sameSet(outer, keyParts.slice(0, 1))) {
      throw unfit("a reduction within each tile and one over the tiles");
    }
    const partial = tileDraft(`${einsum.tensor}\u0302`, "row", null);
    this.foldOver("key", partial, first.op, foldStart[first.op], einsum.right);
    this.acrossTiles(second.op, read(partial));
  }

  private reduce(op: ReductionOperator, variables: readonly string[]): void {
    const { einsum, place, keyParts, roles, unfit } = this.context;
    const ranks = this.ranksOf(variables);
    const product = op === "+" ? this.productOf(einsum.right) : null;
    const keys = sameSet(ranks, keyParts) ? "all" : sameSet(ranks, keyParts.slice(1)) ? "tile" : null;
    if (product !== null) {
      if (product.shared === "k" && place.axis === "key" && sameSet(ranks, [roles.e]))
        this.product("E", product, false);
      else if (product.shared === "v" && place.axis === "F" && keys !== null)
        this.product("key", product, keys === "all");
      else throw unfit("a product of a query's values with K over E, or with V over keys");
      return;
    }
    if (keys !== null && keyParts.length > 0 && place.axis === "row") {
      if (keys === "all") this.foldOver("key", this.target(foldStart[op]), op, null, einsum.right);
      else this.foldOver("key", this.target(), op, foldStart[op], einsum.right);
    } else if (keyParts.length === 2 && sameSet(ranks, keyParts.slice(0, 1))) {
      if (place.axis === "key") throw unfit("values for each key, for each tile, or for each coordinate of E or F");
      const target = this.target(foldStart[op]);
      this.set(target, place.axis, this.combine(op, read(target), einsum.right, place.axis));
    } else if (place.axis === "row" && ranks.length === 1 && (ranks[0] === roles.e || ranks[0] === roles.f)) {
      const axis = ranks[0] === roles.e ? "E" : "F";
      this.foldOver(axis, this.target(), op, foldStart[op], einsum.right);
    } else throw unfit("a reduction over E or F, over the keys of a tile, over the tiles, or over all keys");
  }

  private ranksOf(variables: readonly string[]): string[] {
    return variables.map(variable => this.context.cascade.ranks.ofVariable(variable).name);
  }

  /** The variable that the Einsum writes; `initial` where it is built up over the tiles. */
  private target(initial: number | null = null): Draft {
    const { einsum, place, written, pass, inTiles, draft, tileDraft, cascade } = this.context;
    const known = written.get(einsum.tensor);
    if (known?.after != null) return known.after;
    const operand = einsum.annotation === "operand";
    const perTile = place.perTile;
    const variable = perTile
      ? tileDraft(einsum.tensor, place.axis, einsum.tensor, operand)
      : draft(einsum.tensor, place.axis, einsum.tensor, operand, inTiles ? (initial ?? 0) : null);
    written.set(einsum.tensor, { variable, after: null, pass, atEnd: !perTile });
    if (cascade.tensors.get(einsum.tensor)?.iterative != null) throw this.context.unfit("an iteration over tiles");
    return variable;
  }

  private set(to: Draft, axis: Axis, value: Scalar): void {
    const { einsum, unfit } = this.context;
    if (this.expressions.noneOf(einsum.right) !== null) throw unfit("minus infinity in maxima and exponentials alone");
    const over = axis === "row" ? null : axis;
    this.flushChecks(over);
    this.steps.add(over, { kind: "set", to, value: this.finish(value) });
    this.check(over, to);
  }

  private foldOver(
    axis: "key" | "E" | "F",
    to: Draft,
    op: ReductionOperator,
    start: number | null,
    of: Expression,
  ): void {
    const value = this.combine(op, read(to), of, axis);
    this.flushChecks(axis);
    const { annotation } = this.context.einsum;
    this.steps.add(axis, { kind: "fold", to, value, start });
    if (annotation !== null) {
      if (start === null) throw this.context.unfit("no annotation of a sum over all keys");
      this.steps.add(null, { kind: "set", to, value: this.finish(read(to)) });
    }
    this.check(null, to, start === null);
  }

  /** A reduction over the tiles of one value per tile. */
  private acrossTiles(op: ReductionOperator, value: Scalar): void {
    const target = this.target(foldStart[op]);
    this.set(target, "row", this.operation(op)(read(target), value));
  }

  /** One step of a reduction: a product that is summed multiplies operands and accumulates. */
  private combine(op: ReductionOperator, sum: Scalar, of: Expression, axis: Axis): Scalar {
    const { table } = this.context;
    if (op === "+" && of.kind === "binary" && of.op === "*") {
      return table.mac(sum, this.factor(of.left, axis), this.factor(of.right, axis));
    }
    if (op === "+" && of.kind === "unary" && of.fn === "square") {
      const x = this.factor(of.operand, axis);
      return table.mac(sum, x, x);
    }
    return this.operation(op)(sum, this.expressions.value(of, axis));
  }

  private operation(op: ReductionOperator): (a: Scalar, b: Scalar) => Scalar {
    const { table } = this.context;
    return { "+": table.add, "*": table.mul, max: table.max, min: table.min }[op];
  }

  /** A factor of a product that is summed: an operand, unless its tensor is annotated otherwise. */
  private factor(expression: Expression, axis: Axis, product: "E" | "key" = "key"): Scalar {
    const { operand, query } = this.context.table;
    const value = this.expressions.value(expression, axis);
    if (value.op === "read" && value.variable.operand) return value;
    return this.isAnnotated(expression) ? value : (product === "E" ? query : operand)(value);
  }

  private isAnnotated(expression: Expression): boolean {
    if (expression.kind !== "access") return false;
    return this.context.cascade.einsums.some(
      ({ tensor, annotation }) => tensor === expression.tensor && annotation !== null,
    );
  }

  private productOf(right: Expression): Product | null {
    if (right.kind !== "binary" || right.op !== "*") return null;
    const sharedBy = (x: Expression): "k" | "v" | null =>
      x.kind === "access" ? (this.context.shared.get(x.tensor) ?? null) : null;
    const [a, b] = [sharedBy(right.left), sharedBy(right.right)];
    if (b !== null && a === null) return { lanes: right.left, shared: b };
    if (a !== null && b === null) return { lanes: right.right, shared: a };
    return null;
  }

  private product(over: "E" | "key", { lanes }: Product, continues: boolean): void {
    const { einsum, tileDraft, draft, unfit } = this.context;
    if (einsum.annotation !== null && continues) throw unfit("no annotation of a sum over all keys");
    const value = this.factor(lanes, over, over);
    if (this.isAnnotated(lanes) && !(value.op === "read" && value.variable.operand)) {
      throw unfit("operands in a product with K or V");
    }
    let operand = value.op === "read" ? (value.variable as Draft) : null;
    if (operand === null || operand.axis !== over) {
      operand = (over === "key" ? tileDraft : draft)(`${einsum.tensor}\u0302`, over, null, true);
      this.flushChecks(over);
      this.steps.add(over, { kind: "set", to: operand, value });
    }
    this.flushChecks(over);
    const to = this.target(continues ? 0 : null);
    this.steps.append({ kind: "product", over, lanes: operand, to, continues, scales: null });
    const axis = over === "E" ? "key" : "F";
    const scale = over === "E" ? this.context.scoreScale() : null;
    if (scale !== null) this.steps.add(axis, { kind: "set", to, value: this.context.table.mul(read(to), scale) });
    if (einsum.annotation !== null) this.steps.add(axis, { kind: "set", to, value: this.finish(read(to)) });
    this.check(axis, to, continues);
  }

  private finish(value: Scalar): Scalar {
    const { table, einsum } = this.context;
    return einsum.annotation === null ? table.result(value) : table.annotation(einsum.annotation)(value);
  }

  /** Checks a value that was made: all of them where the accumulator is narrow, else sums and outputs of a row. */
  private check(over: LoopAxis, to: Variable, continues = false): void {
    const { einsum, table, order, roles, end } = this.context;
    const scale = einsum.tensor === roles.out ? this.context.outputScale() : null;
    if (scale !== null) end.add(over, { kind: "set", to, value: table.mul(read(to), scale) });
    const isMaximum =
      einsum.reductions.some(({ op }) => op === "max" || op === "min") ||
      (einsum.right.kind === "binary" && (einsum.right.op === "max" || einsum.right.op === "min"));
    const wanted = table.checksAll ? true : !isMaximum && (over === null || einsum.tensor === roles.out);
    if (!wanted) return;
    const unless = isMaximum ? isNone(read(to)) : null;
    const where = { tensor: einsum.tensor, what: "value" as const, unless, order, over };
    // An infinity stays one to the end of its sum.
    const steps = continues || scale !== null ? end : this.steps;
    steps.add(over, { kind: "check", value: read(to), limit: table.limit, where });
  }

  private flushChecks(over: LoopAxis): void {
    for (const check of this.expressions.takeChecks()) {
      this.steps.add(over, { ...check, where: { ...check.where, over } });
    }
  }
}

const sameSet = (a: readonly string[] | undefined, b: readonly string[]): boolean =>
  a !== undefined && a.length === b.length && b.length > 0 && a.every(x => b.includes(x));
