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

  constructor(
    private readonly code: FunctionCode,
    private readonly scaled: ReadonlySet<Variable>,
    private readonly chainScale: number,
  ) {}

  /** Counts uses, and gives what sets the locals of constants, to be called before the loop. */
  constants(body: readonly Statement[]): () => void {
    const visited = new Set<Scalar>();
    const visit = (at: Scalar): void => {
      this.uses.set(at, (this.uses.get(at) ?? 0) + 1);
      if (visited.has(at)) return;
      visited.add(at);
      if (at.op === "number") this.constantLocals.set(at.value, -1);
      for (const part of partsOf(at)) visit(part);
    };
    for (const statement of body) {
      for (const expression of expressionsIn(statement)) visit(expression);
    }
    return () => {
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

  beginTurn(): void {
    this.kept.clear();
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
      case "fma":
        throw new Error(`no WebAssembly for ${scalar.op}`);
      case "round":
        this.emit(scalar.a, read);
        if (scalar.type.name === "bf16") this.roundBf16();
        else if (scalar.type.name === "fp16") this.roundFp16();
        else throw new Error(`no WebAssembly for ${scalar.type.name}`);
        return;
      case "scale2":
        this.emit(scalar.p, read);
        this.emit(scalar.n, read);
        // n + 1.5 * 2^23 has n in its low bits; shifted, only the nine that matter to an exponent and a sign remain.
        code.splat(12582912).vector("f32x4.add").i32(23).vector("i32x4.shl").vector("i32x4.add");
        return;
      case "select":
        this.select(scalar, read);
        return;
      default: {
        this.emit(scalar.a, read);
        this.emit(scalar.b, read);
        const ops: Readonly<Record<typeof scalar.op, VectorOp>> = {
          ...{ add: "f32x4.add", sub: "f32x4.sub", mul: "f32x4.mul", div: "f32x4.div" },
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

  /** (u + 0x7fff + ((u >> 16) & 1)) & 0xffff0000. */
  private roundBf16(): void {
    const { code } = this;
    const u = code.local("v128");
    code.tee(u).i32(16).vector("i32x4.shr_u").splatBits(1).vector("v128.and");
    code.splatBits(0x7fff).vector("i32x4.add").get(u).vector("i32x4.add");
    code.splatBits(-0x10000).vector("v128.and");
  }

  /** Adding 1.5 * 2^13 times the power of two below |x|, at least that of 2^-14, leaves the bits that fp16 keeps. */
  private roundFp16(): void {
    const { code } = this;
    const [x, magic] = [code.local("v128"), code.local("v128")];
    code.tee(x).splatBits(0x7f800000).vector("v128.and").splatBits(0x38800000).vector("i32x4.max_s");
    code.splat(12288).vector("f32x4.mul").set(magic);
    code.get(x).get(magic).vector("f32x4.add").get(magic).vector("f32x4.sub");
  }
}

/** Variables of one value a row that are read before anything in the body sets them. */
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
