import type { KeyRange } from "../../src/attention/key-range.js";

/** One query in its column of PEs: what it carries from tile to tile, and the values of the tile at work. */
export class CountingColumn {
  seen = false;
  rm = 0;
  rd = 0;
  readonly rnv: Float64Array;
  /** The key tile at work, and the keys in it that the query sees: start <= m0 < end. */
  m1 = 0;
  start = 0;
  end = 0;
  rmBefore = 0;
  lm = 0;
  sld = 0;
  prm = 0;
  spd = 0;
  readonly bqk: Float64Array;
  readonly sln: Float64Array;
  readonly slnv: Float64Array;
  readonly spnv: Float64Array;

  constructor(
    /** Its place in the array. */
    readonly p0: number,
    /** The output row (b * H + h) * P + p. */
    readonly row: number,
    private readonly keys: KeyRange,
    private readonly m0: number,
    valueDim: number,
  ) {
    this.rnv = new Float64Array(valueDim);
    this.bqk = new Float64Array(m0);
    this.sln = new Float64Array(m0);
    this.slnv = new Float64Array(valueDim);
    this.spnv = new Float64Array(valueDim);
  }

  /** Starts on a key tile; false if the query sees no key in it. */
  enter(m1: number): boolean {
    this.m1 = m1;
    this.start = Math.max(0, this.keys.from - m1 * this.m0);
    this.end = Math.min(this.m0, this.keys.to - m1 * this.m0);
    return this.start < this.end;
  }
}
