import type { RowError } from "../../emulator/error-statistics.js";

// The errors of checked rows as a shard keeps them: for each row its number, and for each of three comparisons sums of squares of the
// error and of what is exact, the largest error, and the element that has it. Little-endian float64.

const perError = 6;
const errorsEach = 3;
const recordValues = 1 + errorsEach * perError;
export const recordBytes = 8 * recordValues;

/** The errors of one row: against attention on the operands, the baseline's, and against attention on the inputs. */
export interface CheckedRow {
  readonly onOperands: RowError;
  /** Null for an arithmetic without a baseline. */
  readonly baseline: RowError | null;
  readonly onInputs: RowError;
}

/** Takes errors row by row, first those on the operands of all rows, then those on the inputs. */
export class ErrorRecords {
  readonly values: Float64Array;
  private operandRows = 0;
  private inputRows = 0;

  constructor(rows: number) {
    this.values = new Float64Array(rows * recordValues);
  }

  onOperands(error: RowError, baseline: RowError | null): void {
    const at = this.operandRows * recordValues;
    this.values[at] = error.row;
    this.put(at, 0, error);
    if (baseline !== null) this.put(at, 1, baseline);
    this.operandRows += 1;
  }

  onInputs(error: RowError): void {
    this.put(this.inputRows * recordValues, 2, error);
    this.inputRows += 1;
  }

  /** Errors on the inputs are those on the operands. */
  inputsAreOperands(): void {
    for (let at = 1; at < this.values.length; at += recordValues) {
      this.values.copyWithin(at + 2 * perError, at, at + perError);
    }
  }

  private put(at: number, which: number, { squares, exactSquares, maxAbs, f, got, expected }: RowError): void {
    this.values.set([squares, exactSquares, maxAbs, f, got, expected], at + 1 + which * perError);
  }
}

/** A record of rows of `count` elements. */
export function readRecord(bytes: Buffer, at: number, count: number, hasBaseline: boolean): CheckedRow {
  const row = bytes.readDoubleLE(at);
  const errorAt = (which: number): RowError => {
    const value = (k: number): number => bytes.readDoubleLE(at + 8 * (1 + which * perError + k));
    return {
      ...{ row, count, squares: value(0), exactSquares: value(1), maxAbs: value(2) },
      ...{ f: value(3), got: value(4), expected: value(5) },
    };
  };
  return { onOperands: errorAt(0), baseline: hasBaseline ? errorAt(1) : null, onInputs: errorAt(2) };
}
