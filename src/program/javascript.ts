import type { FloatRow } from "../numerics/mac-chains.js";
import type { FloatSpec } from "../numerics/number-type.js";
import { binadeFp32, typeRounder } from "../numerics/rounding.js";
import { fusedMultiplyAdd32 } from "../numerics/single-rounding.js";
import type { CheckedPlace, LoopStep, Pass, Statement, Step, TileProgram } from "./program.js";
import type { BinaryPrimitive } from "./scalar.js";
import { BodyText, type Dialect } from "./text.js";
import type { Variable } from "./variable.js";

/** What one row has while its program runs: an array a variable, one value of it where it has no axis. */
export interface RowMemory {
  readonly values: readonly FloatRow[];
}

/** The tile that a row passes: keys start <= m < end of the tile whose first key of all is `base`, the m1-th tile. */
export interface TileSpan {
  readonly start: number;
  readonly end: number;
  readonly base: number;
  readonly m1: number;
  /** 0 where the row does not see key m of the tile, for a program that is printed for masks of bits. */
  readonly seen: Uint8Array;
}

/** What the printed text depends on beside the program. */
export interface PrintedFor {
  /** Whether rows may see less than all keys of a span. */
  readonly bits?: boolean;
}

/** What the printed code calls. */
export interface Blocks {
  /** sums over E of lanes * K, one for each key of the span, into to[at + m]. */
  keys(lanes: FloatRow, to: FloatRow, at: number, span: TileSpan): void;
  /** to += sums over the span's keys of lanes[at + m] * V, one for each coordinate of F; `scales` those of the lanes' blocks. */
  values(lanes: FloatRow, to: FloatRow, at: number, span: TileSpan, scales: FloatRow | null): void;
  /** A check that failed, by its number in `PrintedProgram.checks`, at a key or coordinate. */
  fault(check: number, index: number): void;
}

export interface PrintedPass {
  tile(row: RowMemory, span: TileSpan): void;
  end(row: RowMemory): void;
}

export interface PrintedProgram {
  readonly text: string;
  readonly checks: readonly CheckedPlace[];
  /** Compiles the text. @throws EvalError in a page whose content security policy forbids it. */
  compile(blocks: Blocks, sizes: { readonly e: number; readonly f: number }): readonly PrintedPass[];
}

const f = (text: string): string => `Math.fround(${text})`;
const operators: Readonly<Record<BinaryPrimitive, (a: string, b: string) => string>> = {
  add: (a, b) => f(`${a} + ${b}`),
  sub: (a, b) => f(`${a} - ${b}`),
  mul: (a, b) => f(`${a} * ${b}`),
  div: (a, b) => f(`${a} / ${b}`),
  divShort: (a, b) => f(`${a} / ${b}`),
  max: (a, b) => `Math.max(${a}, ${b})`,
  min: (a, b) => `Math.min(${a}, ${b})`,
};

const dialectOf = (rounderOf: (type: FloatSpec) => string): Dialect => ({
  number: value => (value < 0 ? `(${value})` : String(value)),
  binary: (op, a, b) => operators[op](a, b),
  unary: (op, a) => (op === "binade" ? `binade(${a})` : `Math.${op}(${a})`),
  round: (type, a) => `${rounderOf(type)}(${a})`,
  multiplyAdd: (a, b, c) => `fma(${a}, ${b}, ${c})`,
  scale2: (p, n) => f(`${p} * power[${n} + 51]`),
  select: (when, a, b) => `(${when} ? ${a} : ${b})`,
  less: (a, b) => `${a} < ${b}`,
  equal: (a, b) => `${a} === ${b}`,
  declare: (name, value) => `const ${name} = ${value};`,
});

/** 2^n at n + 51, from 2^-51 to 2^65. */
const power = Float64Array.from({ length: 117 }, (_, i) => 2 ** (i - 51));

/** Prints a program as JavaScript: one function for a row's tile, and one for what is done at the end, for each pass. */
export function printJavaScript(program: TileProgram, { bits = false }: PrintedFor = {}): PrintedProgram {
  const printer = new Printer(program, bits);
  const passes = program.passes.map(pass => printer.pass(pass));
  const text = `"use strict";\nreturn [\n${passes.join(",\n")}\n];\n`;
  const rounders = [...printer.rounders.entries()];
  const names = ["blocks", "E", "F", "power", "fma", "binade", ...rounders.map(([, { name }]) => name)];
  return {
    text,
    checks: printer.checks,
    compile: (blocks, { e, f }) => {
      const make = new Function(...names, text);
      const given = [blocks, e, f, power, fusedMultiplyAdd32, binadeFp32, ...rounders.map(([, { round }]) => round)];
      return make(...given) as readonly PrintedPass[];
    },
  };
}

/** A key that the row does not see has zeros, and is passed over. */
function hiddenKey(body: readonly Statement[], place: (variable: Variable) => string): string {
  const zeros = body.flatMap(s => (s.kind === "set" && s.to.life !== "local" ? [`${place(s.to)} = 0;`] : []));
  return ["if (seen[i] === 0) {", ...zeros, "continue;", "}"].join("\n");
}

class Printer {
  readonly checks: CheckedPlace[] = [];
  /** By the name of a type. */
  readonly rounders = new Map<string, { readonly name: string; readonly round: (x: number) => number }>();
  private readonly names = { next: 0 };
  private readonly dialect = dialectOf(type => this.rounder(type));

  constructor(
    private readonly program: TileProgram,
    private readonly bits: boolean,
  ) {}

  private rounder(type: FloatSpec): string {
    const known = this.rounders.get(type.name) ?? { name: `round${this.rounders.size}`, round: typeRounder(type) };
    this.rounders.set(type.name, known);
    return known.name;
  }

  pass({ tile, end }: Pass): string {
    return `{\ntile(row, span) {\n${this.function(tile, true)}\n},\nend(row) {\n${this.function(end, false)}\n}\n}`;
  }

  private function(steps: readonly Step[], inTile: boolean): string {
    const lines = ["const { values } = row;", ...(inTile ? ["const { start, end, base, m1, seen } = span;"] : [])];
    for (const step of steps) lines.push(...this.step(step));
    return lines.join("\n");
  }

  private lanes(variable: Variable): string {
    return `values[${this.program.variables.indexOf(variable)}]`;
  }

  private step(step: Step): string[] {
    if (step.kind === "loop") return this.loop(step);
    const { over, lanes, to, continues } = step;
    const at = (variable: Variable): string => (variable.life === "whole" ? "base" : "0");
    if (over === "E") return [`blocks.keys(${this.lanes(lanes)}, ${this.lanes(to)}, ${at(to)}, span);`];
    const clear = continues ? [] : [`${this.lanes(to)}.values.fill(0);`];
    const scales = step.scales === null ? "null" : this.lanes(step.scales);
    return [...clear, `blocks.values(${this.lanes(lanes)}, ${this.lanes(to)}, ${at(lanes)}, span, ${scales});`];
  }

  private loop({ over, body }: LoopStep): string[] {
    const before: string[] = [];
    const after: string[] = [];
    const arrays = new Map<Variable, string>();
    const arrayOf = (variable: Variable): string => {
      const known = arrays.get(variable);
      if (known !== undefined) return known;
      const name = this.fresh();
      arrays.set(variable, name);
      before.push(`const ${name} = ${this.lanes(variable)}.values;`);
      return name;
    };
    const place = (variable: Variable): string => {
      const { axis, life } = variable;
      if (axis === "block") return `${arrayOf(variable)}[${over === "key" ? this.blockOf("i") : "i"}]`;
      const index = axis === "row" ? (life === "whole" ? "m1" : "0") : life === "whole" ? "base + i" : "i";
      return `${arrayOf(variable)}[${index}]`;
    };
    const folds = new Map<Variable, string>();
    const scalars = new Map<Variable, string>();
    const readVariable = (variable: Variable): string => {
      const folded = folds.get(variable);
      if (folded !== undefined) return folded;
      if (over === null || variable.axis !== "row") return place(variable);
      const known = scalars.get(variable);
      if (known !== undefined) return known;
      const name = this.fresh();
      scalars.set(variable, name);
      before.push(`const ${name} = ${place(variable)};`);
      return name;
    };
    for (const statement of body) {
      if (statement.kind !== "fold") continue;
      if (statement.to.axis === "block") {
        folds.set(statement.to, place(statement.to));
        const [first, last] = this.blockSpan();
        before.push(`${arrayOf(statement.to)}.fill(${statement.start}, ${first}, ${last});`);
        continue;
      }
      const name = this.fresh();
      folds.set(statement.to, name);
      before.push(`let ${name} = ${statement.start ?? place(statement.to)};`);
      after.push(`${place(statement.to)} = ${name};`);
    }
    const text = new BodyText(this.dialect, readVariable, this.names, body);
    for (const statement of body) this.statement(statement, text, folds, place, over !== null);
    const [from, to] = over === "key" ? ["start", "end"] : over === "block" ? this.blockSpan() : ["0", over ?? ""];
    const hidden = over === "key" && this.bits ? [hiddenKey(body, place)] : [];
    const iteration = [...hidden, ...text.lines];
    const lines = over === null ? text.lines : [`for (let i = ${from}; i < ${to}; i += 1) {`, ...iteration, "}"];
    return ["{", ...before, ...lines, ...after, "}"];
  }

  private statement(
    statement: Statement,
    text: BodyText,
    folds: ReadonlyMap<Variable, string>,
    place: (variable: Variable) => string,
    inLoop: boolean,
  ): void {
    if (statement.kind === "fold") {
      text.lines.push(`${folds.get(statement.to)} = ${text.of(statement.value)};`);
      return;
    }
    if (statement.kind === "set") {
      const name = text.name(text.of(statement.value));
      text.assign(statement.to, name);
      if (statement.to.life !== "local") text.lines.push(`${place(statement.to)} = ${name};`);
      return;
    }
    const { value, limit, where } = statement;
    const counted = where.unless === null ? "" : `!(${text.test(where.unless)}) && `;
    const call = `blocks.fault(${this.checks.length}, ${inLoop ? "i" : "0"})`;
    text.lines.push(`if (${counted}!(Math.abs(${text.of(value)}) <= ${limit})) ${call};`);
    this.checks.push(where);
  }

  private blockOf(place: string): string {
    return `Math.floor(${place} / ${this.program.blockKeys})`;
  }

  /** The blocks that hold a key of the row. */
  private blockSpan(): readonly [string, string] {
    return [this.blockOf("start"), `${this.blockOf("(end - 1)")} + 1`];
  }

  private fresh(): string {
    const name = `x${this.names.next}`;
    this.names.next += 1;
    return name;
  }
}
