import type { ProcessingElement } from "../numerics/pe.js";
import type { ScheduleMachine } from "../spec/schedule/machine.js";
import type { Exponential } from "./exponential.js";
import type { GlobalBuffer } from "./global-buffer.js";
import type { Instruction } from "./instruction.js";
import type { Links, Tagged } from "./links.js";
import { maximum, minusInfinity } from "./maximum.js";
import { RegisterFile } from "./register-file.js";

/** What the 1D array needs around it. */
export interface PeRowSurroundings {
  /** The links from the 2D array's last row; PE c of the 1D array has link `first + c`. */
  readonly links: Links;
  readonly first: number;
  readonly buffer: GlobalBuffer;
  /** Sends RM of column c on its way back up. */
  readonly returnRm: (c: number, rm: Tagged, cycle: number) => void;
  /** Takes one element of the output. */
  readonly writeAv: (instruction: Instruction, c: number, f: number, value: number, cycle: number) => void;
}

/**
 * The 1D array: one PE under each column. What comes down is used in the cycle in which it is in the latch, or put
 * into the register file at the cycle's end. RM, RD and RNV live in the global buffer between key tiles.
 */
export class PeRow {
  readonly files: readonly RegisterFile[];

  constructor(
    private readonly machine: ScheduleMachine,
    private readonly valueDim: number,
    private readonly pe: ProcessingElement,
    private readonly exp: Exponential,
    private readonly around: PeRowSurroundings,
  ) {
    this.files = Array.from(
      { length: machine.columns },
      (_, c) => new RegisterFile(`1D PE ${c}, registers`, machine.registers1d),
    );
  }

  /** True where the value has come down to column c: it is in the latch or in a register. */
  hasCome(c: number, tensor: string, tile: number, index: number): boolean {
    const latch = this.around.links.at(this.around.first + c);
    const inLatch = latch !== undefined && latch.tensor === tensor && latch.tile === tile && latch.index === index;
    return inLatch || (this.files[c] as RegisterFile).has(tensor, tile, index);
  }

  /** One cycle of 1D PE c; `instruction` is null in an idle one. */
  execute(c: number, instruction: Instruction | null, cycle: number): void {
    const file = this.files[c] as RegisterFile;
    const latch = this.around.links.at(this.around.first + c);
    let used = false;
    if (instruction !== null) {
      used = this.operate(c, file, latch, instruction, cycle);
    }
    if (latch !== undefined && !used) file.write(latch.tensor, latch.tile, latch.value, 1, latch.index);
    file.settle(cycle);
  }

  /** Does the operation; true where it used the value in the latch. */
  private operate(
    c: number,
    file: RegisterFile,
    latch: Tagged | undefined,
    instruction: Instruction,
    cycle: number,
  ): boolean {
    const { einsum, step, tile } = instruction;
    const t = tile.index;
    const { pe } = this;
    const { buffer } = this.around;
    const queries = { head: tile.head, queryTile: tile.queryTile, column: c };
    let used = false;
    const fromAbove = (tensor: string, index: number): number => {
      if (latch?.tensor === tensor && latch.tile === t && latch.index === index) {
        used = true;
        return latch.value;
      }
      return file.take(tensor, t, cycle, index);
    };
    /** What the previous key tile left; nothing before the first. */
    const carried = (tensor: "RM" | "RD" | "RNV", index: number): number | null =>
      tile.firstKeys ? null : buffer.read(tensor, queries, index, tile.keyTile - 1, cycle);
    const store = (tensor: "RM" | "RD" | "RNV", index: number, value: number): void =>
      buffer.write(tensor, queries, index, tile.keyTile, value, cycle);

    switch (einsum) {
      case "RM": {
        const lm = fromAbove("LM", 0);
        const old = carried("RM", 0);
        const rm = maximum(pe, old ?? minusInfinity, lm);
        file.write("old RM", t, old ?? minusInfinity);
        file.write("RM", t, rm);
        store("RM", 0, rm);
        this.around.returnRm(c, { tensor: "RM", tile: t, index: 0, value: rm }, cycle);
        break;
      }
      case "PRM":
        if (step === 0) {
          const [old, rm] = [file.take("old RM", t, cycle), file.take("RM", t, cycle)];
          // exp(-∞) is 0: before the first key there is nothing to correct.
          file.write("x", t, old === minusInfinity ? minusInfinity : pe.subtract(old, rm));
        } else this.exp.step(file, "PRM", step, t, cycle);
        break;
      case "SPD": {
        const prm = file.take("PRM", t, cycle);
        file.write("SPD", t, pe.mul(carried("RD", 0) ?? 0, prm));
        break;
      }
      case "RD":
        store("RD", 0, pe.add(fromAbove("SLD", 0), file.take("SPD", t, cycle)));
        break;
      case "SPNV": {
        const prm = file.read("PRM", t, cycle);
        if (step === this.valueDim - 1) file.release("PRM", t);
        file.write("SPNV", t, pe.mul(carried("RNV", step) ?? 0, prm), 1, step);
        break;
      }
      case "RNV":
        store("RNV", step, pe.add(fromAbove("SLNV", step), file.take("SPNV", t, cycle, step)));
        break;
      case "AV": {
        const { divideCycles } = this.machine;
        const f = Math.floor(step / divideCycles);
        if (step === 0) file.write("RD", t, buffer.read("RD", queries, 0, tile.keyTile, cycle));
        const rd = file.read("RD", t, cycle);
        if (step % divideCycles === divideCycles - 1) {
          const rnv = buffer.read("RNV", queries, f, tile.keyTile, cycle);
          // A query without keys has summed nothing, and gives +0.
          this.around.writeAv(instruction, c, f, rd === 0 ? 0 : pe.div(rnv, rd), cycle);
          if (f === this.valueDim - 1) file.release("RD", t);
        }
        break;
      }
      default:
        throw new Error(`${einsum} is no Einsum of the 1D array`);
    }
    return used;
  }
}
