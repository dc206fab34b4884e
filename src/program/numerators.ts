import { type ArithmeticSpec, scaleBlock } from "../numerics/arithmetic.js";
import { smallestAmax } from "../numerics/limits.js";
import { exponentOf, type FloatSpec, numberTypes } from "../numerics/number-type.js";
import { fromBits, lastUnsaturated } from "../numerics/rounding.js";
import type { OnePassSteps } from "./one-pass-steps.js";
import { binary, equal, less, number, read, round, type Scalar, select, unary } from "./scalar.js";
import type { Variable } from "./variable.js";

/** The softmax numerators of a tile. */
interface Numerators {
  /** SLN, as operands. */
  readonly sln: Variable;
  /** What SLD adds, over keys. */
  readonly term: Scalar;
  /** What SLN is times, over blocks of keys; null without scales. */
  readonly scales: Variable | null;
  /** How many of the row's were past the largest value of p's type; null where none can be. */
  readonly saturated: Variable | null;
}

const zero = number(0);

/** SLN of E2 values, over keys (docs/arithmetic.md, "One tile", 3). */
export function addNumerators(steps: OnePassSteps, arithmetic: ArithmeticSpec, e2: Scalar): Numerators {
  const { p } = arithmetic.operands;
  const { table } = steps;
  const unrounded = arithmetic.denominator === "unrounded";
  const sln = steps.tile("SLN", "key", { operand: true });
  const bound = largestNumerator(arithmetic);
  if (scaleBlock(p.scale) === null) {
    steps.set("key", sln, table.operand(e2));
    // Past the range of a type that does not saturate.
    if (!p.type.saturates && !(bound <= p.type.largest)) steps.check("key", sln, p.type.largest);
    const saturated = bound <= lastUnsaturated(p.type) ? null : addCount(steps, p.type, e2);
    return { sln, term: unrounded ? table.result(e2) : read(sln), scales: null, saturated };
  }
  const exact = steps.tile("E2", "key", { tensor: null });
  const amax = steps.tile("amax", "block", { tensor: null });
  const scales = steps.tile("SLN scale", "block", { tensor: null });
  steps.set("key", exact, e2);
  steps.fold("key", amax, binary("max", read(amax), unary("abs", read(exact))), 0);
  const ratio = p.scale === "mx" ? addExponents(steps, p.type, amax, scales) : addScales(steps, p.type, amax, scales);
  const x = ratio(read(exact));
  steps.set("key", sln, table.operand(x));
  const term = unrounded ? read(exact) : binary("mul", read(sln), read(scales));
  return { sln, term, scales, saturated: addCount(steps, p.type, x) };
}

/** The largest magnitude of a set, taken as 0 when it is below 2^-40. */
const counted = (amax: Variable): Scalar => select(less(read(amax), number(smallestAmax)), zero, read(amax));

/** Powers of two, 2^(floor(log2 amax) - emax), +0 of a block of zeros; what of a numerator is rounded. */
function addExponents(steps: OnePassSteps, type: FloatSpec, amax: Variable, scales: Variable): (x: Scalar) => Scalar {
  const scale = binary("mul", unary("binade", counted(amax)), number(2 ** -exponentOf(type.largest)));
  const inverses = steps.tile("1 / SLN scale", "block", { tensor: null });
  steps.set("block", scales, scale);
  const inverse = binary("div", number(1), read(scales));
  steps.set("block", inverses, select(equal(read(scales), zero), zero, inverse));
  return x => binary("mul", x, read(inverses));
}

/** The fp8-e4m3 of RNE32(amax / largest value). */
function addScales(steps: OnePassSteps, type: FloatSpec, amax: Variable, scales: Variable): (x: Scalar) => Scalar {
  const wanted = binary("divShort", counted(amax), number(type.largest));
  steps.set("block", scales, round(numberTypes["fp8-e4m3"], wanted));
  return x => select(equal(read(scales), zero), zero, binary("divShort", x, read(scales)));
}

/** Counts what saturates, up to 2^24 per row. */
function addCount(steps: OnePassSteps, type: FloatSpec, x: Scalar): Variable {
  const saturated = steps.row("saturated", "row", { tensor: null, initial: 0 });
  const over = less(number(lastUnsaturated(type)), unary("abs", x));
  steps.fold("key", saturated, binary("add", read(saturated), select(over, number(1), zero)), null);
  return saturated;
}

/** A bound of E2 where scores differ from their maximum by at most the threshold: |p| is at most the sum of |c_i|. */
function largestNumerator({ exponent, exp, offset, threshold }: ArithmeticSpec): number {
  if (exponent === "fused") return Number.POSITIVE_INFINITY;
  const polynomial = exp.coefficients.reduce((sum, bits) => sum + Math.abs(fromBits(bits)), 0);
  // A step of rounding in each term of t and in each of the polynomial.
  return polynomial * 2 ** (offset + threshold) * (1 + 2 ** -16);
}
