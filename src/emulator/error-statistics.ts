import { placeOf, type RowPlace } from "../attention/rows.js";
import type { AttentionShape } from "../attention/shape.js";

/** How far an output is from the exact one, over the rows that were checked. */
export interface ErrorSummary {
  /** Largest absolute error of an element. */
  readonly maxAbs: number;
  /** Root mean square of the error. */
  readonly rms: number;
  /** `rms` over the root mean square of the exact output; 0 when both are 0. */
  readonly rmsRelative: number;
}

/** The element with the largest absolute error. */
export interface WorstElement extends RowPlace {
  readonly f: number;
  readonly got: number;
  readonly expected: number;
}

/** Gathers errors row by row. */
export class ErrorStatistics {
  private maxAbs = 0;
  private squares = 0;
  private exactSquares = 0;
  private count = 0;
  private worstAt: {
    readonly row: number;
    readonly f: number;
    readonly got: number;
    readonly expected: number;
  } | null = null;

  add(row: number, got: ArrayLike<number>, expected: ArrayLike<number>): void {
    for (let f = 0; f < expected.length; f += 1) {
      const exact = expected[f] as number;
      const error = Math.abs((got[f] as number) - exact);
      this.squares += error * error;
      this.exactSquares += exact * exact;
      // The first element stands in until there is an error; NaN counts as the worst there can be.
      if (this.worstAt === null || error > this.maxAbs || (Number.isNaN(error) && !Number.isNaN(this.maxAbs))) {
        this.maxAbs = error;
        this.worstAt = { row, f, got: got[f] as number, expected: exact };
      }
    }
    this.count += expected.length;
  }

  summary(): ErrorSummary {
    const rms = Math.sqrt(this.squares / Math.max(1, this.count));
    const exact = Math.sqrt(this.exactSquares / Math.max(1, this.count));
    return { maxAbs: this.maxAbs, rms, rmsRelative: rms === 0 ? 0 : rms / exact };
  }

  worst(shape: Pick<AttentionShape, "heads" | "queries">): WorstElement | null {
    if (this.worstAt === null) return null;
    const { row, f, got, expected } = this.worstAt;
    return { ...placeOf(shape, row), f, got, expected };
  }
}
