import type { AttentionProblem, Operands } from "../../src/attention/problem.js";
import { requireFormat } from "../../src/numerics/format-of.js";
import { exponentFactor, type ProcessingElement, processingElement } from "../../src/numerics/pe.js";
import type { CountingColumn } from "./count-column.js";
import { emptyObservations } from "./count-observation.js";
import { type Placement, placeTensors } from "./count-placement.js";

type Columns = readonly CountingColumn[];

/**
 * The two arrays, the buffer and DRAM: each method does one Einsum of Cascade 5 for one tile, one time step of all PEs after
 * the other. Whatever an Einsum reads, writes or computes passes through a counter. Words are named by their place in their
 * tensor.
 */
export class CountingArray {
  readonly observations = emptyObservations();
  private readonly pe: ProcessingElement;
  private readonly c: number;
  private readonly problem: AttentionProblem;
  private readonly operands: Operands;
  /** Key tiles of a sequence, at most: names the words of tensors with a rank M1. */
  private readonly keyTiles: number;
  /** The first key of the tile at work among all keys of all heads. */
  private firstKey = 0;
  private block = 0;
  private readonly storage: Placement;

  constructor(problem: AttentionProblem, operands: Operands) {
    this.problem = problem;
    this.operands = operands;
    this.pe = processingElement(requireFormat(problem.arithmetic, "count"));
    this.c = exponentFactor(problem.scale);
    this.keyTiles = Math.ceil(problem.shape.keys / problem.tile.m0);
    this.storage = placeTensors(this.observations);
  }

  /** Another block of P1 query tiles comes to work. */
  enterQueries(): void {
    this.block += 1;
    this.storage.BQK.q.enter(this.block);
  }

  /** A tile of keys and values comes to work; where it is the one that was there, it stays. */
  enterKeys(kvHead: number, m1: number): void {
    const { shape, tile } = this.problem;
    this.firstKey = kvHead * shape.keys + m1 * tile.m0;
    this.storage.BQK.k.enter(kvHead * this.keyTiles + m1);
    this.storage.SLNV.v.enter(kvHead * this.keyTiles + m1);
  }

  /** BQK = Q x BK (Eq. 44): E steps, a multiply-accumulate on each PE. */
  scores(columns: Columns): void {
    const { headDim } = this.problem.shape;
    const { qAtPe, kAtPe, out } = this.storage.BQK;
    const seen = this.observations.BQK;
    for (const column of columns) column.bqk.fill(0);
    for (let e = 0; e < headDim; e += 1) {
      this.onPes(columns, (column, m0, pe) => {
        const q = column.row * headDim + e;
        const k = (this.firstKey + m0) * headDim + e;
        qAtPe.read(pe, q);
        kAtPe.read(pe, k);
        column.bqk[m0] = this.pe.mac(
          column.bqk[m0] as number,
          this.operands.q[q] as number,
          this.operands.k[k] as number,
        );
        seen.operations.mac += 1;
        out.update(this.scoreWord(column, m0));
      });
      qAtPe.step();
      kAtPe.step();
      seen.steps += 1;
    }
  }

  /** LM = max of BQK (Eq. 45), down each column and out. */
  localMaxima(columns: Columns): void {
    const { qk, out, drained } = this.storage.LM;
    const seen = this.observations.LM;
    for (const column of columns) column.lm = column.bqk[column.start] as number;
    this.onPes(columns, (column, m0) => {
      qk.read(this.scoreWord(column, m0));
      column.lm = this.pe.max(column.lm, column.bqk[m0] as number);
      seen.operations.max += 1;
      out.update(this.scoreWord(column, m0));
    });
    for (const column of columns) drained.update(this.tileWord(column));
    seen.steps += 1;
  }

  /** RM = max(RM, LM) (Eq. 46). */
  runningMaxima(columns: Columns): void {
    const { lm, rm0, out, stored } = this.storage.RM;
    const seen = this.observations.RM;
    for (const column of columns) {
      lm.read(this.tileWord(column));
      rm0.read(column.p0, this.tileWord(column));
      column.rmBefore = column.rm;
      column.rm = column.seen ? this.pe.max(column.rm, column.lm) : column.lm;
      seen.operations.max += 1;
      out.update(this.tileWord(column));
      stored.update(this.tileWord(column));
    }
    rm0.step();
    seen.steps += 1;
  }

  /** SLN = exp(BQK - RM) (Eq. 47): an add and six multiply-accumulates on each PE. */
  numerators(columns: Columns): void {
    const { qk, rm, out } = this.storage.SLN;
    const seen = this.observations.SLN;
    this.onPes(columns, (column, m0, pe) => {
      qk.read(this.scoreWord(column, m0));
      rm.read(pe, this.tileWord(column));
      const difference = this.pe.subtract(column.bqk[m0] as number, column.rm);
      seen.operations.add += 1;
      column.sln[m0] = this.pe.numerator(difference, this.c);
      seen.operations.mac += 6;
      out.update(this.scoreWord(column, m0));
    });
    rm.step();
    seen.steps += 1;
  }

  /** SLD = sum of SLN (Eq. 48), down each column and out. */
  localDenominators(columns: Columns): void {
    const { sln, out, drained } = this.storage.SLD;
    const seen = this.observations.SLD;
    for (const column of columns) column.sld = 0;
    this.onPes(columns, (column, m0) => {
      sln.read(this.scoreWord(column, m0));
      column.sld = this.pe.add(column.sld, column.sln[m0] as number);
      seen.operations.add += 1;
      out.update(this.scoreWord(column, m0));
    });
    for (const column of columns) drained.update(this.tileWord(column));
    seen.steps += 1;
  }

  /** SLNV = SLN x BV (Eq. 49): F steps, a multiply-accumulate on each PE, down each column and out. */
  localValues(columns: Columns): void {
    const { valueDim } = this.problem.shape;
    const { sln, vAtPe, out, drained } = this.storage.SLNV;
    const seen = this.observations.SLNV;
    for (const column of columns) column.slnv.fill(0);
    for (let f = 0; f < valueDim; f += 1) {
      this.onPes(columns, (column, m0, pe) => {
        const v = (this.firstKey + m0) * valueDim + f;
        sln.read(this.scoreWord(column, m0));
        vAtPe.read(pe, v);
        column.slnv[f] = this.pe.mac(column.slnv[f] as number, column.sln[m0] as number, this.operands.v[v] as number);
        seen.operations.mac += 1;
        out.update(this.scoreWord(column, m0) * valueDim + f);
      });
      vAtPe.step();
      for (const column of columns) drained.update(this.tileWord(column) * valueDim + f);
      seen.steps += 1;
    }
  }

  /** PRM = exp(RM_before - RM) (Eq. 50); the first tile has nothing to correct, and takes +0. */
  corrections(columns: Columns): void {
    const { rm0, rm, out } = this.storage.PRM;
    const seen = this.observations.PRM;
    for (const column of columns) {
      rm0.read(this.tileWord(column));
      rm.read(this.tileWord(column));
      const difference = this.pe.subtract(column.rmBefore, column.rm);
      seen.operations.add += 1;
      const factor = this.pe.correction(Math.min(0, difference), this.c);
      seen.operations.mac += 6;
      column.prm = column.seen ? factor : 0;
      column.seen = true;
      out.update(this.tileWord(column));
    }
    seen.steps += 1;
  }

  /** SPD = RD x PRM (Eq. 51). */
  correctDenominators(columns: Columns): void {
    const { rd0, prm, out } = this.storage.SPD;
    const seen = this.observations.SPD;
    for (const column of columns) {
      rd0.read(column.p0, this.tileWord(column));
      prm.read(this.tileWord(column));
      column.spd = this.pe.mul(column.rd, column.prm);
      seen.operations.mac += 1;
      out.update(this.tileWord(column));
    }
    rd0.step();
    seen.steps += 1;
  }

  /** RD = SLD + SPD (Eq. 52). */
  runningDenominators(columns: Columns): void {
    const { sld, spd, out, stored } = this.storage.RD;
    const seen = this.observations.RD;
    for (const column of columns) {
      sld.read(this.tileWord(column));
      spd.read(this.tileWord(column));
      column.rd = this.pe.add(column.sld, column.spd);
      seen.operations.add += 1;
      out.update(this.tileWord(column));
      stored.update(this.tileWord(column));
    }
    seen.steps += 1;
  }

  /** SPNV = RNV x PRM (Eq. 53): F steps. */
  correctValues(columns: Columns): void {
    const { valueDim } = this.problem.shape;
    const { rnv0, prm, out } = this.storage.SPNV;
    const seen = this.observations.SPNV;
    for (let f = 0; f < valueDim; f += 1) {
      for (const column of columns) {
        rnv0.read(column.p0, this.tileWord(column) * valueDim + f);
        prm.read(this.tileWord(column));
        column.spnv[f] = this.pe.mul(column.rnv[f] as number, column.prm);
        seen.operations.mac += 1;
        out.update(this.tileWord(column) * valueDim + f);
      }
      rnv0.step();
      seen.steps += 1;
    }
  }

  /** RNV = SLNV + SPNV (Eq. 54): F steps. */
  runningValues(columns: Columns): void {
    const { valueDim } = this.problem.shape;
    const { slnv, spnv, out, stored } = this.storage.RNV;
    const seen = this.observations.RNV;
    for (let f = 0; f < valueDim; f += 1) {
      for (const column of columns) {
        slnv.read(this.tileWord(column) * valueDim + f);
        spnv.read(this.tileWord(column) * valueDim + f);
        column.rnv[f] = this.pe.add(column.slnv[f] as number, column.spnv[f] as number);
        seen.operations.add += 1;
        out.update(this.tileWord(column) * valueDim + f);
        stored.update(this.tileWord(column) * valueDim + f);
      }
      seen.steps += 1;
    }
  }

  /** AV = RNV / RD (Eq. 55): F steps, into `av` [B,H,P,F]. */
  divide(columns: Columns, av: Float32Array): void {
    const { valueDim } = this.problem.shape;
    const { rnv, rd, out, stored } = this.storage.AV;
    const seen = this.observations.AV;
    for (let f = 0; f < valueDim; f += 1) {
      for (const column of columns) {
        const word = column.row * valueDim + f;
        rnv.read(column.p0, word);
        rd.read(column.p0, column.row);
        av[word] = this.pe.div(column.rnv[f] as number, column.rd);
        seen.operations.divide += 1;
        out.update(word);
        stored.update(word);
      }
      rnv.step();
      rd.step();
      seen.steps += columns.length === 0 ? 0 : 1;
    }
  }

  /** One time step: every PE that has a score does its part, m0 down the rows and p0 across the columns. */
  private onPes(columns: Columns, work: (column: CountingColumn, m0: number, pe: number) => void): void {
    const { tile } = this.problem;
    for (const column of columns) {
      for (let m0 = column.start; m0 < column.end; m0 += 1) work(column, m0, m0 * tile.p0 + column.p0);
    }
  }

  /** Names a word of a tensor with the ranks B, H, P and M. */
  private scoreWord(column: CountingColumn, m0: number): number {
    return this.tileWord(column) * this.problem.tile.m0 + m0;
  }

  /** Names a word of a tensor with the ranks B, H, P and M1. */
  private tileWord(column: CountingColumn): number {
    return column.row * this.keyTiles + column.m1;
  }
}
