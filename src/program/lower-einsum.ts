import type { Cascade } from "../einsum/cascade.js";
import { type Access, type Einsum, type Expression, plainVariable, type ReductionOperator } from "../einsum/einsum.js";
import { isMixedRadix } from "../einsum/ranks.js";
import type { Roles } from "../einsum/roles.js";
import type { IterativeRead } from "../einsum/tensors.js";
import type { InputError } from "../errors.js";
import { exponentFactor } from "../numerics/pe.js";
import { isNone, noMaximum, type PeTable } from "./pe-table.js";
import type { Statement } from "./program.js";
import { number, read, type Scalar, type Test } from "./scalar.js";
import type { Draft, LoopAxis, StepList } from "./steps.js";
import type { Axis, Variable } from "./variable.js";

/** A value that is written, and when it can be read. */
export interface Written {
  readonly variable: Draft;
  /** Of an iteration: its value after the tile. */
  readonly after: Draft | null;
  readonly pass: number;
  /** Whether it is there only once its pass has ended. */
  readonly atEnd: boolean;
}

/** Over what one Einsum's left-hand side ranges. */
export interface Place {
  readonly axis: Axis;
  /** Whether it has a value for each tile. */
  readonly perTile: boolean;
}

type MakeDraft = (name: string, axis: Axis, tensor: string | null, operand?: boolean, initial?: number | null) => Draft;

/** What lowering one Einsum needs of the whole. */
export interface EinsumContext {
  readonly cascade: Cascade;
  readonly roles: Roles;
  /** The ranks that the keys are split into, outermost first. */
  readonly keyParts: readonly string[];
  readonly table: PeTable;
  /** Tensors that are K or V, by whatever indices. */
  readonly shared: ReadonlyMap<string, "k" | "v">;
  readonly written: Map<string, Written>;
  /** Values that may be minus infinity in a row's first tile. */
  readonly maybeNone: ReadonlySet<Variable>;
  readonly einsum: Einsum;
  readonly order: number;
  readonly pass: number;
  readonly tile: StepList;
  readonly end: StepList;
  /** Of exponentials without a scale of their own. */
  readonly c: number;
  readonly place: Place;
  /** Whether it runs tile by tile. */
  readonly inTiles: boolean;
  readonly readKind: (access: Access) => IterativeRead | null;
  readonly draft: MakeDraft;
  /** A value for each key or each tile. */
  readonly tileDraft: MakeDraft;
  readonly unfit: (expected: string) => InputError;
}

const foldStart: Readonly<Record<ReductionOperator, number>> = { "+": 0, "*": 1, max: noMaximum, min: -noMaximum };

type Product = { readonly lanes: Expression; readonly shared: "k" | "v" };

/** Turns one Einsum into steps of its pass. */
export class EinsumLowering {
  private readonly steps: StepList;
  /** Checks that belong before the statement at hand. */
  private checks: Extract<Statement, { kind: "check" }>[] = [];

  constructor(private readonly context: EinsumContext) {
    this.steps = context.inTiles ? context.tile : context.end;
  }

  run(): void {
    const { einsum, place, unfit } = this.context;
    const { reductions } = einsum;
    const [first, second] = reductions;
    if (reductions.length > 2) throw unfit("at most two reductions");
    if (first === undefined) {
      this.set(this.target(), place.axis, this.value(einsum.right, place.axis));
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
    if (this.noneOf(einsum.right) !== null) throw unfit("minus infinity in maxima and exponentials alone");
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

  /** A reduction over the tiles of one value a tile. */
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
    return this.operation(op)(sum, this.value(of, axis));
  }

  private operation(op: ReductionOperator): (a: Scalar, b: Scalar) => Scalar {
    const { table } = this.context;
    return { "+": table.add, "*": table.mul, max: table.max, min: table.min }[op];
  }

  private factor(expression: Expression, axis: Axis): Scalar {
    const value = this.value(expression, axis);
    if (value.op === "read" && value.variable.operand) return value;
    if (expression.kind === "access" && this.annotationOf(expression.tensor) !== null) {
      throw this.context.unfit("operands as the factors of a sum of products");
    }
    return this.context.table.operand(value);
  }

  private annotationOf(tensor: string) {
    return this.context.cascade.einsums.find(einsum => einsum.tensor === tensor && einsum.annotation !== null) ?? null;
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
    const value = this.factor(lanes, over);
    let operand = value.op === "read" ? (value.variable as Draft) : null;
    if (operand === null || operand.axis !== over) {
      operand = (over === "key" ? tileDraft : draft)(`${einsum.tensor}\u0302`, over, null, true);
      this.flushChecks(over);
      this.steps.add(over, { kind: "set", to: operand, value });
    }
    this.flushChecks(over);
    const to = this.target(continues ? 0 : null);
    this.steps.append({ kind: "product", over, lanes: operand, to, continues });
    const axis = over === "E" ? "key" : "F";
    if (einsum.annotation !== null) this.steps.add(axis, { kind: "set", to, value: this.finish(read(to)) });
    this.check(axis, to, continues);
  }

  private finish(value: Scalar): Scalar {
    const { table, einsum } = this.context;
    return einsum.annotation === null ? table.result(value) : table.annotation(einsum.annotation)(value);
  }

  /** Checks a value that was made: all of them where the accumulator is narrow, else sums and outputs of a row. */
  private check(over: LoopAxis, to: Variable, continues = false): void {
    const { einsum, table, order, roles } = this.context;
    const isMaximum =
      einsum.reductions.some(({ op }) => op === "max" || op === "min") ||
      (einsum.right.kind === "binary" && (einsum.right.op === "max" || einsum.right.op === "min"));
    const wanted = table.checksAll ? true : !isMaximum && (over === null || einsum.tensor === roles.out);
    if (!wanted) return;
    const unless = isMaximum ? isNone(read(to)) : null;
    const where = { tensor: einsum.tensor, difference: false, unless, order, over };
    // An infinity stays one to the end of its sum.
    const steps = continues ? this.context.end : this.steps;
    steps.add(over, { kind: "check", value: read(to), limit: table.limit, where });
  }

  private flushChecks(over: LoopAxis): void {
    for (const check of this.checks) this.steps.add(over, { ...check, where: { ...check.where, over } });
    this.checks = [];
  }

  /** An expression at a point of a loop over `axis`. */
  private value(expression: Expression, axis: Axis): Scalar {
    const { table, unfit } = this.context;
    switch (expression.kind) {
      case "number":
        return table.constant(expression.value);
      case "size":
        throw unfit("no rank's size among the values");
      case "access":
        return read(this.access(expression, axis));
      case "unary": {
        const x = this.value(expression.operand, axis);
        switch (expression.fn) {
          case "exp":
            return this.exponential(x, expression);
          case "abs":
            return table.abs(x);
          case "neg":
            return table.subtract(number(0), x);
          case "relu":
            return table.max(x, number(0));
          case "square":
            return table.mul(x, x);
          case "recip":
            return table.div(number(1), x);
          default:
            throw unfit(`no ${expression.fn}, which the PEs do not have`);
        }
      }
      case "binary": {
        const [a, b] = [this.value(expression.left, axis), this.value(expression.right, axis)];
        const { add, subtract, mul, div, max, min } = table;
        return { "+": add, "-": subtract, "*": mul, "/": div, max, min }[expression.op](a, b);
      }
    }
  }

  private exponential(x: Scalar, expression: Extract<Expression, { kind: "unary" }>): Scalar {
    const { table, einsum, order, c, unfit } = this.context;
    const { scale } = expression;
    if (scale !== undefined && scale.kind !== "number") throw unfit("a number as the scale of an exponential");
    const unless = this.noneOf(expression.operand);
    if (table.checksAll) {
      const where = { tensor: einsum.tensor, difference: true, unless, order, over: null };
      this.checks.push({ kind: "check", value: x, limit: table.limit, where });
    }
    return table.exp(x, scale === undefined ? c : exponentFactor(scale.value), unless);
  }

  /** Where an expression is minus infinity, since a maximum that it begins with has not begun; null where it never is. */
  private noneOf(expression: Expression): Test | null {
    const { written, maybeNone } = this.context;
    if (expression.kind === "access") {
      const known = written.get(expression.tensor);
      if (known === undefined) return null;
      const variable = this.variableOf(known, expression);
      return maybeNone.has(variable) ? isNone(read(variable)) : null;
    }
    if (expression.kind !== "binary") return null;
    if (expression.op === "max") return null;
    return this.noneOf(expression.left) ?? this.noneOf(expression.right);
  }

  private variableOf({ variable, after }: Written, access: Access): Draft {
    return after !== null && this.context.readKind(access) === "current" ? after : variable;
  }

  private access(access: Access, axis: Axis): Variable {
    const { written, unfit, pass, inTiles, readKind } = this.context;
    const known = written.get(access.tensor);
    if (known === undefined) throw unfit("K and V in sums of products alone");
    const variable = this.variableOf(known, access);
    const kind = readKind(access);
    const late = kind === "carried" && known.pass !== pass;
    if (late || kind === "first" || kind === "fixed" || (kind === "last" && inTiles && known.pass === pass)) {
      throw unfit("an iteration's value before or after the tile, or at its end");
    }
    if (variable.axis !== "row" && variable.axis !== axis) throw unfit("values at the point itself");
    if (!this.readsOwnPoint(access)) throw unfit("values at the point itself");
    return variable;
  }

  /** Whether the access is at the coordinates that the Einsum stands at. */
  private readsOwnPoint(access: Access): boolean {
    const { cascade, einsum } = this.context;
    const variables = [...einsum.free, ...einsum.reduced];
    const iterative = cascade.tensors.get(access.tensor)?.iterative?.position;
    return access.indices.every((index, position) => {
      if (position === iterative) return true;
      if (isMixedRadix(index)) return true;
      const variable = plainVariable(index);
      if (variable === undefined) return false;
      const { name } = cascade.ranks.ofVariable(variable);
      return variables.filter(v => cascade.ranks.ofVariable(v).name === name).length === 1;
    });
  }
}

const sameSet = (a: readonly string[] | undefined, b: readonly string[]): boolean =>
  a !== undefined && a.length === b.length && b.length > 0 && a.every(x => b.includes(x));
