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

/** The error of one output row. */
export interface RowError {
  readonly row: number;
  /** Elements. */
  readonly count: number;
  /** Sum of the squares of the errors. */
  readonly squares: number;
  /** Sum of the squares of what is exact. */
  readonly exactSquares: number;
  readonly maxAbs: number;
  /** The first element with that error. */
  readonly f: number;
  readonly got: number;
  readonly expected: number;
}

/** Compares a row of at least one element. */
export function rowError(row: number, got: ArrayLike<number>, expected: ArrayLike<number>): RowError {
  let [squares, exactSquares, maxAbs, worst] = [0, 0, Number.NEGATIVE_INFINITY, 0];
  for (let f = 0; f < expected.length; f += 1) {
    const exact = expected[f] as number;
    const error = Math.abs((got[f] as number) - exact);
    squares += error * error;
    exactSquares += exact * exact;
    if (!isWorse(error, maxAbs)) continue;
    maxAbs = error;
    worst = f;
  }
  return {
    ...{ row, count: expected.length, squares, exactSquares, maxAbs },
    ...{ f: worst, got: got[worst] as number, expected: expected[worst] as number },
  };
}

/** NaN counts as the worst there can be. */
const isWorse = (error: number, than: number): boolean => error > than || (Number.isNaN(error) && !Number.isNaN(than));

/** Adds up the errors of rows: in their order, so that parts of an output give the bits of the whole. */
export class ErrorStatistics {
  private squares = 0;
  private exactSquares = 0;
  private count = 0;
  private worstRow: RowError | null = null;

  add(row: number, got: ArrayLike<number>, expected: ArrayLike<number>): void {
    if (expected.length > 0) this.addRow(rowError(row, got, expected));
  }

  addRow(error: RowError): void {
    this.squares += error.squares;
    this.exactSquares += error.exactSquares;
    this.count += error.count;
    if (this.worstRow === null || isWorse(error.maxAbs, this.worstRow.maxAbs)) this.worstRow = error;
  }

  summary(): ErrorSummary {
    const rms = Math.sqrt(this.squares / Math.max(1, this.count));
    const exact = Math.sqrt(this.exactSquares / Math.max(1, this.count));
    return { maxAbs: this.worstRow?.maxAbs ?? 0, rms, rmsRelative: rms === 0 ? 0 : rms / exact };
  }

  worst(shape: Pick<AttentionShape, "heads" | "queries">): WorstElement | null {
    if (this.worstRow === null) return null;
    const { row, f, got, expected } = this.worstRow;
    return { ...placeOf(shape, row), f, got, expected };
  }
}
