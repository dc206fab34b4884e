import type { EinsumMapping } from "../../spec/mapping.js";
import { countLaid, type Laid, layOut } from "../action-counts.js";
import type { CompiledEinsum } from "../compile-einsum.js";
import type { CompiledLevel } from "../compile-levels.js";
import { type AccessOfBits, accessCosts, einsumEnergy } from "../energy.js";
import { hasTimedLevels, joinedUse, type LevelUse, levelUseOf } from "../level-use.js";
import { hasStandingEnergy, linkEnergy } from "../standing-energy.js";
import { instances } from "../timing.js";
import { dramBytes } from "../traffic.js";
import { type LoopOrder, nestOf, type Place, placesOf } from "./place.js";
import type { MapEinsum, MapperProblem } from "./problem.js";
import { SuitedPlaces } from "./suited-places.js";
import type { Tiling } from "./tiling.js";

/** What keeping a tensor at some levels costs, at given sizes. */
export interface TensorCost {
  readonly energyPj: number;
  readonly dramBytes: number;
  /** Bytes of its tile in the shared levels (words in a register file), by their places among the architecture's, and the seat that it takes there. */
  readonly held: readonly { readonly level: number; readonly room: number; readonly isFile: boolean }[];
  readonly seat: number;
  /** What it asks of the levels; undefined where none says how fast it is. */
  readonly use: LevelUse | undefined;
}

/** One Einsum at one place under one order of loops, ready to be counted at any sizes. */
export interface PlacedOption {
  readonly id: number;
  readonly einsum: MapEinsum;
  readonly place: Place;
  /** Its memories, from DRAM down, by their place among the levels; the last are its registers. */
  readonly memories: readonly number[];
  readonly registers: number;
  /** The places of its buffer and of the outermost shared level, which may be the same. */
  readonly buffer: number;
  readonly outermost: number;
  /** What keeps a tensor that comes from DRAM, as bits: straight to the registers, or through shared levels. */
  readonly fromDram: readonly number[];
  /** What keeps one that passes in shared levels. */
  readonly onChip: readonly number[];
  /** Of `fromDram` what a limited search tries: the outermost and the innermost shared level or not, all between. */
  readonly usual: readonly number[];
  readonly levelNames: readonly string[];
  readonly tensors: readonly string[];
  /** Busy cycles, and picojoules of its operations. */
  work(values: Float64Array): { readonly cycles: number; readonly energyPj: number };
  /** The cost of one of its tensors, kept at some levels (their places, outermost first). */
  tensor(t: number, kept: readonly number[], values: Float64Array, costs: readonly AccessOfBits[]): TensorCost;
}

/** Options by Einsum, place and order: compiled when they are asked for, once. */
export class OptionLibrary {
  private readonly known = new Map<string, PlacedOption>();
  private readonly suited: readonly SuitedPlaces[];

  constructor(private readonly problem: MapperProblem) {
    this.suited = problem.einsums.map((einsum, e) => new SuitedPlaces(problem, e, placesOf(problem, einsum)));
  }

  placesOf(einsum: number): readonly Place[] {
    return this.suitedPlaces(einsum).places;
  }

  /** The places of an Einsum by the tiles that have use for them. */
  suitedPlaces(einsum: number): SuitedPlaces {
    return this.suited[einsum] as SuitedPlaces;
  }

  /** The places of an Einsum that a tiling has use for, by their numbers. */
  suitedTo(einsum: number, tiling: Pick<Tiling, "cut">): readonly number[] {
    return this.suitedPlaces(einsum).of(tiling);
  }

  /** What an Einsum reads, each once, and what it makes. */
  tensorsOf(einsum: number): readonly string[] {
    const { name } = this.problem.einsums[einsum] as MapEinsum;
    const { inputs, output } = this.problem.compiled.mapping.einsums[name] as EinsumMapping;
    return [...new Set([...inputs, output])];
  }

  option(einsum: number, place: number, order: LoopOrder): PlacedOption {
    const own = this.problem.einsums[einsum] as MapEinsum;
    const has = (rank: number): boolean => own.ranks.some(r => r.rank === rank);
    const reduced = { outer: order.outer.filter(has), inner: order.inner.filter(has), dealt: order.dealt.filter(has) };
    const key = `${einsum} ${place} ${reduced.outer} ${reduced.inner} ${reduced.dealt}`;
    const found =
      this.known.get(key) ??
      makeOption(this.problem, own, this.placesOf(einsum)[place] as Place, reduced, this.known.size);
    this.known.set(key, found);
    return found;
  }
}

function makeOption(
  problem: MapperProblem,
  einsum: MapEinsum,
  place: Place,
  order: LoopOrder,
  id: number,
): PlacedOption {
  const { compiled, region, dram, accounting } = problem;
  const { registers, levels } = place.array;
  const bare = nestOf(problem, einsum, place, order, {});
  const tensors = [...new Set([...bare.inputs, bare.output])];
  const whole = compiled.compileMore(einsum.name, { ...bare, keep: { [dram]: tensors, [registers]: tensors } });
  const options = {
    allInstances: accounting.corrections.includes("register-energy"),
    overflow: !accounting.corrections.includes("first-reads") && region === undefined,
  };
  /** Words that a register file has room for; one that an array drains into is that of all its lanes. */
  const roomAt = (level: CompiledLevel | undefined, values: Float64Array): number => {
    if (level?.spec.kind !== "registers") return Number.POSITIVE_INFINITY;
    const depth = level.fields.get("depth")?.(values) ?? 0;
    const { sameAs } = level.spec;
    return sameAs === undefined
      ? depth
      : (depth * instances(compiled, sameAs, values)) / instances(compiled, level.name, values);
  };
  const without: CompiledEinsum = { ...whole, operations: [] };
  const memories = levels.flatMap((level, i) => (compiled.architecture.levels[level]?.kind === "fanout" ? [] : [i]));
  const [isTimed, hasLinks] = [hasTimedLevels(compiled), hasStandingEnergy(compiled)];
  const buffer = levels.indexOf(place.array.buffer);
  const sharedLevels = place.array.shared.map(level => levels.indexOf(level));
  const outermost = sharedLevels[0] ?? buffer;
  const own = 1 << (levels.length - 1);
  // All sets of them but the empty one, those with the innermost alone first.
  const onChip = subsetsOf([...sharedLevels].reverse()).map(kept => kept | own);
  const fromDram = [own, ...onChip].map(kept => 1 | kept);
  const between = sharedLevels.slice(1, -1).reduce((kept, level) => kept | (1 << level), 0);
  let laidFor: { readonly key: string; readonly laid: Laid } | undefined;
  const laidAt = (values: Float64Array): Laid => {
    const key = compiled.variableSlots.map(slot => values[slot]).join();
    if (laidFor?.key !== key) laidFor = { key, laid: layOut(compiled, whole, values, region, 0) };
    // Einsums share the tables of their ranks: those of other sizes are brought up to date.
    else layOut(compiled, whole, values, undefined, 0);
    return laidFor.laid;
  };
  return {
    id,
    einsum,
    place,
    memories,
    registers: levels.length - 1,
    buffer,
    outermost,
    fromDram,
    onChip,
    usual: fromDram.filter(kept => (kept & between) === between),
    levelNames: levels,
    tensors,
    work(values) {
      const laid = laidAt(values);
      // No tensors: what they cost is asked for one by one.
      const einsum = { ...whole, seats: [], bits: [], shape: { ...whole.shape, tensors: [] } };
      const bare: Laid = { ...laid, einsum, shape: { ...laid.shape, tensors: [] }, kept: [] };
      const counts = countLaid(compiled, bare, values, options);
      return { cycles: counts.cycles, energyPj: einsumEnergy(compiled, counts, 0, accessCosts(compiled, values)) };
    },
    tensor(t, kept, values, costs) {
      const laid = laidAt(values);
      const own: Laid = {
        ...laid,
        einsum: {
          ...without,
          seats: [whole.seats[t] as number],
          bits: [only(whole.bits, t)],
          shape: { ...whole.shape, tensors: [only(whole.shape.tensors, t)] },
        },
        shape: { ...laid.shape, tensors: [only(laid.shape.tensors, t)] },
        kept: [kept],
      };
      const counts = countLaid(compiled, own, values, options);
      const words = counts.tiles[0] ?? [];
      if (kept.some((level, k) => (words[k] ?? 0) > roomAt(whole.path[level], values))) return tooLarge;
      const bytes = dramBytes(counts);
      const links = hasLinks ? linkEnergy(own, values).reduce((sum, [, pj]) => sum + pj, 0) : 0;
      const held = kept.flatMap((level, k) => {
        const { spec, index } = whole.path[level] as CompiledLevel;
        const own = words[k] ?? 0;
        if (spec.kind !== "sram") return level === buffer ? [{ level: index, room: own, isFile: true }] : [];
        const copies = k > 0 && spec.buffering === "double" ? 2 : 1;
        return [{ level: index, room: copies * own * ((counts.bits[0] ?? 0) / 8), isFile: false }];
      });
      return {
        energyPj: einsumEnergy(compiled, counts, bytes, costs) + links,
        dramBytes: bytes,
        held,
        seat: whole.seats[t] as number,
        use: isTimed ? levelUseOf(compiled, own, counts, values) : undefined,
      };
    },
  };
}

/** Whether the architecture says of any shared level how its tiles are buffered. */
export const saysBuffering = ({ compiled }: MapperProblem): boolean =>
  [...compiled.levels.values()].some(({ spec }) => spec.kind === "sram" && spec.buffering !== undefined);

/** What some tensors ask of the levels besides what was asked before. */
export const usedBy = (before: LevelUse | undefined, costs: readonly TensorCost[]): LevelUse =>
  costs.reduce(
    (sum, { use }) => (use === undefined ? sum : joinedUse(sum, use)),
    before ?? { bytes: {}, waitCycles: 0, latencyCycles: 0 },
  );

/** What a register file has no room for is kept at no price. */
const tooLarge: TensorCost = {
  energyPj: Number.POSITIVE_INFINITY,
  dramBytes: 0,
  held: [],
  seat: 0,
  use: undefined,
};

const only = <T>(list: readonly T[], i: number): T => list[i] as T;

/** The sets of some levels as bits, the empty one left out. */
const subsetsOf = (levels: readonly number[]): readonly number[] =>
  Array.from({ length: 2 ** levels.length - 1 }, (_, i) =>
    levels.reduce((kept, level, k) => (((i + 1) >>> k) & 1 ? kept | (1 << level) : kept), 0),
  );

/** The levels of a set, outermost first. */
export function levelsIn(kept: number): readonly number[] {
  const levels: number[] = [];
  for (let level = 0; kept >>> level !== 0; level++) if ((kept & (1 << level)) !== 0) levels.push(level);
  return levels;
}
