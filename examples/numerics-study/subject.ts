import { formatArithmetics } from "fusemax";
import type { KeyRange } from "#fusemax/attention/key-range";
import { type AttentionMask, maskOf } from "#fusemax/attention/mask";
import type { AttentionProblem, Operands } from "#fusemax/attention/problem";
import type { AttentionShape } from "#fusemax/attention/shape";
import { Baseline } from "#fusemax/emulator/baseline";
import { traceOverflow } from "#fusemax/emulator/cpu";
import type { Engine } from "#fusemax/emulator/engine";
import { ErrorStatistics } from "#fusemax/emulator/error-statistics";
import { type AttentionInputs, roundOperands } from "#fusemax/emulator/operands";
import type { Overflow } from "#fusemax/emulator/overflow";
import type { FloatType, Format } from "#fusemax/numerics/format";
import { referenceRow } from "#fusemax/reference/attention";

/** An attention to be studied: everything but the number format and the tile. */
export interface Attention {
  readonly shape: AttentionShape;
  readonly mask: AttentionMask;
  readonly scale: number;
  readonly inputs: AttentionInputs;
  /** The output rows that are computed and judged, as flat indices (b * H + h) * P + p. */
  readonly rows: readonly number[];
}

/** How far some rows are from float64. Errors are relative to the root mean square (rms) of the exact rows. */
export interface Measured {
  /** Rms of the error over rms of the exact rows; NaN where a row was not finite or there was none. */
  readonly rms: number;
  /** The largest error of an element over the rms of the exact rows. */
  readonly largest: number;
  /** Least-squares factor of the rows over the exact ones: 1 where the error has no direction, 2 where all is doubled. */
  readonly gain: number;
}

/** What the array made of an attention. */
export interface Emulated {
  /** Against float64 attention on the operands: what the array's arithmetic costs. */
  readonly onOperands: Measured;
  /** Against float64 attention on the inputs as given: the rounding of Q, K and V included. */
  readonly onInputs: Measured;
  /** Rows in which a value left the range of the accumulator; they are in no error. */
  readonly overflowRows: number;
  /** The tensor in which the first of them did. */
  readonly overflow: Overflow["tensor"] | null;
}

/** Float64 attention and the 3-pass baseline do not depend on the tile and are computed once for each format. */
export class Subject {
  private readonly exactRows = new Map<FloatType | "given", readonly Float64Array[]>();
  private readonly roundedTo = new Map<FloatType, Operands>();

  constructor(readonly attention: Attention) {}

  /** Emulates the rows, one request each, so that a row that overflows costs no other. */
  async emulate(engine: Engine, format: Format, m0: number): Promise<Emulated> {
    const problem = this.problem(format, m0);
    const operands = this.operands(format, engine);
    const session = await engine.open(problem, operands);
    const { rows } = this.attention;
    const blocks = await Promise.all(rows.map(row => session.run({ start: row, end: row + 1 }))).finally(() =>
      session.close(),
    );
    const good = rows.flatMap((_, i) => (blocks[i]?.overflowRow === null ? [i] : []));
    const bad = rows.find((_, i) => blocks[i]?.overflowRow !== null);
    const outputs = good.map(i => blocks[i]?.av ?? new Float32Array(0));
    return {
      onOperands: this.judge(outputs, good, format.operand),
      onInputs: this.judge(outputs, good, "given"),
      overflowRows: rows.length - good.length,
      overflow: bad === undefined ? null : (traceOverflow(problem, operands, bad)?.tensor ?? null),
    };
  }

  /** Plain 3-pass attention in the same formats, against float64 on the operands. */
  baseline(format: Format): Measured {
    const baseline = new Baseline(this.problem(format, 1), this.operands(format));
    const { rows } = this.attention;
    return this.judge(
      rows.map(row => baseline.row(row)),
      [...rows.keys()],
      format.operand,
    );
  }

  problem(format: Format, m0: number): AttentionProblem {
    const { shape, mask, scale } = this.attention;
    return { shape, mask, scale, arithmetic: formatArithmetics[format.name], tile: { m0, p0: 256 } };
  }

  /** Q, K and V as the format's multipliers see them. */
  operands(format: Format, engine?: Engine): Operands {
    const known = this.roundedTo.get(format.operand);
    if (known !== undefined) return known;
    const { inputs, shape } = this.attention;
    const rounded = roundOperands(inputs, shape, formatArithmetics[format.name], engine?.allocate);
    this.roundedTo.set(format.operand, rounded);
    return rounded;
  }

  /** Outputs of the `which`-th rows, against float64 attention on operands of a type or on the inputs as given. */
  judge(outputs: readonly Float32Array[], which: readonly number[], on: FloatType | "given"): Measured {
    const statistics = new ErrorStatistics();
    let [product, square] = [0, 0];
    for (const [n, i] of which.entries()) {
      const got = outputs[n] as Float32Array;
      const exact = this.exact(on)[i] as Float64Array;
      statistics.add(this.attention.rows[i] as number, got, exact);
      for (let f = 0; f < exact.length; f += 1) {
        product += (got[f] as number) * (exact[f] as number);
        square += (exact[f] as number) ** 2;
      }
    }
    if (which.length === 0) return { rms: Number.NaN, largest: Number.NaN, gain: Number.NaN };
    const { maxAbs, rmsRelative } = statistics.summary();
    const rmsExact = Math.sqrt(square / (which.length * this.attention.shape.valueDim));
    return { rms: rmsRelative, largest: maxAbs / rmsExact, gain: product / square };
  }

  private exact(on: FloatType | "given"): readonly Float64Array[] {
    const known = this.exactRows.get(on);
    if (known !== undefined) return known;
    const { shape, scale, rows } = this.attention;
    const tensors = on === "given" ? this.attention.inputs : this.roundedTo.get(on);
    if (tensors === undefined) throw new Error(`there are no ${on} operands yet`);
    const found = rows.map(row => referenceRow(tensors, shape, scale, row, seenKeys(this.attention, row)));
    this.exactRows.set(on, found);
    return found;
  }
}

/** The keys that a row sees. */
export const seenKeys = (attention: Attention, row: number): KeyRange => maskOf(attention).span(row);
