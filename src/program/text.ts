import type { FloatSpec } from "../numerics/number-type.js";
import type { Statement } from "./program.js";
import { type BinaryPrimitive, partsOf, type Scalar, type Test, type UnaryPrimitive } from "./scalar.js";
import { expressionsIn } from "./steps.js";
import type { Variable } from "./variable.js";

/** How a language of expressions writes primitives; every argument and result is the text of an fp32 value. */
export interface Dialect {
  number(value: number): string;
  binary(op: BinaryPrimitive, a: string, b: string): string;
  unary(op: UnaryPrimitive, a: string): string;
  round(type: FloatSpec, a: string): string;
  multiplyAdd(a: string, b: string, c: string): string;
  scale2(p: string, n: string): string;
  select(when: string, a: string, b: string): string;
  less(a: string, b: string): string;
  equal(a: string, b: string): string;
  /** A value that what reads it must not be mixed with. */
  pin?(value: string): string;
  /** A line that names a value. */
  declare(name: string, value: string): string;
}

/** Writes the statements of one loop body: a value that is used twice gets a name, and is computed once. */
export class BodyText {
  readonly lines: string[] = [];
  private readonly uses = new Map<Scalar, number>();
  private readonly names = new Map<Scalar, string>();
  /** What holds the present value of a variable that the body has set. */
  private readonly current = new Map<Variable, string>();

  /** @param names counts the names given in the whole text */
  constructor(
    private readonly dialect: Dialect,
    private readonly readVariable: (variable: Variable) => string,
    private readonly names0: { next: number },
    body: readonly Statement[],
    private readonly isPinned: (scalar: Scalar) => boolean = () => false,
  ) {
    const seen = new Set<Scalar>();
    const count = (at: Scalar): void => {
      this.uses.set(at, (this.uses.get(at) ?? 0) + 1);
      if (seen.has(at)) return;
      seen.add(at);
      for (const part of partsOf(at)) count(part);
    };
    for (const statement of body) {
      for (const expression of expressionsIn(statement)) count(expression);
    }
  }

  /** The text of an expression, after lines that name its parts. */
  of(scalar: Scalar): string {
    const known = this.names.get(scalar);
    if (known !== undefined) return known;
    const plain = this.plain(scalar);
    const text = this.isPinned(scalar) ? (this.dialect.pin?.(plain) ?? plain) : plain;
    if (scalar.op === "number" || scalar.op === "read" || (this.uses.get(scalar) ?? 0) < 2) return text;
    const name = this.name(text);
    this.names.set(scalar, name);
    return name;
  }

  test({ op, a, b }: Test): string {
    return op === "lt" ? this.dialect.less(this.of(a), this.of(b)) : this.dialect.equal(this.of(a), this.of(b));
  }

  /** Names a value for the lines to come. */
  name(text: string): string {
    const name = `x${this.names0.next}`;
    this.names0.next += 1;
    this.lines.push(this.dialect.declare(name, text));
    return name;
  }

  /** From here on the variable has this value. */
  assign(variable: Variable, text: string): void {
    this.current.set(variable, text);
  }

  private plain(scalar: Scalar): string {
    const { dialect } = this;
    switch (scalar.op) {
      case "number":
        return dialect.number(scalar.value);
      case "read":
        return this.current.get(scalar.variable) ?? this.readVariable(scalar.variable);
      case "scale2":
        return dialect.scale2(this.of(scalar.p), this.of(scalar.n));
      case "select":
        return dialect.select(this.test(scalar.when), this.of(scalar.a), this.of(scalar.b));
      case "round":
        return dialect.round(scalar.type, this.of(scalar.a));
      case "fma":
        return dialect.multiplyAdd(this.of(scalar.a), this.of(scalar.b), this.of(scalar.c));
      case "floor":
      case "abs":
      case "binade":
        return dialect.unary(scalar.op, this.of(scalar.a));
      default:
        return dialect.binary(scalar.op, this.of(scalar.a), this.of(scalar.b));
    }
  }
}
