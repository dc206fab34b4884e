import { type BitPlane, bitPlane } from "../attention/bit-plane.js";
import { type ScoreTensor, scoreSizes } from "../attention/broadcast.js";
import type { AttentionShape } from "../attention/shape.js";
import { howMany, InputError } from "../errors.js";
import { coordinatesOf } from "../numerics/coordinates.js";
import type { FloatType } from "../numerics/format.js";
import { boundInWords, largestResult } from "../numerics/limits.js";
import { numberTypes } from "../numerics/number-type.js";
import { accumulatorRounder, flushTiny } from "../numerics/rounding.js";

/** An additive bias in score units (after the scale), as given; -inf hides a key. */
export interface GivenBias {
  /** Of a tensor that broadcasts to [B, H, P, M]; of the last there may be fewer: keys past it are hidden. */
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

/** What scores are rounded with: the scale of the problem and the accumulator's type. */
export interface ScoreUnits {
  readonly scale: number;
  readonly accumulator: FloatType;
}

export interface RoundedBias {
  /** rA(b'), b' = RNE32(bias / scale), +0 below 2^-100 in magnitude and where the bias hides the key. */
  readonly addends: ScoreTensor<Float32Array>;
  /** What the bias hides: where b' is below -2^100, and keys past its last; null where that is nothing. */
  readonly hidden: BitPlane | null;
}

/**
 * The bias as the array adds it to scores, and what it hides (docs/numerics.md, "Bias").
 * @throws InputError for a shape that does not broadcast, NaN, or a value above 2^100 or out of the accumulator's range.
 */
export function roundBias(given: GivenBias, shape: AttentionShape, units: ScoreUnits): RoundedBias {
  const sizes = scoreSizes(given.shape, shape, "bias");
  requireLength("bias", given.values.length, sizes);
  const round = roundScore(units);
  const values = new Float32Array(given.values.length);
  const shown = new Uint8Array(values.length).fill(1);
  let hides = sizes[3] !== 1 && sizes[3] < shape.keys;
  for (let i = 0; i < values.length; i += 1) {
    const b = given.values[i] as number;
    const value = round(b);
    if (value === Number.NEGATIVE_INFINITY) {
      shown[i] = 0;
      hides = true;
    } else if (Number.isFinite(value)) values[i] = value;
    else throw outOfRange(`bias[${coordinatesOf(sizes, i).join(", ")}]`, b, units);
  }
  return { addends: { sizes, values }, hidden: hides ? bitPlane(sizes, shown) : null };
}

/**
 * Sinks, one logit per query head in score units, as the array's running maximum begins with them.
 * @throws InputError for another number of them, or one that is not finite or out of range.
 */
export function roundSink(
  given: ArrayLike<number>,
  { heads }: Pick<AttentionShape, "heads">,
  units: ScoreUnits,
): Float32Array {
  if (given.length !== heads) {
    throw new InputError({
      where: "sink",
      got: howMany(given.length, "logit"),
      expected: `${heads}, one for each query head`,
    });
  }
  const round = roundScore(units);
  return Float32Array.from({ length: heads }, (_, h) => {
    const value = round(given[h] as number);
    if (Number.isFinite(value)) return value;
    throw outOfRange(`sink[${h}]`, given[h] as number, units);
  });
}

/** rA(RNE32(x / scale)): -inf below -2^100, NaN for what is out of range. */
function roundScore({ scale, accumulator }: ScoreUnits): (x: number) => number {
  const toA = accumulatorRounder(accumulator);
  return x => {
    const score = Math.fround(x / scale);
    if (score < -largestResult) return Number.NEGATIVE_INFINITY;
    const value = flushTiny(toA(score));
    return Math.abs(value) <= Math.min(largestResult, numberTypes[accumulator].largest) ? value : Number.NaN;
  };
}

function requireLength(where: string, got: number, sizes: readonly number[]): void {
  const values = sizes.reduce((product, size) => product * size, 1);
  if (got === values) return;
  throw new InputError({
    where,
    got: howMany(got, "value"),
    expected: `${values} for the shape [${sizes.join(", ")}]`,
  });
}

function outOfRange(where: string, x: number, { scale, accumulator }: ScoreUnits): InputError {
  const limit = Math.min(largestResult, numberTypes[accumulator].largest);
  return new InputError({
    where,
    got: `${x}, which is ${x / scale} over the scale`,
    expected: `a number of at most ${boundInWords(limit)} over the scale (accumulator ${accumulator})`,
    fix: "-inf hides a key",
  });
}
