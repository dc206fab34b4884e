import type { FloatSpec } from "../numerics/number-type.js";
import type { Statement } from "./program.js";
import { partsOf, type Scalar, type Test } from "./scalar.js";
import { expressionsIn } from "./steps.js";
import type { Variable } from "./variable.js";
import type { FunctionCode, VectorOp } from "./wasm-code.js";

/** The values of one loop body: expressions that are used twice are kept in locals. */
export class LoopValues {
  private readonly current = new Map<Variable, number>();
  private readonly kept = new Map<Scalar, number>();
  private readonly constantLocals = new Map<number, number>();
  private readonly uses = new Map<Scalar, number>();
  private readonly wideKept = new Map<Scalar, Wide>();
  /** Numbers of multiply-adds in float64. */
  private readonly wideConstants = new Map<number, number>();

  constructor(
    private readonly code: FunctionCode,
    private readonly scaled: ReadonlySet<Variable>,
    private readonly chainScale: number,
    /** Whether the machine's multiply-add rounds once. */
    private readonly fused: boolean,
  ) {}

  /** Counts uses, and gives what sets the locals of constants, to be called before the loop. */
  constants(body: readonly Statement[]): () => void {
    const visited = new Set<Scalar>();
    const visit = (at: Scalar): void => {
      this.uses.set(at, (this.uses.get(at) ?? 0) + 1);
      if (visited.has(at)) return;
      visited.add(at);
      if (at.op === "number") this.constantLocals.set(at.value, -1);
      for (const part of partsOf(at)) {
        visit(part);
        if (at.op === "fma" && part.op === "number" && !this.fused) this.wideConstants.set(part.value, -1);
      }
    };
    for (const statement of body) {
      for (const expression of expressionsIn(statement)) visit(expression);
    }
    return () => {
      for (const value of this.wideConstants.keys()) {
        const local = this.code.local("v128");
        this.code.splatWide(value).set(local);
        this.wideConstants.set(value, local);
      }
      for (const value of this.constantLocals.keys()) {
        const local = this.code.local("v128");
        this.code.splat(value).set(local);
        this.constantLocals.set(value, local);
      }
    };
  }

  /** From here on the variable has the value of a local. */
  assign(variable: Variable, local: number): void {
    this.current.set(variable, local);
  }

  beginIteration(): void {
    this.kept.clear();
    this.wideKept.clear();
  }

  /** A stored value of a product's lanes or sums, on the stack, as it is without the chains' scale; and the reverse. */
  unscale(variable: Variable): void {
    if (this.chainScale === 1 || !this.scaled.has(variable)) return;
    this.code.splat(1 / this.chainScale).vector("f32x4.mul");
  }

  rescale(variable: Variable): void {
    if (this.chainScale === 1 || !this.scaled.has(variable)) return;
    this.code.splat(this.chainScale).vector("f32x4.mul");
  }

  emit(scalar: Scalar, read: (variable: Variable) => void): void {
    const { code } = this;
    if (scalar.op === "number") {
      code.get(this.constantLocals.get(scalar.value) as number);
      return;
    }
    const known = scalar.op === "read" ? this.current.get(scalar.variable) : this.kept.get(scalar);
    if (known !== undefined) {
      code.get(known);
      return;
    }
    this.compute(scalar, read);
    if (scalar.op === "read" || (this.uses.get(scalar) ?? 0) < 2) return;
    const local = code.local("v128");
    code.tee(local);
    this.kept.set(scalar, local);
  }

  emitTest({ op, a, b }: Test, read: (variable: Variable) => void): void {
    this.emit(a, read);
    this.emit(b, read);
    this.code.vector(op === "lt" ? "f32x4.lt" : "f32x4.eq");
  }

  private compute(scalar: Scalar, read: (variable: Variable) => void): void {
    const { code } = this;
    switch (scalar.op) {
      case "number":
        return;
      case "read":
        read(scalar.variable);
        return;
      case "floor":
      case "abs":
        this.emit(scalar.a, read);
        code.vector(`f32x4.${scalar.op}`);
        return;
      case "binade":
        this.emit(scalar.a, read);
        code.splatBits(0x7f800000).vector("v128.and");
        return;
      case "round":
        if (this.exponentialToBf16(scalar, read)) return;
        this.emit(scalar.a, read);
        if (scalar.type.name === "bf16") this.roundBf16();
        else if (scalar.type.integer) this.roundInteger(scalar.type);
        else this.roundFloat(scalar.type);
        return;
      case "fma":
        this.multiplyAdd(scalar, read);
        return;
      case "scale2":
        this.emit(scalar.p, read);
        this.emit(scalar.n, read);
        // n + 127 + 1.5 * 2^23 has the exponent of 2^n in its low bits; shifted, only the nine with the sign remain.
        code
          .splat(12582912 + 127)
          .vector("f32x4.add")
          .i32(23)
          .vector("i32x4.shl")
          .vector("f32x4.mul");
        return;
      case "select":
        this.select(scalar, read);
        return;
      default: {
        this.emit(scalar.a, read);
        this.emit(scalar.b, read);
        const ops: Readonly<Record<typeof scalar.op, VectorOp>> = {
          ...{ add: "f32x4.add", sub: "f32x4.sub", mul: "f32x4.mul", div: "f32x4.div", divShort: "f32x4.div" },
          ...{ max: "f32x4.pmax", min: "f32x4.pmin" },
        };
        code.vector(ops[scalar.op]);
      }
    }
  }

  private select({ when, a, b }: Extract<Scalar, { op: "select" }>, read: (variable: Variable) => void): void {
    const { code } = this;
    if (a.op === "number" && a.value === 0) {
      this.emit(b, read);
      this.emitTest(when, read);
      code.vector("v128.andnot");
      return;
    }
    this.emit(a, read);
    this.emit(b, read);
    this.emitTest(when, read);
    code.vector("v128.bitselect");
  }

  /** 2^16 x - RNE32((2^16 - 1) x), as assembly/formats.ts shows, for |x| < 2^111; NaN beyond. */
  private roundBf16(): void {
    const { code } = this;
    const x = code.local("v128");
    code.tee(x).splat(65536).vector("f32x4.mul").get(x).splat(65535).vector("f32x4.mul").vector("f32x4.sub");
  }

  /**
   * p * 2^n, or +0, rounded to bf16 in one addition for p from 1 to 2, as assembly/exp2.ts shows: p + 98304 is rounded to the step of
   * bf16 there, adding n is exact, and the low half of the sum are the bits.
   */
  private exponentialToBf16(
    { a, type }: Extract<Scalar, { op: "round" }>,
    read: (variable: Variable) => void,
  ): boolean {
    const zeroed = a.op === "select" && a.a.op === "number" && a.a.value === 0 ? a : null;
    const power = zeroed?.b;
    if (type.name !== "bf16" || zeroed === null || power?.op !== "scale2" || !power.unit) return false;
    this.emit(power.p, read);
    this.code.splat(98304 + 126).vector("f32x4.add");
    this.emit(power.n, read);
    this.code.vector("f32x4.add").i32(16).vector("i32x4.shl");
    this.emitTest(zeroed.when, read);
    this.code.vector("v128.andnot");
    return true;
  }

  /**
   * Adding 1.5 * 2^(24 - p) times the power of two below |x|, at least the type's least, leaves the p bits that it keeps; what
   * rounds to zero is +0.
   */
  private roundFloat({ significandBits, leastExponent, largest, saturates }: FloatSpec): void {
    const { code } = this;
    const [x, magic] = [code.local("v128"), code.local("v128")];
    code
      .tee(x)
      .splatBits(0x7f800000)
      .vector("v128.and")
      .splat(2 ** leastExponent)
      .vector("i32x4.max_s");
    code
      .splat(1.5 * 2 ** (24 - significandBits))
      .vector("f32x4.mul")
      .set(magic);
    code.get(x).get(magic).vector("f32x4.add").get(magic).vector("f32x4.sub");
    if (saturates) code.splat(largest).vector("f32x4.pmin").splat(-largest).vector("f32x4.pmax");
  }

  /** Ties away from zero; |x| less its floor is exact, |x| + 1/2 is not. */
  private roundInteger({ largest }: FloatSpec): void {
    const { code } = this;
    const [x, size, whole] = [code.local("v128"), code.local("v128"), code.local("v128")];
    code.tee(x).vector("f32x4.abs").tee(size).vector("f32x4.floor").set(whole);
    code.splat(1).get(size).get(whole).vector("f32x4.sub").splat(0.5).vector("f32x4.ge").vector("v128.and");
    code.get(whole).vector("f32x4.add").splat(largest).vector("f32x4.pmin").set(size);
    code.splat(0).get(size).vector("f32x4.sub").get(size).get(x).splat(0).vector("f32x4.lt");
    code.vector("v128.bitselect");
  }

  /** One rounding: the machine's, or of a float64 sum that is rounded to odd (src/numerics/single-rounding.ts). */
  private multiplyAdd({ a, b, c }: Extract<Scalar, { op: "fma" }>, read: (variable: Variable) => void): void {
    const { code } = this;
    if (this.fused) {
      for (const part of [a, b, c]) this.emit(part, read);
      code.vector("f32x4.relaxed_madd");
      return;
    }
    const [x, y, z] = [a, b, c].map(part => this.wide(part, read)) as [Wide, Wide, Wide];
    const [product, sum, part, lost] = ["v128", "v128", "v128", "v128"].map(() => code.local("v128")) as [
      number,
      number,
      number,
      number,
    ];
    for (const half of [0, 1] as const) {
      code.get(x[half]).get(y[half]).vector("f64x2.mul").tee(product).get(z[half]).vector("f64x2.add").tee(sum);
      code.get(product).vector("f64x2.sub").set(part);
      code.get(product).get(sum).get(part).vector("f64x2.sub").vector("f64x2.sub");
      code.get(z[half]).get(part).vector("f64x2.sub").vector("f64x2.add").set(lost);
      // One step toward zero where the exact sum is nearer to it, and odd where anything was lost.
      code.get(sum).get(lost).get(sum).vector("v128.xor").splatWholeWide(0).vector("i64x2.lt_s");
      code.get(lost).splatWide(0).vector("f64x2.ne").tee(part).vector("v128.and").vector("i64x2.add");
      code.get(part).splatWholeWide(1).vector("v128.and").vector("v128.or").vector("f32x4.demote_f64x2_zero");
    }
    code.halves(0, 2);
  }

  /** A value's lower and upper half in float64. */
  private wide(scalar: Scalar, read: (variable: Variable) => void): Wide {
    const constant = scalar.op === "number" ? this.wideConstants.get(scalar.value) : undefined;
    if (constant !== undefined) return [constant, constant];
    const known = this.wideKept.get(scalar);
    if (known !== undefined) return known;
    const { code } = this;
    const halves: Wide = [code.local("v128"), code.local("v128")];
    const value = code.local("v128");
    this.emit(scalar, read);
    code.tee(value).vector("f64x2.promote_low_f32x4").set(halves[0]);
    code.get(value).get(value).halves(1, 1).vector("f64x2.promote_low_f32x4").set(halves[1]);
    // A variable may be set in between.
    if (scalar.op !== "read") this.wideKept.set(scalar, halves);
    return halves;
  }
}

/** The locals of a value's halves in float64. */
type Wide = readonly [number, number];

/** Variables of one value per row that are read before anything in the body sets them. */
export function rowsRead(body: readonly Statement[]): Set<Variable> {
  const found = new Set<Variable>();
  const written = new Set<Variable>();
  const visited = new Set<Scalar>();
  const visit = (at: Scalar): void => {
    if (visited.has(at)) return;
    visited.add(at);
    if (at.op === "read" && at.variable.axis === "row" && !written.has(at.variable)) found.add(at.variable);
    for (const part of partsOf(at)) visit(part);
  };
  for (const statement of body) {
    for (const expression of expressionsIn(statement)) visit(expression);
    if (statement.kind === "set") written.add(statement.to);
  }
  return found;
}
