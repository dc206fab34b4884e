import { smallestExponent } from "../numerics/limits.js";
import { exp2CoefficientBits, type ProcessingElement } from "../numerics/pe.js";
import { accumulatorRounder, flushCorrection, fromBits } from "../numerics/rounding.js";
import type { RegisterFile } from "./register-file.js";

const lastStep = 6;

/**
 * E2 (docs/numerics.md) one operation per cycle, in two entries of a PE's register file: "x" holds the difference x' and
 * then t, the other the polynomial p and in the end the result. Step 0, the subtraction that makes x', is the PE's own.
 * Step 1 multiplies by c; steps 2 to 6 are the polynomial's multiply-accumulates (FuseMax section V: six with step
 * 1's). n and f are bit moves on t, and 2^n is an exponent add.
 */
export class Exponential {
  private readonly accumulator: (x: number) => number;
  private readonly coefficients: readonly number[];

  constructor(
    private readonly pe: ProcessingElement,
    private readonly c: number,
  ) {
    this.accumulator = accumulatorRounder(pe.format.accumulator);
    this.coefficients = exp2CoefficientBits.map(bits => this.accumulator(fromBits(bits)));
  }

  /** Steps 1 to 6: of "x" makes SLN, an operand, or PRM, a correction factor, each for its two readers. */
  step(file: RegisterFile, result: "SLN" | "PRM", step: number, tile: number, cycle: number): void {
    const x = file.read("x", tile, cycle);
    if (step === 1) {
      file.write("x", tile, Math.fround(x * this.c));
      return;
    }
    const p = this.horner(step, x, step === 2 ? this.coefficient(5) : file.read(result, tile, cycle));
    file.write(result, tile, step < lastStep ? p : this.finish(result, x, p), 2);
    if (step === lastStep) file.release("x", tile);
  }

  private horner(step: number, t: number, p: number): number {
    if (t < smallestExponent) return 0;
    const f = this.accumulator(Math.fround(t - Math.floor(t)));
    return this.pe.mac(this.coefficient(lastStep - step), p, f);
  }

  private finish(result: "SLN" | "PRM", t: number, p: number): number {
    const power = t < smallestExponent ? 0 : p * 2 ** Math.floor(t);
    return result === "SLN" ? this.pe.operand(power) : flushCorrection(this.accumulator(power));
  }

  private coefficient(i: number): number {
    return this.coefficients[i] as number;
  }
}
