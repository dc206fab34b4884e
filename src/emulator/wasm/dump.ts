import type { AttentionProblem, Operands } from "../../attention/problem.js";
import type { TileCoordinates } from "../../attention/tile.js";
import { emptyDump, firstRowOf, requireTile, type TileDump } from "../tile-dump.js";
import { BlockRunner } from "./block.js";
import { type Kernels, lanes, type StateField } from "./kernels.js";

/** Every intermediate of a tile as the kernels of a run store it, those of registers included, eight columns at a time. */
export function dumpTile(
  problem: AttentionProblem,
  operands: Operands,
  kernels: Kernels,
  at: TileCoordinates,
): TileDump {
  requireTile(at, problem);
  const { tile } = problem;
  const dump = emptyDump(problem, at);
  const { columns } = dump;
  const first = firstRowOf(problem, at);
  // First, since its place in memory moves what others look at.
  const writer = new DumpWriter(problem, kernels, dump);
  const runner = new BlockRunner(problem, operands, kernels);
  for (let column = 0; column < columns; column += lanes) {
    const count = Math.min(lanes, columns - column);
    const rows = runner.nextRows(first + column, first + column + count);
    const { from, to } = runner.load(rows);
    for (let m1 = Math.floor(from / tile.m0); m1 <= at.m1 && m1 * tile.m0 < to; m1 += 1) {
      const listener = m1 === at.m1 ? writer.listen(column, count) : undefined;
      runner.passTileInSteps(rows, m1 * tile.m0, listener);
    }
    writer.writeState(column, count);
  }
  return dump;
}

/** Copies what is in the kernels' memory for the first lane group into columns of a dump. */
class DumpWriter {
  private readonly floats: Float32Array;
  private readonly integers: Int32Array;
  /** What scores, and numerators with their sums, are multiplied by in the kernels. */
  private readonly scoreScale: number;
  private readonly numeratorScale: number;
  /** Where the kernels store LM, SPD and SPNV, [8] each. */
  private readonly dumped: number;

  constructor(
    private readonly problem: AttentionProblem,
    private readonly kernels: Kernels,
    private readonly dump: TileDump,
  ) {
    this.dumped = kernels.dumpTo();
    this.floats = new Float32Array(kernels.memory.buffer);
    this.integers = new Int32Array(kernels.memory.buffer);
    this.scoreScale = kernels.queryScale();
    this.numeratorScale = problem.arithmetic.accumulator === "fp16" ? this.scoreScale : 1;
  }

  private field(name: StateField, lane: number): number {
    return this.floats[this.kernels.fieldAt(0, name) / 4 + lane] as number;
  }

  private range(lane: number): [number, number] {
    const at = (name: StateField): number => this.integers[this.kernels.fieldAt(0, name) / 4 + lane] as number;
    return [at("keyStarts"), at("keyEnds")];
  }

  listen(column: number, count: number) {
    const { dump, kernels } = this;
    const { columns } = dump;
    const forLanes = (write: (p: number, lane: number, start: number, end: number) => void): void => {
      for (let lane = 0; lane < count; lane += 1) {
        const [start, end] = this.range(lane);
        if (start < end) write(column + lane, lane, start, end);
      }
    };
    const scoreAt = (m: number, lane: number): number =>
      this.floats[kernels.scoresOf(0) / 4 + m * lanes + lane] as number;
    return {
      scored: () =>
        forLanes((p, lane, start, end) => {
          for (let m = start; m < end; m += 1) {
            dump.exists[m * columns + p] = 1;
            dump.bqk[m * columns + p] = scoreAt(m, lane) / this.scoreScale;
          }
        }),
      normalized: () =>
        forLanes((p, lane, start, end) => {
          dump.lm[p] = this.dumpedAt(0, lane);
          for (let m = start; m < end; m += 1) dump.sln[m * columns + p] = scoreAt(m, lane) / this.numeratorScale;
        }),
      weighted: () => forLanes((p, lane) => this.writeSums(p, lane)),
      updated: () => forLanes((p, lane) => this.writeCorrected(p, lane)),
    };
  }

  private dumpedAt(i: number, lane: number): number {
    return this.floats[this.dumped / 4 + i * lanes + lane] as number;
  }

  private writeSums(p: number, lane: number): void {
    const { dump, kernels, problem } = this;
    dump.prm[p] = this.field("corrections", lane);
    dump.sld[p] = this.field("numeratorSums", lane) / this.numeratorScale;
    for (let f = 0; f < problem.shape.valueDim; f += 1) {
      const slnv = this.floats[kernels.sumsOf(0) / 4 + f * lanes + lane] as number;
      dump.slnv[f * dump.columns + p] = slnv / this.numeratorScale;
    }
  }

  private writeCorrected(p: number, lane: number): void {
    const { dump, problem } = this;
    dump.spd[p] = this.dumpedAt(1, lane);
    for (let f = 0; f < problem.shape.valueDim; f += 1) {
      dump.spnv[f * dump.columns + p] = this.dumpedAt(2 + f, lane);
    }
  }

  /** RM, RD and RNV as they are. A denominator of +0 tells that the query has seen no key. */
  writeState(column: number, count: number): void {
    const { dump, kernels } = this;
    for (let lane = 0; lane < count; lane += 1) {
      const p = column + lane;
      const rd = this.field("denominators", lane);
      dump.rd[p] = rd;
      dump.rm[p] = rd === 0 ? 0 : this.field("maxima", lane);
      for (let f = 0; f < this.problem.shape.valueDim; f += 1) {
        dump.rnv[f * dump.columns + p] = this.floats[kernels.outputsOf(0) / 4 + f * lanes + lane] as number;
      }
    }
  }
}
