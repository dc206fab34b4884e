import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import { type FloatSpec, numberTypes } from "../numerics/number-type.js";
import { exponentFactor } from "../numerics/pe.js";
import { accumulatorRounder, bitsOf, fromBits, roundToType } from "../numerics/rounding.js";
import { blockCases } from "./self-test-block-cases.js";
import { goldenOps, type OpCase, pointCase, type Triple, unitFactor } from "./self-test-ops.js";
import { randomWords, sign, significand, times } from "./self-test-random.js";
import { sumCases } from "./self-test-sum-cases.js";

/** Sums halfway between two values of A, and one bit to either side of halfway where fp32 has room for it. */
function addTies(arithmetic: ArithmeticSpec): OpCase {
  const random = randomWords(0);
  const { significandBits: n } = numberTypes[arithmetic.accumulator];
  const triples = times(2000, (): Triple => {
    const exponent = arithmetic.accumulator === "fp16" ? random(20) - 8 : random(60) - 30;
    const a = (2 ** (n - 1) + random(2 ** (n - 1))) * 2 ** (exponent - n + 1);
    const half = 2 ** (exponent - n);
    const beside = (random(3) - 1) * half * 2 ** (1 - n);
    const toEither = sign(random);
    return [toEither * a, toEither * (half + beside)];
  });
  return pointCase("ties of +", "add", arithmetic, triples);
}

/** Products of n + 1 bits whose last is 1: exactly halfway. */
function mulTies(arithmetic: ArithmeticSpec): OpCase {
  const random = randomWords(10);
  const { significandBits: n } = numberTypes[arithmetic.accumulator];
  const left = Math.ceil((n + 1) / 2) + 1;
  const triples: Triple[] = [];
  while (triples.length < 2000) {
    const a = random(2 ** left) | 1;
    const b = random(2 ** (n + 2 - left)) | 1;
    if (a * b < 2 ** n || a * b >= 2 ** (n + 1)) continue;
    triples.push([a * 2 ** -left, b * 2 ** -(random(4) + 2)]);
  }
  return pointCase("ties of ×", "mul", arithmetic, triples);
}

/** A product minus its own rounding: 0 unless it was fused with the sum. */
function fusion(arithmetic: ArithmeticSpec): OpCase {
  const random = randomWords(20);
  const toA = accumulatorRounder(arithmetic.accumulator);
  const triples = times(2000, (): Triple => {
    const [a, b] = [toA(significand(random) * 2 ** (random(20) - 10)), toA(significand(random))];
    return [a, b, -toA(a * b)];
  });
  return pointCase("fusion", "update", arithmetic, triples);
}

function reassociation(arithmetic: ArithmeticSpec): OpCase {
  const random = randomWords(21);
  const triples = times(2000, (): Triple => [significand(random) * 2 ** random(20), significand(random)]);
  return pointCase("reassociation", "cancel", arithmetic, triples);
}

/** Steps 6 and 7 on accumulators and correction factors as they come up. */
function updates(arithmetic: ArithmeticSpec): OpCase {
  const random = randomWords(30);
  const { add, correction } = goldenOps(arithmetic);
  const triples = times(2000, (i): Triple => {
    const value = (): number => add((significand(random) - 1.5) * 2 ** (random(12) - 4), 0, 0);
    return [value(), i % 4 === 0 ? 1 : correction(-random(2 ** 20) * 2 ** -15, unitFactor, 0), value()];
  });
  return pointCase("correct and add", "update", arithmetic, triples);
}

/** Arguments of the exponential: spread over [-52, 0] in base 2, just beside the integers, and next to 0. */
function exponents(arithmetic: ArithmeticSpec, count: number, stream: number): Triple[] {
  const random = randomWords(stream);
  const { add } = goldenOps(arithmetic);
  return times(count, (i): Triple => {
    const c = i % 2 === 0 ? exponentFactor(0.125) : unitFactor;
    const t =
      i % 10 < 7
        ? -random(2 ** 30) * 52 * 2 ** -30
        : i % 10 < 9
          ? -random(51) * (1 + (random(3) - 1) * 2 ** -23)
          : -significand(random) * 2 ** -random(40);
    return [add(Math.min(0, t / c), 0, 0), c];
  });
}

/** t of numerators with an offset, up to the largest. */
function powers(arithmetic: ArithmeticSpec): OpCase {
  const random = randomWords(55);
  const triples = times(5000, (i): Triple => {
    const whole = random(66) - 1;
    const t = i % 3 === 0 ? whole * (1 + (random(3) - 1) * 2 ** -23) : (random(2 ** 24) / 2 ** 24) * 64;
    return [Math.fround(i % 7 === 0 ? significand(random) * 2 ** -random(40) : Math.min(64, t)), 0];
  });
  return pointCase("powers of two", "power", arithmetic, [...triples, [0, 0], [64, 0], [-50, 0]]);
}

/**
 * Quotients as they come up in AV = RNV / RD: any numerator over denominators from 1 up, near ties and tiny ones among
 * them.
 */
function divisions(arithmetic: ArithmeticSpec): OpCase {
  const random = randomWords(80);
  const { add, mul } = goldenOps(arithmetic);
  const toA = (x: number): number => add(x, 0, 0);
  const fp16 = arithmetic.accumulator === "fp16";
  const triples = times(5000, (i): Triple => {
    const b = toA(significand(random) * 2 ** random(fp16 ? 15 : 21));
    const exponent = fp16 ? random(20) - 14 : i % 8 === 0 ? -random(24) - 78 : random(60) - 40;
    const a = significand(random) * 2 ** exponent * sign(random);
    // Every third quotient is next to a value of A, every sixth a value of A exactly.
    return [toA(i % 3 === 0 && exponent > -40 ? mul(toA(a / b), b, 0) : a), b];
  });
  return pointCase("division", "div", arithmetic, [...triples, [0, 1], [1, 3], [-1, 3]]);
}

/** Values at and beside the halfway points of p's type, the smallest, and those past the largest where it saturates. */
function operandRounding(arithmetic: ArithmeticSpec): OpCase {
  const random = randomWords(90);
  const { type } = arithmetic.operands.p;
  const [lowest, highest] = [bitsOf(type.flush / 4), bitsOf(highestRounded(type))];
  const triples = times(5000, (i): Triple => {
    const x = fromBits(lowest + random(highest - lowest));
    const below = roundToType(x, type);
    // The middle between a value and the next, or one bit to either side of it.
    const middle = bitsOf((below + roundToType(below + stepAt(type, below), type)) / 2) + random(3) - 1;
    return [sign(random) * (i % 3 === 0 ? x : fromBits(Math.max(lowest, Math.min(middle, highest)))), 0];
  });
  return pointCase("rounding to operands", "operand", arithmetic, [...triples, [0, 0], [type.flush, 0]]);
}

/** The largest value to be rounded: past the type's where it saturates, and at most what numerators may be. */
const highestRounded = ({ largest, saturates }: FloatSpec): number =>
  Math.min(saturates ? largest * 8 : largest / 2, 2 ** 64);

/** From a value of a type to the next. */
function stepAt({ significandBits, leastExponent, integer }: FloatSpec, x: number): number {
  if (integer) return 1;
  return 2 ** (Math.max(leastExponent, Math.floor(Math.log2(Math.max(Math.abs(x), 2 ** -126)))) - significandBits + 1);
}

/** All operation cases of an arithmetic: what an engine is asked before a result of it is trusted. */
export function opCases(arithmetic: ArithmeticSpec): OpCase[] {
  const many = arithmetic.accumulator === "fp32" ? 50_000 : 10_000;
  return [
    addTies(arithmetic),
    mulTies(arithmetic),
    fusion(arithmetic),
    reassociation(arithmetic),
    updates(arithmetic),
    ...sumCases(arithmetic),
    pointCase("exponential", "exp", arithmetic, exponents(arithmetic, many, 50)),
    powers(arithmetic),
    pointCase("softmax numerators", "numerator", arithmetic, exponents(arithmetic, 5000, 60)),
    pointCase("corrections", "correction", arithmetic, [...exponents(arithmetic, 5000, 70), [0, unitFactor]]),
    divisions(arithmetic),
    operandRounding(arithmetic),
    ...blockCases(arithmetic),
  ];
}
