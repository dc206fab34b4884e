import { exponentFactor, processingElement } from "fusemax";
import type { Format } from "#fusemax/numerics/format";
import type { ProcessingElement } from "#fusemax/numerics/pe";

/**
 * The running denominator RD of one query, alone: steps 2, 3, 4 and 6 of docs/numerics.md, with the scores BQK given. What the array
 * does with V it does not touch, so that a million keys cost a million exponentials.
 */
export class RunningDenominator {
  rm = 0;
  rd = 0;
  private seen = false;
  private readonly pe: ProcessingElement;
  private readonly factor: number;

  constructor(format: Format, scale: number) {
    this.pe = processingElement(format);
    this.factor = exponentFactor(scale);
  }

  /** Takes the query through one tile: the scores start <= i < end, values of the accumulator. */
  pass(scores: ArrayLike<number>, start = 0, end = scores.length): void {
    const { pe, factor } = this;
    let lm = scores[start] as number;
    for (let i = start + 1; i < end; i += 1) lm = pe.max(lm, scores[i] as number);
    const before = this.rm;
    this.rm = this.seen ? pe.max(before, lm) : lm;
    const prm = this.seen ? pe.correction(pe.subtract(before, this.rm), factor) : 0;
    this.seen = true;
    let sld = 0;
    for (let i = start; i < end; i += 1) {
      sld = pe.add(sld, pe.numerator(pe.subtract(scores[i] as number, this.rm), factor));
    }
    this.rd = pe.add(sld, pe.mul(this.rd, prm));
  }
}

/** The denominator after so many keys, as a share of what it should be. */
export interface DenominatorPoint {
  readonly keys: number;
  /** RD over the exact sum of exp(scale * (score - largest score)) on the same scores. */
  readonly ratio: number;
}

export interface DenominatorTrace {
  readonly points: readonly DenominatorPoint[];
  /** The share of the tiles in the row's second half that left RD as it was; NaN where RD overflowed. */
  readonly still: number;
  /** Keys after which RD was beyond the accumulator's range, or null. */
  readonly overflowedAt: number | null;
}

/** Follows RD over all scores in tiles of `m0`, and says where it is after each number of keys in `exact` (multiples of m0). */
export function traceDenominator(
  scores: Float32Array,
  exact: ReadonlyMap<number, number>,
  { format, scale, m0 }: { readonly format: Format; readonly scale: number; readonly m0: number },
): DenominatorTrace {
  const denominator = new RunningDenominator(format, scale);
  const points: DenominatorPoint[] = [];
  let [stillTiles, tiles] = [0, 0];
  const most = format.accumulator === "fp16" ? 65504 : Number.MAX_VALUE;
  for (let start = 0; start < scores.length; start += m0) {
    const end = Math.min(start + m0, scores.length);
    const before = denominator.rd;
    denominator.pass(scores, start, end);
    if (start >= scores.length / 2) {
      tiles += 1;
      if (denominator.rd === before) stillTiles += 1;
    }
    if (!(denominator.rd <= most)) return { points, still: Number.NaN, overflowedAt: end };
    const shouldBe = exact.get(end);
    if (shouldBe !== undefined) points.push({ keys: end, ratio: denominator.rd / shouldBe });
  }
  return { points, still: stillTiles / tiles, overflowedAt: null };
}

/** The sum of exp(scale * (score - largest so far)) after each number of keys in `at`, in float64 with Kahan's compensation. */
export function exactDenominators(scores: Float32Array, scale: number, at: readonly number[]): Map<number, number> {
  const wanted = new Set(at);
  const found = new Map<number, number>();
  let largest = Number.NEGATIVE_INFINITY;
  let [sum, lost] = [0, 0];
  const add = (x: number): void => {
    const y = x - lost;
    const t = sum + y;
    lost = t - sum - y;
    sum = t;
  };
  for (let i = 0; i < scores.length; i += 1) {
    const score = scores[i] as number;
    if (score > largest) {
      const correction = Math.exp(scale * (largest - score));
      sum *= correction;
      lost *= correction;
      largest = score;
      add(1);
    } else add(Math.exp(scale * (score - largest)));
    if (wanted.has(i + 1)) found.set(i + 1, sum);
  }
  return found;
}
