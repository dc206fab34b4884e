import type { AttentionProblem, Operands } from "../attention/problem.js";
import { placeOf } from "../attention/rows.js";
import { NumericsError } from "../errors.js";
import { boundInWords, largestExponent, largestResult } from "../numerics/limits.js";
import { numberTypes } from "../numerics/number-type.js";
import type { CheckedPlace } from "../program/program.js";
import { traceOverflow } from "./cpu.js";
import { traceFault } from "./javascript/session.js";
import { programOf } from "./program-of.js";

/** The value of a row that left its range. */
interface Offender {
  readonly tensor: string;
  readonly what: CheckedPlace["what"];
  readonly limit: string;
  /** Null for what is known at the end of a row's keys. */
  readonly m1: number | null;
  /** The key or coordinate in words; null for a value of the row. */
  readonly index: string | null;
}

/** Runs the row again in plain JavaScript, so that every engine names the same offender. */
export function offence(problem: AttentionProblem, operands: Operands, row: number): Error {
  const { b, h, p } = placeOf(problem.shape, row);
  const offender = offenderOf(problem, operands, row);
  if (offender === null) return new Error(`row ${row} was said to overflow, but does not in plain JavaScript`);
  const { tensor, m1, index } = offender;
  const tile = m1 === null ? [] : [`key tile m1 ${m1}`];
  const place = [`b ${b}`, `h ${h}`, `query ${p}`, ...tile, ...(index === null ? [] : [index])];
  return new NumericsError({ where: `${tensor} at ${place.join(", ")}`, ...complaintOf(offender, problem) });
}

function complaintOf({ what, limit }: Offender, { arithmetic: { accumulator } }: AttentionProblem) {
  if (what === "zero") {
    const fix = "take a larger offset, or a wider type for p";
    return { got: "0: every numerator rounds to 0", expected: "a sum above 0", fix };
  }
  if (what === "exponent") {
    const fix = "scale the inputs down, or take exponent: difference";
    return { got: `an exponent above ${largestExponent}`, expected: `at most ${largestExponent}, in log2`, fix };
  }
  return {
    got: `a ${what === "difference" ? "difference of scores" : "magnitude"} beyond ${limit}`,
    expected: `values within the range of the ${accumulator} accumulator`,
    fix:
      accumulator === "fp16"
        ? "scale the inputs down or choose a format with a wider accumulator, such as fp16 or bf16"
        : "scale the inputs down, or subtract a maximum before exponentials",
  };
}

function offenderOf(problem: AttentionProblem, operands: Operands, row: number): Offender | null {
  const program = programOf(problem);
  if (program !== null) {
    const fault = traceFault(problem, operands, program, row);
    if (fault === null) return null;
    const { tensor, what, over } = fault.place;
    const index = over === null || over === "block" ? null : `${{ key: "m0", E: "e", F: "f" }[over]} ${fault.index}`;
    const limit = boundInWords(Math.min(largestResult, numberTypes[program.accumulator].largest));
    return { tensor, what, limit, m1: fault.m1, index };
  }
  const overflow = traceOverflow(problem, operands, row);
  if (overflow === null) return null;
  const { tensor, m1, index } = overflow;
  const what = tensor === "SLN" || tensor === "PRM" ? "difference" : "value";
  const named = `${tensor === "SLNV" || tensor === "RNV" ? "f" : "m0"} ${index}`;
  return { tensor, what, limit: String(numberTypes.fp16.largest), m1, index: index === null ? null : named };
}
