import type { Cascade } from "../einsum/cascade.js";
import { type Access, type Einsum, type Expression, plainVariable } from "../einsum/einsum.js";
import { isMixedRadix } from "../einsum/ranks.js";
import type { Roles } from "../einsum/roles.js";
import type { IterativeRead } from "../einsum/tensors.js";
import type { InputError } from "../errors.js";
import { exponentFactor } from "../numerics/pe.js";
import { isNone, type PeTable } from "./pe-table.js";
import type { Statement } from "./program.js";
import { number, read, type Scalar, type Test } from "./scalar.js";
import type { Draft, StepList } from "./steps.js";
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
  /** What a score is times once its sum is done; null for nothing. */
  readonly scoreScale: () => Scalar | null;
  /** What the output is times at the end; null for nothing. */
  readonly outputScale: () => Scalar | null;
  readonly draft: MakeDraft;
  /** A value for each key or each tile. */
  readonly tileDraft: MakeDraft;
  readonly unfit: (expected: string) => InputError;
}

export type Check = Extract<Statement, { kind: "check" }>;

/** The expressions of one Einsum, made of primitives at a point of a loop. */
export class Expressions {
  private checks: Check[] = [];

  constructor(private readonly context: EinsumContext) {}

  /** The checks that belong before what has been made since the last call. */
  takeChecks(): readonly Check[] {
    const taken = this.checks;
    this.checks = [];
    return taken;
  }

  /** An expression at a point of a loop over `axis`. */
  value(expression: Expression, axis: Axis): Scalar {
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
      const where = { tensor: einsum.tensor, what: "difference" as const, unless, order, over: null };
      this.checks.push({ kind: "check", value: x, limit: table.limit, where });
    }
    return table.exp(x, scale === undefined ? c : exponentFactor(scale.value), unless);
  }

  /** Where an expression is minus infinity, since a maximum that it begins with has not begun; null where it never is. */
  noneOf(expression: Expression): Test | null {
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

  /** Whether the access is at the coordinates that the Einsum is at. */
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
