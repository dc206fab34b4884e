import { binadeFp32, typeRounder } from "../numerics/rounding.js";
import { fusedMultiplyAdd32 } from "../numerics/single-rounding.js";
import type { Blocks, PrintedFor, PrintedPass, RowMemory, TileSpan } from "./javascript.js";
import type { CheckedPlace, Pass, Statement, Step, TileProgram } from "./program.js";
import type { BinaryPrimitive, Scalar, Test } from "./scalar.js";
import type { LoopAxis } from "./steps.js";
import type { Variable } from "./variable.js";

/*
 * A program as closures, one for each operation, for where no code may be made at run time: the content security policy of a
 * page forbids Function. The same steps as those of the printed JavaScript, and some ten times slower.
 */

/** Where a closure is: the row and tile, and the key or coordinate of the loop. */
interface Place {
  row: RowMemory;
  span: TileSpan;
  i: number;
}

type Value = () => number;

const binary: Readonly<Record<BinaryPrimitive, (a: number, b: number) => number>> = {
  add: (a, b) => Math.fround(a + b),
  sub: (a, b) => Math.fround(a - b),
  mul: (a, b) => Math.fround(a * b),
  div: (a, b) => Math.fround(a / b),
  divShort: (a, b) => Math.fround(a / b),
  max: Math.max,
  min: Math.min,
};

const noSpan: TileSpan = { start: 0, end: 0, base: 0, m1: 0, seen: new Uint8Array(0) };

/** Makes a program's passes of closures; `checks` receives what its checks name, in the numbers of `Blocks.fault`. */
export function closuresOf(
  program: TileProgram,
  blocks: Blocks,
  sizes: { readonly e: number; readonly f: number },
  checks: CheckedPlace[],
  { bits = false }: PrintedFor = {},
): readonly PrintedPass[] {
  const maker = new Closures(program, blocks, sizes, checks, bits);
  return program.passes.map(pass => maker.pass(pass));
}

class Closures {
  private readonly at: Place = { row: { values: [] }, span: noSpan, i: 0 };
  /** One closure a node, so that what is used twice is one value; its latest value is kept for an iteration. */
  private readonly made = new Map<Scalar, Value>();
  private iteration = 0;
  /** Over what the loop is whose closures are made. */
  private over: LoopAxis = null;

  constructor(
    private readonly program: TileProgram,
    private readonly blocks: Blocks,
    private readonly sizes: { readonly e: number; readonly f: number },
    private readonly checks: CheckedPlace[],
    private readonly bits: boolean,
  ) {}

  pass({ tile, end }: Pass): PrintedPass {
    const [tileSteps, endSteps] = [tile, end].map(steps => steps.map(step => this.step(step)));
    const run = (steps: readonly (() => void)[] | undefined, row: RowMemory, span: TileSpan): void => {
      this.at.row = row;
      this.at.span = span;
      for (const step of steps ?? []) step();
    };
    return {
      tile: (row, span) => run(tileSteps, row, span),
      end: row => run(endSteps, row, noSpan),
    };
  }

  private values(variable: Variable): () => Float32Array {
    const index = this.program.variables.indexOf(variable);
    return () => this.at.row.values[index]?.values as Float32Array;
  }

  /** Where in its array a variable's value at the loop's point is. */
  private index({ axis, life }: Variable): Value {
    const { at, over } = this;
    const width = this.program.blockKeys ?? 1;
    if (axis === "block") return over === "key" ? () => Math.floor(at.i / width) : () => at.i;
    if (axis === "row") return life === "whole" ? () => at.span.m1 : () => 0;
    return life === "whole" ? () => at.span.base + at.i : () => at.i;
  }

  private step(step: Step): () => void {
    const { at, blocks, sizes } = this;
    if (step.kind === "product") {
      const { over, lanes, to, continues } = step;
      const scales = step.scales === null ? null : this.program.variables.indexOf(step.scales);
      const [from, target] = [lanes, to].map(variable => this.program.variables.indexOf(variable)) as [number, number];
      return () => {
        const [a, b] = [at.row.values[from], at.row.values[target]];
        if (a === undefined || b === undefined) return;
        const base = (over === "E" ? to : lanes).life === "whole" ? at.span.base : 0;
        if (over === "E") blocks.keys(a, b, base, at.span);
        else {
          if (!continues) b.values.fill(0);
          blocks.values(a, b, base, at.span, scales === null ? null : (at.row.values[scales] ?? null));
        }
      };
    }
    const local = new Map<Variable, { value: number }>();
    this.over = step.over;
    const body = step.body.map(statement => this.statement(statement, local));
    const { over } = step;
    const starts = step.body.flatMap(statement => (statement.kind === "fold" ? [this.foldStart(statement)] : []));
    const zeros = step.body.flatMap(s => (s.kind === "set" && s.to.life !== "local" ? [this.zero(s.to)] : []));
    return () => {
      for (const start of starts) start();
      const [from, to] = this.bounds(over, sizes);
      for (at.i = from; at.i < to; at.i += 1) {
        this.iteration += 1;
        const hidden = over === "key" && this.bits && at.span.seen[at.i] === 0;
        for (const run of hidden ? zeros : body) run();
      }
      at.i = 0;
    };
  }

  /** Of a key that the row does not see. */
  private zero(to: Variable): () => void {
    const [values, index] = [this.values(to), this.index(to)];
    return () => {
      values()[index()] = 0;
    };
  }

  private bounds(over: LoopAxis, sizes: { readonly e: number; readonly f: number }): readonly [number, number] {
    const { start, end } = this.at.span;
    const width = this.program.blockKeys ?? 1;
    if (over === "key") return [start, end];
    if (over === "block") return [Math.floor(start / width), Math.floor((end - 1) / width) + 1];
    return [0, over === null ? 1 : over === "E" ? sizes.e : sizes.f];
  }

  private foldStart({ to, start }: Extract<Statement, { kind: "fold" }>): () => void {
    const [values, index] = [this.values(to), this.index(to)];
    if (to.axis === "block") {
      return () => {
        const [first, last] = this.bounds("block", this.sizes);
        values().fill(start ?? 0, first, last);
      };
    }
    return () => {
      if (start !== null) values()[index()] = start;
    };
  }

  private statement(statement: Statement, local: Map<Variable, { value: number }>): () => void {
    const value = this.value(statement.value, local);
    if (statement.kind === "check") {
      const number = this.checks.length;
      this.checks.push(statement.where);
      const { unless } = statement.where;
      const skips = unless === null ? () => false : this.test(unless, local);
      return () => {
        if (!skips() && !(Math.abs(value()) <= statement.limit)) this.blocks.fault(number, this.at.i);
      };
    }
    const { to } = statement;
    if (to.life === "local") {
      const slot = { value: 0 };
      local.set(to, slot);
      return () => {
        slot.value = value();
      };
    }
    const [values, index] = [this.values(to), this.index(to)];
    return () => {
      values()[index()] = value();
    };
  }

  private value(scalar: Scalar, local: Map<Variable, { value: number }>): Value {
    if (scalar.op === "number") return () => scalar.value;
    if (scalar.op === "read") {
      const slot = local.get(scalar.variable);
      if (slot !== undefined) return () => slot.value;
      const [values, index] = [this.values(scalar.variable), this.index(scalar.variable)];
      return () => values()[index()] as number;
    }
    const known = this.made.get(scalar);
    if (known !== undefined) return known;
    const compute = this.compute(scalar, local);
    let [iteration, kept] = [-1, 0];
    const value = (): number => {
      if (iteration !== this.iteration) {
        kept = compute();
        iteration = this.iteration;
      }
      return kept;
    };
    this.made.set(scalar, value);
    return value;
  }

  private compute(scalar: Exclude<Scalar, { op: "number" | "read" }>, local: Map<Variable, { value: number }>): Value {
    switch (scalar.op) {
      case "scale2": {
        const [p, n] = [this.value(scalar.p, local), this.value(scalar.n, local)];
        return () => p() * 2 ** n();
      }
      case "select": {
        const [when, a, b] = [this.test(scalar.when, local), this.value(scalar.a, local), this.value(scalar.b, local)];
        return () => (when() ? a() : b());
      }
      case "floor":
      case "abs": {
        const [f, a] = [Math[scalar.op], this.value(scalar.a, local)];
        return () => f(a());
      }
      case "binade": {
        const a = this.value(scalar.a, local);
        return () => binadeFp32(a());
      }
      case "round": {
        const [round, a] = [typeRounder(scalar.type), this.value(scalar.a, local)];
        return () => round(a());
      }
      case "fma": {
        const [a, b, c] = [this.value(scalar.a, local), this.value(scalar.b, local), this.value(scalar.c, local)];
        return () => fusedMultiplyAdd32(a(), b(), c());
      }
      default: {
        const [op, a, b] = [binary[scalar.op], this.value(scalar.a, local), this.value(scalar.b, local)];
        return () => op(a(), b());
      }
    }
  }

  private test({ op, a, b }: Test, local: Map<Variable, { value: number }>): () => boolean {
    const [x, y] = [this.value(a, local), this.value(b, local)];
    return op === "lt" ? () => x() < y() : () => x() === y();
  }
}
