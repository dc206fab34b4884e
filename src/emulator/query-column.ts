import type { AttentionProblem } from "../attention/problem.js";
import { requireFormat } from "../numerics/format-of.js";
import { type FloatRow, type MacChains, macChains, makeFloatRow } from "../numerics/mac-chains.js";
import { exponentFactor, type ProcessingElement, processingElement } from "../numerics/pe.js";
import { firstOverflow, type Overflow } from "./overflow.js";

/** What a query carries from key tile to key tile: RM, RD, RNV of Cascade 5. */
export interface RunningState {
  seen: boolean;
  rm: number;
  rd: number;
  readonly rnv: Float32Array;
  overflow: Overflow | null;
}

export function startState(valueDim: number): RunningState {
  return { seen: false, rm: 0, rd: 0, rnv: new Float32Array(valueDim), overflow: null };
}

/** A tile of K and V of one head: K transposed to [E, m0] with rows `stride` apart, V [keys, F] from `vOffset`. */
export interface KeyTile {
  readonly m1: number;
  readonly kT: Float32Array;
  readonly stride: number;
  readonly v: Float32Array;
  readonly vOffset: number;
}

/**
 * The column of PEs of one query: takes it through one key tile after another, step by step as in docs/numerics.md
 * ("One tile, in order"; FuseMax Eq. 44-55). The intermediates of the last tile stay readable, for the dump.
 */
export class QueryColumn {
  readonly bqk: FloatRow;
  readonly sln: Float32Array;
  readonly slnv: FloatRow;
  readonly spnv: Float32Array;
  lm = 0;
  sld = 0;
  prm = 0;
  spd = 0;
  private readonly pe: ProcessingElement;
  private readonly mac: MacChains;
  private readonly c: number;
  private readonly headDim: number;
  private readonly valueDim: number;
  private readonly mayOverflow: boolean;

  constructor({ shape, tile, arithmetic, scale }: AttentionProblem) {
    const rows = Math.min(tile.m0, shape.keys);
    this.bqk = makeFloatRow(rows);
    this.sln = new Float32Array(rows);
    this.slnv = makeFloatRow(shape.valueDim);
    this.spnv = new Float32Array(shape.valueDim);
    const format = requireFormat(arithmetic, "the twin");
    this.pe = processingElement(format);
    this.mac = macChains({ accumulator: format.accumulator, exact: format.operand !== "fp32" });
    this.c = exponentFactor(scale);
    this.headDim = shape.headDim;
    this.valueDim = shape.valueDim;
    this.mayOverflow = format.accumulator === "fp16";
  }

  /** One tile for the query at `q[qOffset...]`, over the tile's keys start <= m0 < end, of which there is at least one. */
  pass(state: RunningState, q: Float32Array, qOffset: number, tile: KeyTile, start: number, end: number): void {
    this.scores(q, qOffset, tile, start, end);
    const rmOld = state.rm;
    const first = !state.seen;
    this.runningMaximum(state, start, end);
    this.numerators(state.rm, start, end);
    this.prm = first ? 0 : this.pe.correction(this.pe.subtract(rmOld, state.rm), this.c);
    this.weightedValues(tile, start, end);
    this.update(state);
    if (this.mayOverflow) state.overflow = firstOverflow(this, state, first ? null : rmOld, tile.m1, start, end);
  }

  /** Step 1, BQK = Q x BK, a sum for each key, e ascending. */
  private scores(q: Float32Array, qOffset: number, { kT, stride }: KeyTile, start: number, end: number): void {
    this.bqk.values.fill(0, start, end);
    const query = { values: q, first: qOffset, count: this.headDim };
    this.mac(this.bqk, query, { values: kT, offset: 0, stride }, start, end);
  }

  /** Step 2, LM = max of BQK, RM = max(RM, LM). A maximum starts from its first element, not from 0. */
  private runningMaximum(state: RunningState, start: number, end: number): void {
    const bqk = this.bqk.values;
    let lm = bqk[start] as number;
    for (let i = start + 1; i < end; i += 1) lm = this.pe.max(lm, bqk[i] as number);
    this.lm = lm;
    state.rm = state.seen ? this.pe.max(state.rm, lm) : lm;
    state.seen = true;
  }

  /** Steps 3 and 4, SLN = exp(BQK - RM) and SLD = sum of SLN, m0 ascending. */
  private numerators(rm: number, start: number, end: number): void {
    const { pe, c, sln } = this;
    const bqk = this.bqk.values;
    let sld = 0;
    for (let i = start; i < end; i += 1) {
      const numerator = pe.numerator(pe.subtract(bqk[i] as number, rm), c);
      sln[i] = numerator;
      sld = pe.add(sld, numerator);
    }
    this.sld = sld;
  }

  /** Step 5, SLNV = SLN x BV, a sum for each f, m0 ascending. */
  private weightedValues({ v, vOffset }: KeyTile, start: number, end: number): void {
    const { sln, valueDim, slnv } = this;
    slnv.values.fill(0);
    const weights = { values: sln, first: start, count: end - start };
    this.mac(slnv, weights, { values: v, offset: vOffset + start * valueDim, stride: valueDim }, 0, valueDim);
  }

  /** Steps 6 and 7, SPD = RD x PRM, RD = SLD + SPD, SPNV = RNV x PRM, RNV = SLNV + SPNV. */
  private update(state: RunningState): void {
    const { pe, prm, spnv, valueDim } = this;
    const { rnv } = state;
    this.spd = pe.mul(state.rd, prm);
    state.rd = pe.add(this.sld, this.spd);
    for (let f = 0; f < valueDim; f += 1) {
      const product = pe.mul(rnv[f] as number, prm);
      spnv[f] = product;
      rnv[f] = pe.add(this.slnv.values[f] as number, product);
    }
  }

  /** AV = RNV / RD (Eq. 55), +0 for a query that saw no key. */
  finish(state: RunningState, av: Float32Array, offset: number): void {
    for (let f = 0; f < this.valueDim; f += 1) {
      av[offset + f] = state.seen ? this.pe.div(state.rnv[f] as number, state.rd) : 0;
    }
  }
}
