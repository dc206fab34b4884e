import { type ArithmeticSpec, scaleBlock } from "../numerics/arithmetic.js";
import { type OpCase, pointCase, type Triple } from "./self-test-ops.js";
import { type RandomWords, randomWords, sign, significand, times } from "./self-test-random.js";

/** What the choices of an arithmetic need beside the operations of every one. */
export function blockCases(arithmetic: ArithmeticSpec): OpCase[] {
  const { exp, exponent, operands } = arithmetic;
  return [
    ...(exp.fused || exponent === "fused" ? [fused(arithmetic)] : []),
    ...(scaleBlock(operands.p.scale) === null ? [] : numeratorBlocks(arithmetic)),
  ];
}

/**
 * Multiply-adds that are rounded once: results in the middle of two fp32 values, which two roundings or a term that is cut off
 * would miss; sums that cancel down to the product's last bits; addends that far outweigh the product, or hardly count.
 */
function fused(arithmetic: ArithmeticSpec): OpCase {
  const random = randomWords(100);
  const value = (spread: number): number => sign(random) * significand(random) * 2 ** (random(2 * spread) - spread);
  const kinds: readonly (() => Triple)[] = [
    () => [value(20), value(20), value(40)],
    // The product alone has 48 bits; the addend is its fp32 part, or next to it.
    () => {
      const [a, b] = [value(10), value(10)];
      return [a, b, -Math.fround(a * b * (1 + (random(3) - 1) * 2 ** -23))];
    },
    () => tie(random),
    () => [value(2), value(2), value(55)],
    // Small products, and addends that cancel them or hardly count.
    () => {
      const [a, b] = [value(2) * 2 ** -50, value(2) * 2 ** -30];
      return [a, b, random(2) === 0 ? -Math.fround(a * b) : value(2) * 2 ** -(random(50) + 30)];
    },
    () => [0, value(2), value(20)],
    () => [value(20), value(20), 0],
    // A step of Horner's rule.
    () => [significand(random), random(2 ** 24) * 2 ** -24, significand(random) / 2],
  ];
  const triples = times(14_000, i => (kinds[i % kinds.length] as () => Triple)());
  return pointCase("multiply-adds rounded once", "fused", arithmetic, triples);
}

/** a * b + c next to the middle of two fp32 values: c has one bit half a unit below the product's last, or nothing. */
function tie(random: RandomWords): Triple {
  // 12 bits times 13 bits, both odd: 25 bits, the last of which is half a unit where there are 25 of them.
  const [a, b] = [2 ** 11 + (random(2 ** 10) * 2 + 1), 2 ** 12 + (random(2 ** 11) * 2 + 1)];
  const beside = (random(3) - 1) * 2 ** -(random(30) + 2);
  const scale = 2 ** (random(40) - 20);
  return [a * scale, b, beside * scale * sign(random)];
}

/** Scales of blocks from the least amax that has one to the largest, and numerators at and beside the middles of values. */
function numeratorBlocks(arithmetic: ArithmeticSpec): readonly OpCase[] {
  const random = randomWords(110);
  const amax = (i: number, least: number): number =>
    i % 4 === 0
      ? 2 ** (random(64 - least) + least)
      : Math.fround(significand(random) * 2 ** (random(64 - least) + least));
  const scales = times(3000, (i): Triple => [amax(i, -40), 0]);
  const numerators = times(5000, (i): Triple => {
    // Some blocks have no numerator that counts.
    const largest = amax(i, -42);
    const x =
      i % 2 === 0 ? significand(random) * 2 ** -random(12) : (random(64) / 64) * (1 + (random(3) - 1) * 2 ** -23);
    return [Math.fround(Math.min(1, x) * largest), largest];
  });
  return [
    pointCase("scales of blocks", "blockScale", arithmetic, [...scales, [2 ** -40, 0], [2 ** 64, 0]]),
    pointCase("numerators in blocks", "blockNumerator", arithmetic, numerators),
  ];
}
