import type { AttentionProblem, Operands } from "../attention/problem.js";
import { allRows, rowsOfHead } from "../attention/rows.js";
import { howMany, NumericsError, SpecError } from "../errors.js";
import { requireFormat } from "../numerics/format-of.js";
import { numberTypes } from "../numerics/number-type.js";
import { exponentFactor, type ProcessingElement, processingElement } from "../numerics/pe.js";
import type { ArrivalSchedule, ScheduleMachine } from "../spec/schedule/machine.js";
import type { Schedule } from "../spec/schedule/schedule.js";
import { bufferRows } from "./buffer-rows.js";
import type { ArrayName } from "./einsums.js";
import { Exponential } from "./exponential.js";
import { GlobalBuffer } from "./global-buffer.js";
import type { Instruction, TileOperands } from "./instruction.js";
import { PeGrid } from "./pe-grid.js";
import { PeRow } from "./pe-row.js";
import { instructions, type Lengths } from "./sequencer.js";
import { listTiles } from "./tiles.js";

/** The largest array that is emulated register by register. */
export const largestArray = 32;

export interface ArrayRun {
  /** AV [B, H, P, F] in accumulator values. */
  readonly av: Float32Array;
  /** From the first operand on a link to the last AV written. */
  readonly cycles: number;
  /** Most register-file entries in use in any PE of the 2D array (the north link's included) and of the 1D array. */
  readonly registers: Readonly<Record<ArrayName, number>>;
}

export interface ArrayOptions {
  readonly arrivals?: ArrivalSchedule;
  /** Sees the array in every cycle, before its operations. */
  readonly onCycle?: (view: ArrayView) => void;
  /** Stops before this cycle, for a look at the first ones; what is not computed then is 0. */
  readonly untilCycle?: number;
}

/** The array in one cycle. */
export interface ArrayView {
  readonly cycle: number;
  readonly grid: PeGrid;
  readonly peRow: PeRow;
  /** What a PE does in this cycle: (r, c) of the 2D array, c of the 1D array. */
  readonly at2d: (r: number, c: number) => Instruction | null;
  readonly at1d: (c: number) => Instruction | null;
}

/**
 * Computes attention on the PE array register by register, cycle by cycle: every operand moves one link per cycle, every
 * PE does one operation per cycle, and the values are the contract's (docs/numerics.md).
 * @throws SpecError for an array over 32 x 32, or a schedule that runs into a conflict; the message names
 * cycle, PE and tensor
 */
export function runArray(
  schedule: Schedule,
  machine: ScheduleMachine,
  blockTiles: number,
  problem: AttentionProblem,
  operands: Operands,
  options: ArrayOptions = {},
): ArrayRun {
  checkSize(machine, problem);
  return new RegisterLevelArray(schedule, machine, blockTiles, problem, operands, options).run();
}

function checkSize(machine: ScheduleMachine, { shape, tile }: AttentionProblem): void {
  const { rows, columns } = machine;
  if (!(rows <= largestArray && columns <= largestArray)) {
    const expected = `at most ${largestArray} x ${largestArray}`;
    throw new SpecError({ where: "register-level array", got: `${rows} x ${columns} PEs`, expected });
  }
  if (tile.m0 !== rows || tile.p0 !== columns) {
    const got = `tiles of ${howMany(tile.m0, "key")} by ${howMany(tile.p0, "query")}`;
    throw new SpecError({ where: "register-level array", got, expected: `the array's ${rows} by ${columns}` });
  }
  if (shape.queries < 1 || shape.keys < 1) {
    throw new SpecError({
      where: "register-level array",
      got: "no queries or no keys",
      expected: "at least one of each",
    });
  }
}

/** An array's way through its instructions. */
interface Issue {
  readonly source: Iterator<Instruction | null>;
  next: Instruction | null | undefined;
  /** Rows of the next instruction that were read already. */
  rowsRead: number;
}

class RegisterLevelArray {
  private readonly lengths: Lengths;
  private readonly tiles: readonly TileOperands[];
  private readonly grid: PeGrid;
  private readonly peRow: PeRow;
  private readonly buffer: GlobalBuffer;
  private readonly av: Float32Array;
  /** What each array issued in each cycle. */
  private readonly issued: Readonly<Record<ArrayName, (Instruction | null)[]>> = { "2d": [], "1d": [] };
  private cycle = 0;
  private firstOperand = -1;
  private lastAv = -1;
  private freeReads = 0;
  private freeWrites = 0;

  constructor(
    private readonly schedule: Schedule,
    private readonly machine: ScheduleMachine,
    blockTiles: number,
    problem: AttentionProblem,
    operands: Operands,
    private readonly options: ArrayOptions,
  ) {
    const { shape, arithmetic, scale } = problem;
    const format = requireFormat(arithmetic, "the array");
    const { headDim, valueDim } = shape;
    this.lengths = { headDim, valueDim, divideCycles: machine.divideCycles };
    this.tiles = listTiles(problem, blockTiles);
    const pe = checkedElement(processingElement(format));
    const exp = new Exponential(pe, exponentFactor(scale));
    this.grid = new PeGrid(machine, valueDim, pe, exp);
    this.buffer = new GlobalBuffer(problem, operands, options.arrivals ?? null);
    this.av = new Float32Array(allRows(problem).end * valueDim);
    this.peRow = new PeRow(machine, valueDim, pe, exp, {
      links: this.grid.south,
      first: machine.rows * machine.columns,
      buffer: this.buffer,
      returnRm: (c, rm, cycle) => this.grid.returnRm(c, rm, cycle),
      writeAv: ({ tile }, c, f, value, cycle) => {
        const row = rowsOfHead(shape, tile.head).start + tile.queryTile * machine.columns + c;
        this.av[row * valueDim + f] = value;
        this.lastAv = Math.max(this.lastAv, cycle);
      },
    });
  }

  run(): ArrayRun {
    const { schedule, machine, tiles, grid, peRow } = this;
    const start = (array: ArrayName): Issue => {
      const source = instructions(schedule, array, tiles, this.lengths);
      return { source, next: yielded(source.next()), rowsRead: 0 };
    };
    const below = start("1d");
    const above = start("2d");
    // After the last issue the wave still has to cross the array.
    let rest = machine.rows + machine.columns;
    let stuck = 0;
    const patience = this.patience();
    const until = this.options.untilCycle ?? Number.POSITIVE_INFINITY;
    while (rest > 0 && this.cycle < until) {
      this.freeReads = machine.readPorts;
      this.freeWrites = machine.writePorts;
      // The 1D array goes first to a port: its rows belong to older tiles.
      const moved = [this.issue("1d", below), this.issue("2d", above)];
      this.operate();
      grid.step(this.cycle);
      this.cycle++;
      if (below.next === undefined && above.next === undefined) rest--;
      stuck = moved.includes(true) ? 0 : stuck + 1;
      if (stuck > patience) throw this.deadlock(below, above);
    }
    const peak = (files: readonly { readonly peak: number }[]): number => Math.max(...files.map(f => f.peak));
    return {
      av: this.av,
      cycles: this.lastAv - this.firstOperand + 1,
      registers: { "2d": peak(grid.files), "1d": peak(peRow.files) },
    };
  }

  /** Cycles without any issue after which nothing can still be on its way. */
  private patience(): number {
    const { machine } = this;
    const latest = Object.values(this.options.arrivals ?? {})
      .flat()
      .reduce((a, b) => Math.max(a, b), 0);
    const back = machine.rmReturn.by === "buffer" ? machine.rmReturn.latencyCycles : 0;
    return latest + 3 * machine.rows + machine.columns + back + 8;
  }

  /** Issues the array's next instruction at the first column if its operands are there. */
  private issue(array: ArrayName, state: Issue): boolean {
    const { next } = state;
    if (next === undefined) {
      this.issued[array].push(null);
      return false;
    }
    const go = next === null || (this.isReady(next) && this.readRows(next, state));
    this.issued[array].push(go ? next : null);
    if (!go) return false;
    state.rowsRead = 0;
    state.next = yielded(state.source.next());
    if (next !== null && this.firstOperand < 0) this.firstOperand = this.cycle;
    return true;
  }

  /** Whether what comes from elsewhere has come: tiles from DRAM, values from the other array. */
  private isReady({ einsum, step, tile }: Instruction): boolean {
    const { cycle, buffer, peRow, grid } = this;
    const here = (tensor: "Q" | "BK" | "BV"): boolean => buffer.arrivalOf(tensor, tile) <= cycle;
    switch (einsum) {
      case "BQK":
        return step > 0 || ((!tile.firstKeys || here("Q")) && (!tile.newKeys || here("BK")));
      case "SLNV":
        return step > 0 || !tile.newKeys || here("BV");
      case "SLN":
        return step > 0 || grid.isAbove(0, tile.index, cycle);
      case "RM":
        return peRow.hasCome(0, "LM", tile.index, 0);
      case "RD":
        return peRow.hasCome(0, "SLD", tile.index, 0);
      case "RNV":
        return peRow.hasCome(0, "SLNV", tile.index, step);
      default:
        return true;
    }
  }

  /** Takes the ports that the instruction's rows need; rows read in an earlier cycle wait at the array's edge. */
  private readRows(instruction: Instruction, state: Issue): boolean {
    const { reads, writes } = bufferRows(instruction, this.machine);
    const taken = Math.min(reads - state.rowsRead, this.freeReads);
    state.rowsRead += taken;
    this.freeReads -= taken;
    if (state.rowsRead < reads || this.freeWrites < writes) return false;
    this.freeWrites -= writes;
    return true;
  }

  /** Every PE does what the wave brings it. */
  private operate(): void {
    const { cycle, grid, peRow, machine } = this;
    this.feedEdges();
    const at2d = (r: number, c: number): Instruction | null => existing(this.issued["2d"][cycle - r - c], c);
    const at1d = (c: number): Instruction | null => existing(this.issued["1d"][cycle - c], c);
    this.options.onCycle?.({ cycle, grid, peRow, at2d, at1d });
    for (let r = 0; r < machine.rows; r++) {
      for (let c = 0; c < machine.columns; c++) {
        const instruction = at2d(r, c);
        if (instruction !== null) grid.execute(r, c, instruction, cycle);
      }
    }
    for (let c = 0; c < machine.columns; c++) peRow.execute(c, at1d(c), cycle);
    grid.settle(cycle);
  }

  /** Puts on the western and northern edges what this cycle's wave needs there. */
  private feedEdges(): void {
    const { cycle, grid, machine, buffer } = this;
    for (let r = 0; r < machine.rows; r++) {
      const instruction = this.issued["2d"][cycle - r];
      if (!instruction || r >= instruction.tile.rows) continue;
      const { einsum, step: index, tile } = instruction;
      if (einsum !== "BQK" && einsum !== "SLNV") continue;
      const tensor = einsum === "BQK" ? "BK" : "BV";
      const value = einsum === "BQK" ? buffer.bk(tile, r, index) : buffer.bv(tile, r, index);
      grid.west.feed(r * machine.columns, { tensor, tile: tile.index, index, value });
    }
    for (let c = 0; c < machine.columns; c++) {
      const instruction = existing(this.issued["2d"][cycle - c], c);
      if (instruction === null) continue;
      const { einsum, step: index, tile } = instruction;
      if (einsum === "BQK") {
        grid.south.feed(c, { tensor: "Q", tile: tile.index, index, value: buffer.q(tile, c, index) });
      } else if (einsum === "SLN" && index === 0) grid.south.feed(c, grid.takeAbove(c, tile.index, cycle));
    }
  }

  private deadlock(below: Issue, above: Issue): SpecError {
    const text = (state: Issue): string =>
      state.next ? `${state.next.einsum} of tile ${state.next.tile.index}` : "nothing more";
    return new SpecError({
      where: `schedule "${this.schedule.name}", cycle ${this.cycle}`,
      got: `a deadlock: the 2D array waits with ${text(above)}, the 1D array with ${text(below)}`,
      expected: "a schedule in which one of the arrays can go on",
    });
  }
}

const yielded = <T>(result: IteratorResult<T>): T | undefined => (result.done === true ? undefined : result.value);

const existing = (instruction: Instruction | null | undefined, column: number): Instruction | null =>
  instruction && column < instruction.tile.columns ? instruction : null;

/** The PE, but that a sum or a difference out of the accumulator's range (fp16) is an error. */
function checkedElement(pe: ProcessingElement): ProcessingElement {
  const { format } = pe;
  const limit = numberTypes[format.accumulator].largest;
  const check = (x: number): number => {
    if (Math.abs(x) <= limit) return x;
    throw new NumericsError({
      where: "register-level array",
      got: "a value out of the accumulator's range",
      expected: `magnitudes up to ${limit} in ${format.name}`,
      fix: "the emulator names tensor, tile and index",
    });
  };
  return {
    ...pe,
    mac: (s, a, b) => check(pe.mac(s, a, b)),
    add: (a, b) => check(pe.add(a, b)),
    subtract: (a, b) => check(pe.subtract(a, b)),
    mul: (a, b) => check(pe.mul(a, b)),
  };
}
