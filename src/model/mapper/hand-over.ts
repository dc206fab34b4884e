import { type FusedNest, handsOverAt } from "../../spec/fusion.js";
import type { FusedRead } from "../../spec/fusion-facts.js";
import type { Partitions } from "../../spec/mapping.js";
import type { OptionLibrary, PlacedOption } from "./option.js";
import { type LaidParts, nestOf, type Place } from "./place.js";
import type { MapperProblem } from "./problem.js";
import type { RankCut, Tiling } from "./tiling.js";

/** Where a tensor passes from one Einsum to another: below the buffer, in shared levels, or through DRAM. */
export type Nearness = "registers" | "buffer" | "dram";

/** Answers where one Einsum may hand a tensor to another under one tiling; remembers what it has answered. */
export class HandOver {
  private readonly nests = new Map<PlacedOption, FusedNest>();
  /** By the option that has a tensor, then by the one that takes it, the read and the levels. */
  private readonly known = new Map<PlacedOption, Map<number, boolean>>();
  private readonly partitions: Partitions;
  private readonly reads = new Map<string, number>();
  private readonly near = new Map<string, Nearness>();
  private readonly carried = new Map<string, boolean>();

  constructor(
    private readonly problem: MapperProblem,
    private readonly tiling: Tiling,
  ) {
    this.partitions = partitionsOf(problem, tiling);
  }

  private nest(option: PlacedOption): FusedNest {
    const found = this.nests.get(option);
    if (found !== undefined) return found;
    const { order, cut } = this.tiling;
    // A loop that does not iterate is in no file.
    const dealt = order.dealt.filter(rank => (cut[rank]?.outer ?? 1) > 1);
    const spec = nestOf(this.problem, option.einsum, option.place, { ...order, dealt }, {});
    const nest = { name: option.einsum.name, path: [], spec, levels: option.levelNames, partitions: this.partitions };
    this.nests.set(option, nest);
    return nest;
  }

  /**
   * Whether what `source` has at its level `from` is there for `reader` at its level `to`, every PE with what it works on.
   * @param isReader whether `source` has only read it too
   */
  at(source: PlacedOption, from: number, reader: PlacedOption, to: number, read: FusedRead, isReader = false): boolean {
    const name = `${read.name} ${read.when}`;
    const number = this.reads.get(name) ?? this.reads.size;
    this.reads.set(name, number);
    const ofSource = this.known.get(source) ?? new Map<number, boolean>();
    this.known.set(source, ofSource);
    const ends = (reader.id * 32 + from) * 32 + to;
    const key = (ends * 2 ** 10 + number) * 2 + (isReader ? 1 : 0);
    const known = ofSource.get(key);
    if (known !== undefined) return known;
    const [here, there] = [source.levelNames[from] as string, reader.levelNames[to] as string];
    const { compiled, facts } = this.problem;
    const { architecture } = compiled;
    const found =
      this.liesAlike(source, from, reader, to, read) &&
      handsOverAt(this.nest(source), here, this.nest(reader), there, read, architecture, facts, isReader);
    ofSource.set(key, found);
    return found;
  }

  /**
   * How near to the PEs a tensor can pass from one Einsum to another under any places of both.
   * @param isReader whether `source` has only read it too
   */
  nearest(library: OptionLibrary, source: number, reader: number, read: FusedRead, isReader = false): Nearness {
    const key = `${source} ${reader} ${read.name} ${isReader}`;
    const known = this.near.get(key);
    if (known !== undefined) return known;
    const options = (einsum: number): readonly PlacedOption[] =>
      library.suitedTo(einsum, this.tiling).map(place => library.option(einsum, place, this.tiling.order));
    const [sources, readers] = [options(source), options(reader)];
    const passes = (isTo: (level: number, option: PlacedOption) => boolean): boolean =>
      readers.some(option =>
        option.memories.some(
          to =>
            isTo(to, option) &&
            sources.some(own =>
              own.memories.some(from => isTo(from, own) && this.at(own, from, option, to, read, isReader)),
            ),
        ),
      );
    const found = passes((level, { buffer }) => level > buffer)
      ? "registers"
      : passes((level, { outermost }) => level >= outermost)
        ? "buffer"
        : "dram";
    this.near.set(key, found);
    return found;
  }

  /** Whether at some place the Einsum that makes what is carried can leave it where a reader at `level` finds it. */
  canCarry(library: OptionLibrary, maker: number, reader: PlacedOption, level: number, read: FusedRead): boolean {
    const key = `${reader.id} ${level} ${read.name}`;
    const known = this.carried.get(key);
    if (known !== undefined) return known;
    const found = library.suitedTo(maker, this.tiling).some(place => {
      const source = library.option(maker, place, this.tiling.order);
      return source.memories.some(from => this.at(source, from, reader, level, read));
    });
    this.carried.set(key, found);
    return found;
  }

  /** Within fan-outs a memory has what its own instance works on: the tensor's ranks have to lie over them alike. */
  private liesAlike(source: PlacedOption, from: number, reader: PlacedOption, to: number, read: FusedRead): boolean {
    const over = (option: PlacedOption, level: number): Place["over"] =>
      option.place.over.filter((_, i) => levelOf(option, i) < level);
    const [a, b] = [over(source, from), over(reader, to)];
    const ranks = this.problem.facts.ranks(read.tensor);
    const { ranks: all } = this.problem;
    const isOf = (laid: LaidParts | undefined): boolean => {
      const own = laid === undefined ? undefined : all[laid.rank];
      return own !== undefined && [own.whole, ...own.tile].some(name => ranks.includes(name));
    };
    const isSame = (x: LaidParts | undefined, y: LaidParts | undefined): boolean =>
      x === y || (x?.rank === y?.rank && x?.parts.join() === y?.parts.join());
    // A memory above some fan-outs (a row of registers that an array drains into) holds the words of all of them.
    const below = (option: PlacedOption, level: number): Place["over"] =>
      option.place.over.filter((_, i) => levelOf(option, i) > level);
    if (a.length === b.length) return a.every((laid, i) => isSame(laid, b[i]) || (!isOf(laid) && !isOf(b[i])));
    const [outer, inner] =
      a.length < b.length ? [below(source, from), b.slice(a.length)] : [below(reader, to), a.slice(b.length)];
    return inner.every(laid => !isOf(laid) || outer.some(other => isSame(laid, other)));
  }
}

/** The place of a fan-out of an option's array among its levels. */
const levelOf = ({ place, levelNames }: PlacedOption, fanout: number): number =>
  levelNames.indexOf(place.array.fanouts[fanout]?.level ?? "");

/**
 * Answers for tilings that differ in nothing but how often loops iterate, as long as they iterate, and that have use for the same places:
 * these share them.
 */
export class HandOvers {
  private readonly known = new Map<string, HandOver>();

  constructor(private readonly problem: MapperProblem) {}

  of(tiling: Tiling): HandOver {
    const { order, cut } = tiling;
    const iterating = cut.map(({ outer, middle, tile }) => [outer, middle, ...tile].map(n => (n > 1 ? 1 : 0)).join(""));
    // Tiles of one part fit every fan-out.
    const tiles = this.problem.tileParts === 1 ? "" : cut.map(({ tile }) => tile.join("x")).join();
    const key = `${order.outer} ${order.inner} ${order.dealt} ${iterating} ${tiles}`;
    const found = this.known.get(key) ?? new HandOver(this.problem, tiling);
    this.known.set(key, found);
    return found;
  }
}

/** The parts of ranks under a tiling; a part of one iteration has the bound 1. */
export function partitionsOf({ ranks }: MapperProblem, { cut }: Tiling): Partitions {
  return Object.fromEntries(
    ranks.map(({ whole, outer, middle, tile }, r) => {
      const own = cut[r] as RankCut;
      const within = Object.fromEntries(tile.map((part, k) => [part, own.tile[k] ?? 1]));
      return [whole, { [outer]: own.outer > 1 ? "rest" : 1, [middle]: own.middle, ...within }];
    }),
  );
}
