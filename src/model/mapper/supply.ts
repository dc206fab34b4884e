import type { FusedRead } from "../../spec/fusion-facts.js";
import type { CostTable } from "./cost-table.js";
import type { HandOver } from "./hand-over.js";
import type { OptionLibrary, PlacedOption, TensorCost } from "./option.js";
import type { MapperProblem } from "./problem.js";

/** A way in which an Einsum gets a tensor: the levels that keep it, and the level at which its maker must have it. */
export interface Supply {
  readonly kept: number;
  readonly maker: number;
  readonly level: number;
  readonly cost: TensorCost;
}

/** An Einsum that has its place, and the levels that keep what it reads, as bits. */
export interface Chosen {
  readonly option: PlacedOption;
  readonly inputs: readonly number[];
}

/** How the Einsums of a block under one tiling come by what they read, and where they leave what they make. */
export class Supplies {
  constructor(
    private readonly problem: MapperProblem,
    private readonly library: OptionLibrary,
    private readonly from: number,
    private readonly to: number,
    private readonly table: CostTable,
    private readonly handOver: HandOver,
  ) {}

  /** Every way for the Einsum `i` at a place to get its tensor `t`. */
  of(
    chosen: readonly Chosen[],
    option: PlacedOption,
    i: number,
    t: number,
    read: FusedRead | undefined,
  ): readonly Supply[] {
    const supply = (kept: number, maker = -1, level = -1): Supply => ({
      kept,
      maker,
      level,
      cost: this.table.tensor(option, t, kept),
    });
    const maker = read === undefined ? -1 : this.problem.makerOf(read.tensor);
    if (read === undefined || maker < this.from || maker >= this.to) return option.fromDram.map(kept => supply(kept));
    const registers = 1 << option.registers;
    // What is carried from a later Einsum: that one is asked when it comes.
    if (maker === i) {
      return option.memories.flatMap(level => {
        const from = option.memories.findLast(m => this.handOver.at(option, m, option, level, read));
        return from === undefined ? [] : waysFrom(option, level).map(kept => supply(kept, i, from));
      });
    }
    if (maker > i) {
      const levels = option.memories.filter(level => this.handOver.canCarry(this.library, maker, option, level, read));
      return levels.flatMap(level => waysFrom(option, level)).map(kept => supply(kept));
    }
    const source = (chosen[maker - this.from] as Chosen).option;
    const found: Supply[] = [];
    for (const level of [...option.memories].reverse()) {
      const from = source.memories.findLast(m => this.handOver.at(source, m, option, level, read));
      if (from !== undefined) {
        // From registers to registers of the same PE nothing more is moved: no other way takes less.
        if (level === option.registers && from === source.registers) return [supply(registers, maker, from)];
        for (const kept of waysFrom(option, level)) found.push(supply(kept, maker, from));
      } else if (this.isLeft(chosen, chosen.length, option, level, read)) found.push(supply((1 << level) | registers));
    }
    return found;
  }

  /** Whether one of the first Einsums of the block has had the same there. */
  private isLeft(
    chosen: readonly Chosen[],
    first: number,
    option: PlacedOption,
    level: number,
    read: FusedRead,
  ): boolean {
    return chosen.slice(0, first).some(({ option: other, inputs }) => {
      const t = other.tensors.indexOf(read.name);
      if (t < 0 || t >= inputs.length) return false;
      return other.memories.some(
        from =>
          ((inputs[t] as number) & (1 << from)) !== 0 &&
          this.handOver.at(other, from, option, level, { ...read, when: "now" }, true),
      );
    });
  }

  /** Where an Einsum may keep what it makes: for readers outside the block, and for those to which it carries something. */
  outputs(chosen: readonly Chosen[], option: PlacedOption): readonly number[] {
    const tensor = option.einsum.placed.output;
    const base = this.problem.leaves(tensor, this.from, this.to) ? option.fromDram : [1 << option.registers];
    let needed = 0;
    for (const [e, { option: reader, inputs }] of chosen.entries()) {
      for (const read of this.problem.facts.reads(reader.einsum.name)) {
        if (read.tensor !== tensor || read.when !== "carried") continue;
        const kept = inputs[reader.tensors.indexOf(read.name)] as number;
        const level = reader.memories.find(m => (kept & (1 << m)) !== 0) as number;
        const from = option.memories.findLast(m => this.handOver.at(option, m, reader, level, read));
        if (from !== undefined) needed |= 1 << from;
        else if (!this.isLeft(chosen, e, reader, level, read)) return [];
      }
    }
    return base.map(kept => kept | needed);
  }
}

/** Levels that keep what comes from a level: that one and the registers, and what comes from DRAM perhaps the buffer. */
function waysFrom(option: PlacedOption, level: number): readonly number[] {
  if (level === 0) return option.fromDram;
  // From the outermost shared level perhaps through the buffer.
  if (level === option.outermost && level !== option.buffer) {
    return option.onChip.filter(kept => (kept & (1 << level)) !== 0);
  }
  return [(1 << level) | (1 << option.registers)];
}
