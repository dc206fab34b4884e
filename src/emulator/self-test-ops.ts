import type { FormatName } from "../numerics/format.js";
import { formatNames, formats } from "../numerics/format.js";
import { exponentFactor, type ProcessingElement, processingElement } from "../numerics/pe.js";
import { bitsOf, fromBits } from "../numerics/rounding.js";
import { threefry2x32 } from "../numerics/threefry.js";

/**
 * The operations that an engine shows one by one, as its kernels use them:
 *
 * - `add` rA(a + b) · `mul` z(rA(a * b)) · `subtract` rA(a - b) · `div` z(rA(a / b)), b > 0
 * - `update` rA(c + z(rA(a * b))): steps 6 and 7, where the product must not fuse with the sum
 * - `cancel` ((a + b) - a) - b, each step rounded to fp32: nothing may be reassociated
 * - `mac` a chain s = rA(s + a * b) from +0 over `chain` consecutive operands of `a` and `b`
 * - `exp` E2(a) with c = b · `numerator` rO(E2(a)) · `correction` rP(E2(a))
 * - `operand` rO(a), a >= 0: what a weight is rounded to
 */
export type SelfTestOp =
  | "add"
  | "mul"
  | "subtract"
  | "div"
  | "update"
  | "cancel"
  | "mac"
  | "exp"
  | "numerator"
  | "correction"
  | "operand";

/** One operation on many operands, everything as the bits of fp32 values. */
export interface OpCase {
  /** What this group of cases is about. */
  readonly group: string;
  readonly op: SelfTestOp;
  readonly format: FormatName;
  /** For `mac`, how many consecutive elements of `a` and `b` make one result; 1 for all others. */
  readonly chain: number;
  /** Operands that an operation does not use are empty. */
  readonly a: Uint32Array;
  readonly b: Uint32Array;
  readonly c: Uint32Array;
  readonly expected: Uint32Array;
}

type Triple = readonly [a: number, b: number, c?: number];

const strict = ["fp32", "bf16-strict", "fp16-strict"] as const satisfies readonly FormatName[];
const digits: Readonly<Record<(typeof strict)[number], number>> = { fp32: 24, "bf16-strict": 8, "fp16-strict": 11 };

/** Random integers: a stream of Threefry words, the same everywhere. */
function randomWords(stream: number): (below: number) => number {
  const words = new Uint32Array(2);
  let counter = 0;
  return below => {
    threefry2x32(0x5e1f, stream, counter++, 0, words);
    return (words[0] as number) % below;
  };
}

/** The golden result of one case. */
function golden(pe: ProcessingElement, op: Exclude<SelfTestOp, "mac">, a: number, b: number, c: number): number {
  switch (op) {
    case "add":
      return pe.add(a, b);
    case "mul":
      return pe.mul(a, b);
    case "subtract":
      return pe.subtract(a, b);
    case "div":
      return pe.div(a, b);
    case "update":
      return pe.add(c, pe.mul(a, b));
    case "cancel":
      return Math.fround(Math.fround(Math.fround(a + b) - a) - b) + 0;
    case "exp":
      return pe.exp(a, b);
    case "numerator":
      return pe.numerator(a, b);
    case "correction":
      return pe.correction(a, b);
    case "operand":
      return pe.operand(a);
  }
}

const arity: Readonly<Record<SelfTestOp, number>> = {
  add: 2,
  mul: 2,
  subtract: 2,
  div: 2,
  update: 3,
  cancel: 2,
  mac: 2,
  exp: 2,
  numerator: 2,
  correction: 2,
  operand: 1,
};

function opCase(group: string, op: Exclude<SelfTestOp, "mac">, format: FormatName, triples: readonly Triple[]): OpCase {
  const pe = processingElement(formats[format]);
  const column = (i: number): Uint32Array =>
    Uint32Array.from(i < arity[op] ? triples : [], triple => bitsOf(triple[i] ?? 0));
  const expected = Uint32Array.from(triples, ([a, b, c]) => bitsOf(golden(pe, op, a, b, c ?? 0)));
  return { group, op, format, chain: 1, a: column(0), b: column(1), c: column(2), expected };
}

const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));

/** Sums halfway between two values of A, and one bit to either side of halfway where fp32 has room for it. */
function addTies(format: (typeof strict)[number], stream: number): OpCase {
  const random = randomWords(stream);
  const n = digits[format];
  const triples = times(2000, (): Triple => {
    const exponent = format === "fp16-strict" ? random(20) - 8 : random(60) - 30;
    const a = (2 ** (n - 1) + random(2 ** (n - 1))) * 2 ** (exponent - n + 1);
    const half = 2 ** (exponent - n);
    const beside = (random(3) - 1) * half * 2 ** (1 - n);
    const sign = random(2) === 0 ? 1 : -1;
    return [sign * a, sign * (half + beside)];
  });
  return opCase("ties of +", "add", format, triples);
}

/** Products of n + 1 bits whose last is 1: exactly halfway. */
function mulTies(format: (typeof strict)[number], stream: number): OpCase {
  const random = randomWords(stream);
  const n = digits[format];
  const left = Math.ceil((n + 1) / 2) + 1;
  const triples: Triple[] = [];
  while (triples.length < 2000) {
    const a = random(2 ** left) | 1;
    const b = random(2 ** (n + 2 - left)) | 1;
    if (a * b < 2 ** n || a * b >= 2 ** (n + 1)) continue;
    triples.push([a * 2 ** -left, b * 2 ** -(random(4) + 2)]);
  }
  return opCase("ties of ×", "mul", format, triples);
}

const significand = (random: (below: number) => number): number => (2 ** 23 + random(2 ** 23)) * 2 ** -23;

/** A product minus its own rounding: 0 unless it was fused with the sum. */
function fusion(stream: number): OpCase {
  const random = randomWords(stream);
  const triples = times(2000, (): Triple => {
    const [a, b] = [significand(random) * 2 ** (random(20) - 10), significand(random)];
    return [a, b, -Math.fround(a * b)];
  });
  return opCase("fusion", "update", "fp32", triples);
}

function reassociation(stream: number): OpCase {
  const random = randomWords(stream);
  const triples = times(2000, (): Triple => [significand(random) * 2 ** random(20), significand(random)]);
  return opCase("reassociation", "cancel", "fp32", triples);
}

/** Steps 6 and 7 on accumulators and correction factors as they come up. */
function updates(format: FormatName, stream: number): OpCase {
  const random = randomWords(stream);
  const pe = processingElement(formats[format]);
  const triples = times(2000, (i): Triple => {
    const value = (): number => pe.add((significand(random) - 1.5) * 2 ** (random(12) - 4), 0);
    return [value(), i % 4 === 0 ? 1 : pe.correction(-random(2 ** 20) * 2 ** -15, exponentFactor(1)), value()];
  });
  return opCase("correct and add", "update", format, triples);
}

/** Chains of multiply-accumulates on operands of mixed size, with ties and cancellation. */
function macChains(format: FormatName, stream: number): OpCase {
  const random = randomWords(stream);
  const pe = processingElement(formats[format]);
  const chain = 64;
  const results = 500;
  const operand = (): number =>
    pe.operand(
      Math.fround(random(2) === 0 ? (random(513) - 256) / 32 : (significand(random) - 1.5) * 2 ** (random(6) - 3)),
    );
  const a = Float32Array.from(times(chain * results, operand));
  const b = Float32Array.from(times(chain * results, operand));
  const expected = times(results, i => {
    let s = 0;
    for (let j = i * chain; j < (i + 1) * chain; j += 1) s = pe.mac(s, a[j] as number, b[j] as number);
    return bitsOf(s);
  });
  const bits = (x: Float32Array): Uint32Array => new Uint32Array(x.buffer);
  const empty = new Uint32Array(0);
  return {
    group: "MAC chains",
    op: "mac",
    format,
    chain,
    a: bits(a),
    b: bits(b),
    c: empty,
    expected: Uint32Array.from(expected),
  };
}

/** Arguments of the exponential: spread over [-52, 0] in base 2, just beside the integers, and next to 0. */
function exponents(format: FormatName, count: number, stream: number): Triple[] {
  const random = randomWords(stream);
  const pe = processingElement(formats[format]);
  return times(count, (i): Triple => {
    const c = i % 2 === 0 ? exponentFactor(0.125) : exponentFactor(1);
    const t =
      i % 10 < 7
        ? -random(2 ** 30) * 52 * 2 ** -30
        : i % 10 < 9
          ? -random(51) * (1 + (random(3) - 1) * 2 ** -23)
          : -significand(random) * 2 ** -random(40);
    return [pe.add(Math.min(0, t / c), 0), c];
  });
}

/**
 * Quotients as they come up in AV = RNV / RD: any numerator over denominators from 1 up, near ties and tiny ones among
 * them.
 */
function divisions(format: FormatName, stream: number): OpCase {
  const random = randomWords(stream);
  const pe = processingElement(formats[format]);
  const fp16 = formats[format].accumulator === "fp16";
  const triples = times(5000, (i): Triple => {
    const b = pe.add(significand(random) * 2 ** random(fp16 ? 15 : 21), 0);
    const exponent = fp16 ? random(20) - 14 : i % 8 === 0 ? -random(24) - 78 : random(60) - 40;
    const a = significand(random) * 2 ** exponent * (random(2) === 0 ? 1 : -1);
    // Every third quotient is next to a value of A, every sixth a value of A exactly.
    return [pe.add(i % 3 === 0 && exponent > -40 ? pe.mul(pe.add(a / b, 0), b) : a, 0), b];
  });
  return opCase("division", "div", format, [...triples, [0, 1], [1, 3], [-1, 3]]);
}

/** Values at and beside the halfway points of O, the smallest among them. */
function operandRounding(format: FormatName, stream: number): OpCase {
  const random = randomWords(stream);
  const lowest = { bf16: 0x26000000, fp16: 0x32000000, fp32: 0x30000000 }[formats[format].operand];
  const halfway = { bf16: 0x8000, fp16: 0x1000, fp32: 0 }[formats[format].operand];
  const triples = times(5000, (i): Triple => {
    const u = lowest + random(0x3f800000 - lowest);
    const beside = (u - (u % (2 * Math.max(halfway, 1))) + halfway + random(3) - 1) >>> 0;
    return [i % 4 === 0 ? random(4096) * 2 ** -26 : fromBits(i % 2 === 0 ? u : Math.min(beside, 0x3f800000)), 0];
  });
  return opCase("rounding to operands", "operand", format, triples);
}

/** All operation cases for some formats: what an engine is asked before a result of it is trusted. */
export function opCases(names: readonly FormatName[] = formatNames): OpCase[] {
  const c = exponentFactor(1);
  return [
    ...strict.filter(name => names.includes(name)).flatMap((name, i) => [addTies(name, i), mulTies(name, 10 + i)]),
    fusion(20),
    reassociation(21),
    ...names.flatMap((name, i) => [
      updates(name, 30 + i),
      macChains(name, 40 + i),
      opCase("exponential", "exp", name, exponents(name, name === "bf16" || name === "fp32" ? 50_000 : 10_000, 50 + i)),
      opCase("softmax numerators", "numerator", name, exponents(name, 5000, 60 + i)),
      opCase("corrections", "correction", name, [...exponents(name, 5000, 70 + i), [0, c]]),
      divisions(name, 80 + i),
      operandRounding(name, 90 + i),
    ]),
  ];
}
