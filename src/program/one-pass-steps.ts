import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import { largestExponent } from "../numerics/limits.js";
import { numberTypes } from "../numerics/number-type.js";
import { type PeTable, peTable } from "./pe-table.js";
import type { CheckedPlace, ProductStep, Statement, Step } from "./program.js";
import { binary, equal, number, read, type Scalar, select, type Test } from "./scalar.js";
import type { LoopAxis } from "./steps.js";
import type { Axis, Given, Life, Variable } from "./variable.js";

interface VariableOptions {
  /** What it is called in a dump; null where it is not. */
  readonly tensor?: string | null;
  readonly operand?: boolean;
  readonly initial?: number | null;
  readonly given?: Given;
}

type Loop = { readonly kind: "loop"; readonly over: LoopAxis; readonly body: Statement[] };

/** The variables and steps of a program as they are written down: statements over the same axis share a loop. */
export class OnePassSteps {
  readonly table: PeTable;
  readonly variables: Variable[] = [];
  private steps: (Loop | ProductStep)[] = [];
  /** The largest magnitude of a value that is kept. */
  private readonly limit: number;
  /** Tensors by the order in which they come: that in which offenders are named. */
  private readonly order: string[] = [];

  constructor(
    arithmetic: ArithmeticSpec,
    private readonly keep: boolean,
  ) {
    this.table = peTable(arithmetic);
    this.limit = numberTypes[arithmetic.accumulator].largest;
  }

  /** A value that lives as long as the row does. */
  row(name: string, axis: Axis, options: VariableOptions = {}): Variable {
    return this.variable(name, axis, "row", options);
  }

  tile(name: string, axis: Axis, options: VariableOptions = {}): Variable {
    return this.variable(name, axis, "tile", options);
  }

  /** A value that only the loop reads that makes it. */
  local(name: string, axis: Axis, options: VariableOptions = {}): Variable {
    return this.variable(name, axis, this.keep ? "tile" : "local", options);
  }

  private variable(name: string, axis: Axis, life: Life, options: VariableOptions): Variable {
    const { tensor = name, operand = false, initial = null, given } = options;
    const variable = { name, axis, tensor, life, initial, operand, ...(given === undefined ? {} : { given }) };
    this.variables.push(variable);
    return variable;
  }

  /** Sets a variable, and gives its value for what comes after. */
  set(over: LoopAxis, to: Variable, value: Scalar): Scalar {
    this.add(over, { kind: "set", to, value });
    if (this.table.checksAll && to.tensor !== null) this.check(over, to);
    return read(to);
  }

  fold(over: LoopAxis, to: Variable, value: Scalar, start: number | null): void {
    this.add(over, { kind: "fold", to, value, start });
  }

  product(over: "E" | "key", lanes: Variable, to: Variable, continues: boolean, scales: Variable | null = null): void {
    this.steps.push({ kind: "product", over, lanes, to, continues, scales });
    if (this.table.checksAll) this.check(over === "E" ? "key" : "F", to);
  }

  /** A magnitude above `limit`, the accumulator's largest by default, is an error. */
  check(over: LoopAxis, variable: Variable, limit = this.limit): void {
    this.add(over, this.checkOf(over, variable.tensor ?? variable.name, read(variable), limit, "value", null));
  }

  /** Checks a difference of scores, where every value is. */
  checkDifference(over: LoopAxis, tensor: string, difference: Scalar, unless: Test | null): void {
    if (!this.table.checksAll) return;
    this.add(over, this.checkOf(over, tensor, difference, this.limit, "difference", unless));
  }

  /** An exponent above the largest is an error; below, none is. */
  checkExponent(over: LoopAxis, tensor: string, t: Scalar): void {
    const positive = binary("max", t, number(0));
    this.add(over, this.checkOf(over, tensor, positive, largestExponent, "exponent", null));
  }

  checkNotZero(variable: Variable): void {
    const value = select(equal(read(variable), number(0)), number(2), number(0));
    this.add(null, this.checkOf(null, variable.name, value, 1, "zero", null));
  }

  /** The steps since the last call. */
  take(): readonly Step[] {
    const { steps } = this;
    this.steps = [];
    return steps;
  }

  private checkOf(
    over: LoopAxis,
    tensor: string,
    value: Scalar,
    limit: number,
    what: CheckedPlace["what"],
    unless: Test | null,
  ): Statement {
    if (!this.order.includes(tensor)) this.order.push(tensor);
    return { kind: "check", value, limit, where: { tensor, what, unless, over, order: this.order.indexOf(tensor) } };
  }

  private add(over: LoopAxis, statement: Statement): void {
    const last = this.steps.at(-1);
    if (last?.kind === "loop" && last.over === over) last.body.push(statement);
    else this.steps.push({ kind: "loop", over, body: [statement] });
  }
}
