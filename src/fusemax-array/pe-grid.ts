import type { ProcessingElement } from "../numerics/pe.js";
import type { ScheduleMachine } from "../spec/schedule/machine.js";
import type { Exponential } from "./exponential.js";
import type { Instruction } from "./instruction.js";
import { conflict, Links, type Tagged } from "./links.js";
import { maximum, minusInfinity } from "./maximum.js";
import { RegisterFile } from "./register-file.js";

interface Waiting {
  readonly rm: Tagged;
  readonly from: number;
}

/**
 * The 2D array (FuseMax Fig. 3c and 5). Each PE has a latch on the link from the west, a register that the link from
 * the north writes, a register file, and one operation per cycle; it passes its west value east and one value south. A
 * second link per column, upward, takes RM from the 1D array to the top, where it turns and comes down like a query.
 */
export class PeGrid {
  readonly rows: number;
  readonly columns: number;
  /**
   * Into PE (r, c) from the west and the north, at r * columns + c; row `rows` of `south` is the link to the 1D array.
   */
  readonly west: Links;
  readonly south: Links;
  /** Into PE (r, c) from below, at r * columns + c; row 0 leaves into `above`. */
  readonly up: Links;
  /** RM values that have passed the top of their column and wait for the wave. */
  readonly above: Waiting[][];
  readonly files: readonly RegisterFile[];

  constructor(
    private readonly machine: ScheduleMachine,
    private readonly valueDim: number,
    private readonly pe: ProcessingElement,
    private readonly exp: Exponential,
  ) {
    const { rows, columns } = machine;
    this.rows = rows;
    this.columns = columns;
    const place = (i: number): string => `PE (${Math.floor(i / columns)}, ${i % columns})`;
    this.west = new Links(i => `${place(i)}, west latch`, rows * columns);
    this.south = new Links(
      i => (i < rows * columns ? `${place(i)}, north link` : `1D PE ${i - rows * columns}, link from the 2D array`),
      (rows + 1) * columns,
    );
    this.up = new Links(i => `${place(i)}, upward link`, rows * columns);
    this.above = Array.from({ length: columns }, () => []);
    this.files = Array.from(
      { length: rows * columns },
      (_, i) => new RegisterFile(`${place(i)}, registers`, machine.registers2d, 1),
    );
  }

  /** Sends RM of column c on its way: up the column link by link, or through the global buffer. */
  returnRm(c: number, rm: Tagged, cycle: number): void {
    const { rmReturn } = this.machine;
    if (rmReturn.by === "columns") this.up.drive((this.rows - 1) * this.columns + c, rm, cycle);
    else (this.above[c] as Waiting[]).push({ rm, from: cycle + 1 + rmReturn.latencyCycles });
  }

  /** Whether RM of the tile is above column c, ready to enter. */
  isAbove(c: number, tile: number, cycle: number): boolean {
    const first = this.above[c]?.[0];
    return first !== undefined && first.rm.tile === tile && first.from <= cycle;
  }

  takeAbove(c: number, tile: number, cycle: number): Tagged {
    const first = this.above[c]?.[0];
    if (first === undefined || !this.isAbove(c, tile, cycle)) {
      const got = first === undefined ? "nothing" : `RM of tile ${first.rm.tile}`;
      throw conflict(cycle, `above column ${c}`, { got, expected: `RM of tile ${tile}` });
    }
    this.above[c]?.shift();
    return first.rm;
  }

  /** Ends the cycle: latches take what their links carry, and what climbs goes one PE up. */
  step(cycle: number): void {
    const { rows, columns } = this;
    for (let i = 0; i < rows * columns; i++) {
      const rm = this.up.at(i);
      if (rm === undefined) continue;
      if (i >= columns) this.up.drive(i - columns, rm, cycle);
      else (this.above[i] as Waiting[]).push({ rm, from: cycle + 1 });
    }
    for (const links of [this.west, this.south, this.up]) links.step();
  }

  /** Checks every register file at the end of the cycle. */
  settle(cycle: number): void {
    for (const file of this.files) file.settle(cycle);
  }

  /** One cycle of PE (r, c). */
  execute(r: number, c: number, { einsum, step, tile }: Instruction, cycle: number): void {
    const at = r * this.columns + c;
    const file = this.files[at] as RegisterFile;
    const exists = r < tile.rows;
    const t = tile.index;
    const { pe } = this;
    const fromNorth = (tensor: string, index: number): number => this.south.read(at, tensor, t, index, cycle);
    const fromWest = (tensor: string, index: number): number => this.west.read(at, tensor, t, index, cycle);
    const passEast = (tensor: string, index: number, value: number): void => {
      if (c + 1 < tile.columns) this.west.drive(at + 1, { tensor, tile: t, index, value }, cycle);
    };
    const sendSouth = (tensor: string, index: number, value: number): void =>
      this.south.drive(at + this.columns, { tensor, tile: t, index, value }, cycle);
    /** Operands end in the last row; sums and maxima go on to the 1D array. */
    const passSouth = (tensor: string, index: number, value: number): void => {
      if (r + 1 < this.rows) sendSouth(tensor, index, value);
    };

    switch (einsum) {
      case "BQK": {
        const q = fromNorth("Q", step);
        passSouth("Q", step, q);
        if (!exists) return;
        const k = fromWest("BK", step);
        passEast("BK", step, k);
        file.write("BQK", t, pe.mac(step === 0 ? 0 : file.read("BQK", t, cycle), q, k));
        return;
      }
      case "LM": {
        const above = r === 0 ? null : fromNorth("LM", 0);
        const own = exists && tile.sees(r, c) ? file.read("BQK", t, cycle) : minusInfinity;
        sendSouth("LM", 0, maximum(pe, above ?? minusInfinity, own));
        return;
      }
      case "SLN": {
        if (step > 0) {
          if (exists) this.exp.step(file, "SLN", step, t, cycle);
          return;
        }
        const rm = fromNorth("RM", 0);
        passSouth("RM", 0, rm);
        if (!exists) return;
        const score = file.take("BQK", t, cycle);
        // exp(-∞) is 0: a key that is hidden from the query adds nothing.
        file.write("x", t, tile.sees(r, c) ? pe.subtract(score, rm) : minusInfinity);
        return;
      }
      case "SLD": {
        const sum = r === 0 ? 0 : fromNorth("SLD", 0);
        sendSouth("SLD", 0, exists ? pe.add(sum, file.read("SLN", t, cycle)) : sum);
        if (exists) file.release("SLN", t);
        return;
      }
      case "SLNV": {
        const sum = r === 0 ? 0 : fromNorth("SLNV", step);
        if (!exists) {
          sendSouth("SLNV", step, sum);
          return;
        }
        const v = fromWest("BV", step);
        passEast("BV", step, v);
        sendSouth("SLNV", step, pe.mac(sum, file.read("SLN", t, cycle), v));
        if (step === this.valueDim - 1) file.release("SLN", t);
        return;
      }
      default:
        throw new Error(`${einsum} is no Einsum of the 2D array`);
    }
  }
}
