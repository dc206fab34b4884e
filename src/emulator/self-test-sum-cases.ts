import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import type { FloatSpec } from "../numerics/number-type.js";
import { bitsOf, roundToOperand } from "../numerics/rounding.js";
import { goldenSum, type OpCase, type SumOp, sumOperands } from "./self-test-ops.js";
import { type RandomWords, randomWords, significand } from "./self-test-random.js";

/** Sums of products by the arithmetic's `dot`, of q and k and of p and v. */
export const sumCases = (arithmetic: ArithmeticSpec): readonly OpCase[] => [
  sums(arithmetic, "score", 40),
  sums(arithmetic, "weightedSum", 41),
];

const results = 500;

/**
 * Sums on operands of mixed size, with ties and cancellation; of every fourth the products differ by more bits than a step keeps,
 * of every eighth the second half takes the first one back.
 */
function sums(arithmetic: ArithmeticSpec, op: SumOp, stream: number): OpCase {
  const random = randomWords(stream);
  const { dot } = arithmetic;
  const [typeA, typeB, width] = sumOperands(arithmetic, op);
  // Neither the last block nor the last step is full.
  const chain = 2 * Math.max(32, dot === "chain" ? 0 : dot.block) + 5;
  const blocks = width === null ? 0 : Math.ceil(chain / width);
  const a = new Float32Array(chain * results);
  const b = new Float32Array(chain * results);
  const c = new Float32Array(blocks * results);
  const wide = arithmetic.accumulator === "fp32";
  const sum = goldenSum(arithmetic, op);
  const expected = new Uint32Array(results);
  for (let i = 0; i < results; i += 1) {
    const [from, to] = [i * chain, (i + 1) * chain];
    for (let j = from; j < to; j += 1) {
      a[j] = operand(random, typeA, wide && i % 4 === 0);
      b[j] = operand(random, typeB, wide && i % 4 === 0);
    }
    if (i % 8 === 1) takeBack(a.subarray(from, to), b.subarray(from, to));
    for (let block = 0; block < blocks; block += 1) c[i * blocks + block] = scaleOf(width, random, i);
    const scales = c.subarray(i * blocks, (i + 1) * blocks);
    expected[i] = bitsOf(sum(a.subarray(from, to), b.subarray(from, to), scales));
  }
  const bits = (x: Float32Array): Uint32Array => new Uint32Array(x.buffer);
  const title = dot === "chain" ? "MAC chains" : "block sums";
  return { title, op, arithmetic, chain, a: bits(a), b: bits(b), c: bits(c), expected };
}

/** An operand: a few bits around 1, all bits of a middling size, or (`wide`) any size that keeps sums in range. */
function operand(random: RandomWords, type: FloatSpec, wide: boolean): number {
  const unit = type.integer ? 32 : 1;
  const x =
    random(2) === 0
      ? ((random(513) - 256) / 32) * unit
      : (significand(random) - 1.5) * 2 ** (wide ? random(28) - 20 : random(6) - 3) * unit;
  return roundToOperand(Math.fround(x), type);
}

/** The second half of the products is the first with the other sign, but for its last. */
function takeBack(a: Float32Array, b: Float32Array): void {
  const half = Math.floor(a.length / 2);
  for (let j = 0; j + 1 < half; j += 1) {
    a[half + j] = -(a[j] as number) + 0;
    b[half + j] = b[j] as number;
  }
}

/** The product of two scales of blocks: alike, or so far apart that one block outweighs the others. */
function scaleOf(width: number | null, random: RandomWords, i: number): number {
  const exponent = i % 2 === 0 ? random(5) - 2 : random(60) - 40;
  return width === 32 ? 2 ** exponent : Math.fround(significand(random) * 2 ** exponent);
}
