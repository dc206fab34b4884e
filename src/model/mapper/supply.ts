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
  /** Whether with many shared levels only usual ways are tried: what passes between Einsums passes as far inside as it can. */
  private readonly isUsual: boolean;

  constructor(
    private readonly problem: MapperProblem,
    private readonly library: OptionLibrary,
    private readonly from: number,
    private readonly to: number,
    private readonly table: CostTable,
    private readonly handOver: HandOver,
    isLimited: boolean,
  ) {
    this.isUsual = isLimited && problem.arrays.some(({ shared }) => shared.length > 2);
  }

  private fromDram(option: PlacedOption): readonly number[] {
    return this.isUsual ? option.usual : option.fromDram;
  }

  /** Of ways by the memory that they pass, outermost first, those that are tried. */
  private innermost(ways: readonly (readonly Supply[])[]): readonly (readonly Supply[])[] {
    return this.isUsual ? ways.filter(own => own.length > 0).slice(-1) : ways;
  }

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
    if (read === undefined || maker < this.from || maker >= this.to) {
      return this.fromDram(option).map(kept => supply(kept));
    }
    const registers = 1 << option.registers;
    // What is carried from a later Einsum: that one is asked when it comes.
    if (maker === i) {
      const own = option.memories.map(level => {
        const from = option.memories.findLast(m => this.handOver.at(option, m, option, level, read));
        return from === undefined ? [] : waysFrom(option, level).map(kept => supply(kept, i, from));
      });
      return this.innermost(own).flat();
    }
    if (maker > i) {
      const levels = option.memories.filter(level => this.handOver.canCarry(this.library, maker, option, level, read));
      return this.innermost(levels.map(level => waysFrom(option, level).map(kept => supply(kept)))).flat();
    }
    const source = (chosen[maker - this.from] as Chosen).option;
    const found: Supply[] = [];
    for (const level of [...option.memories].reverse()) {
      const from = source.memories.findLast(m => this.handOver.at(source, m, option, level, read));
      if (from !== undefined) {
        // From registers to registers of the same PE nothing more is moved: no other way takes less.
        if (level === option.registers && from === source.registers) return [supply(registers, maker, from)];
        for (const kept of waysFrom(option, level)) found.push(supply(kept, maker, from));
        if (this.isUsual) return found;
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

  /** Every way for a part of an Einsum to get what the part before it has begun; the levels that have to keep it are among `kept`. */
  ofPart(chosen: readonly Chosen[], option: PlacedOption, i: number): readonly Supply[] {
    const source = (chosen[i - 1 - this.from] as Chosen).option;
    const tensor = option.einsum.placed.output;
    const read: FusedRead = { name: tensor, tensor, when: "now" };
    const found = option.memories.map((level): readonly Supply[] => {
      const from = source.memories.findLast(m => this.handOver.at(source, m, option, level, read));
      return from === undefined ? [] : [{ kept: 1 << level, maker: i - 1, level: from, cost: nothing }];
    });
    return this.innermost(found).flat();
  }

  /** Where an Einsum may keep what it makes: for readers outside the block, and for those to which it carries something. */
  outputs(chosen: readonly Chosen[], option: PlacedOption, i: number): readonly number[] {
    const tensor = option.einsum.placed.output;
    const leaves = !this.problem.goesOn(i) && this.problem.leaves(tensor, this.from, this.to);
    const base = leaves ? this.fromDram(option) : [1 << option.registers];
    let needed = 0;
    // What is carried is what the last part makes.
    if (this.problem.goesOn(i)) return base;
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

/** Levels that have to keep what an Einsum makes: what it carries to itself, and what a part before it has begun, which follows its `out` inputs. */
export const keptWith = (supplies: readonly Supply[], i: number, out: number): number =>
  supplies.reduce(
    (levels, { maker, level, kept }, t) => (t === out ? levels | kept : maker === i ? levels | (1 << level) : levels),
    0,
  );

/** What is asked for with the output: it costs nothing besides. */
const nothing: TensorCost = { energyPj: 0, dramBytes: 0, held: [], seat: 0, use: undefined };

/** Levels that keep what comes from a level: that one and the registers, and perhaps shared levels between; what comes from DRAM perhaps none. */
function waysFrom(option: PlacedOption, level: number): readonly number[] {
  if (level === 0) return option.fromDram;
  const own = 1 << level;
  if (level < option.outermost || level > option.buffer) return [own | (1 << option.registers)];
  return option.onChip.filter(kept => (kept & own) !== 0 && (kept & (own - 1)) === 0);
}
