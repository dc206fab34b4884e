import type { FusedRead } from "../../spec/fusion-facts.js";
import { type CostTable, sizesOf } from "./cost-table.js";
import type { HandOver, Nearness } from "./hand-over.js";
import type { OptionLibrary, TensorCost } from "./option.js";
import type { MapEinsum, MapperProblem } from "./problem.js";
import type { Tiling } from "./tiling.js";

/** What the Einsums from a place in a block on take at the least. */
export interface Bounds {
  /** By the number of Einsums that are done. */
  readonly after: readonly {
    readonly energyPj: number;
    readonly dramBytes: number;
    /** Cycles by array: sets of which every assignment of the Einsums to arrays is above one. */
    readonly cycles: readonly Float64Array[];
  }[];
}

/** What one Einsum takes at the least: energy and traffic, each at its best place, and by array its cycles. */
export interface LeastOfEinsum {
  readonly energyPj: number;
  readonly dramBytes: number;
  readonly least: readonly (readonly [array: number, cycles: number])[];
}

/** Tilings that cut the ranks of an Einsum alike share what it takes; so many are remembered. */
const mostRemembered = 100_000;

/** Vectors that are kept of those that no other is below; beyond, the least of each entry stands for the rest. */
const mostVectors = 64;

/**
 * Bounds from below for a block under a tiling: each Einsum at its best place, its tensors at their best levels.
 * @param placesOf the places that are thought of, by their numbers
 * @param remembered what Einsums take under `table`'s costs, from one tiling to the next
 */
export function boundsOf(
  problem: MapperProblem,
  library: OptionLibrary,
  from: number,
  to: number,
  tiling: Tiling,
  table: Pick<CostTable, "work" | "tensor">,
  handOver: Pick<HandOver, "nearest">,
  remembered?: Map<string, LeastOfEinsum>,
  placesOf = (einsum: number): readonly number[] => library.suitedTo(einsum, tiling),
): Bounds {
  const { arrays, facts } = problem;
  const after: Bounds["after"][number][] = [{ energyPj: 0, dramBytes: 0, cycles: [new Float64Array(arrays.length)] }];
  const fits = ({ held }: TensorCost): boolean =>
    held.every(({ level, room }) => room <= (problem.capacities.get(level) ?? 0));
  const readsOf = (i: number): readonly FusedRead[] => facts.reads((problem.einsums[i] as MapEinsum).name);
  /** How near an Einsum of the block can find what another makes: where that leaves it, or where a third has read it before. */
  const wayOf = (maker: number, reader: number, read: FusedRead, isEverLeft: boolean): Nearness => {
    const others = isEverLeft ? range(from, reader).filter(i => readsOf(i).some(({ name }) => name === read.name)) : [];
    const left = others.map(i => handOver.nearest(library, i, reader, { ...read, when: "now" }, true));
    return nearestOf([...left, handOver.nearest(library, maker, reader, read)]);
  };
  /** The part of an Einsum that follows it takes what it has begun; what is made is what the last part makes. */
  const readersOf = (i: number, tensor: string): readonly Nearness[] =>
    problem.goesOn(i)
      ? [handOver.nearest(library, i, i + 1, { name: tensor, tensor, when: "now" })]
      : range(from, to).flatMap(reader =>
          readsOf(reader).flatMap(read => (read.tensor === tensor ? [wayOf(i, reader, read, true)] : [])),
        );
  /** Per tensor of an Einsum: whether it comes from outside of the block or leaves it, and how near it can be handed on. */
  const waysOf = (i: number, tensors: readonly string[]) =>
    tensors.map((tensor, t): { readonly isOutside: boolean; readonly near: Nearness } => {
      if (t === tensors.length - 1) {
        const isOutside = !problem.goesOn(i) && problem.leaves(tensor, from, to);
        return { isOutside, near: farthestOf(readersOf(i, tensor)) };
      }
      const read = readsOf(i).find(({ name }) => name === tensor);
      const maker = problem.makerOf(read?.tensor ?? tensor);
      const isOutside = maker < from || maker >= to;
      return { isOutside, near: isOutside || read === undefined ? "registers" : wayOf(maker, i, read, maker < i) };
    });
  const leastOfEinsum = (i: number): LeastOfEinsum => {
    const einsum = problem.einsums[i] as MapEinsum;
    const ways = waysOf(i, library.tensorsOf(i));
    const own = (ranks: readonly number[]): readonly number[] =>
      ranks.filter(rank => einsum.ranks.some(r => r.rank === rank));
    const said = ways.map(({ isOutside, near }) => (isOutside ? "outside" : near)).join();
    const key = `${i} ${said} ${own(tiling.order.outer)} ${own(tiling.order.inner)} ${own(tiling.order.dealt)} ${sizesOf(einsum, tiling)}`;
    const known = remembered?.get(key);
    if (known !== undefined) return known;
    let [energyPj, dramBytes] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    const least = new Map<number, number>();
    for (const p of placesOf(i)) {
      const option = library.option(i, p, tiling.order);
      const work = table.work(option);
      let [energy, bytes] = [work.energyPj, 0];
      ways.forEach(({ isOutside, near }, t) => {
        const isNear = !isOutside && near === "buffer";
        const onChip = isNear ? option.onChip.filter(kept => fits(table.tensor(option, t, kept))) : [];
        const isDirect = !isOutside && near === "registers";
        const keeps = isDirect ? [1 << option.registers] : [...onChip, ...option.fromDram];
        const costs = keeps.map(kept => table.tensor(option, t, kept));
        energy += Math.min(...costs.map(c => c.energyPj));
        bytes += Math.min(...costs.map(c => c.dramBytes));
      });
      energyPj = Math.min(energyPj, energy);
      dramBytes = Math.min(dramBytes, bytes);
      const array = arrays.indexOf(option.place.array);
      least.set(array, Math.min(least.get(array) ?? Number.POSITIVE_INFINITY, work.cycles));
    }
    const found = { energyPj, dramBytes, least: [...least] };
    if ((remembered?.size ?? 0) >= mostRemembered) remembered?.clear();
    remembered?.set(key, found);
    return found;
  };
  for (let i = to - 1; i >= from; i -= 1) {
    const { energyPj, dramBytes, least } = leastOfEinsum(i);
    const rest = after[0] as Bounds["after"][number];
    const vectors = rest.cycles.flatMap(vector =>
      least.map(([array, cycles]) => {
        const more = Float64Array.from(vector);
        more[array] = (more[array] as number) + cycles;
        return more;
      }),
    );
    after.unshift({
      energyPj: rest.energyPj + energyPj,
      dramBytes: rest.dramBytes + dramBytes,
      cycles: lowest(vectors),
    });
  }
  return { after };
}

const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from }, (_, i) => from + i);

const nearnesses: readonly Nearness[] = ["registers", "buffer", "dram"];
const nearestOf = (all: readonly Nearness[]): Nearness => nearnesses.find(near => all.includes(near)) ?? "registers";
const farthestOf = (all: readonly Nearness[]): Nearness =>
  [...nearnesses].reverse().find(near => all.includes(near)) ?? "registers";

/** Vectors that no other is below. */
function lowest(vectors: readonly Float64Array[]): readonly Float64Array[] {
  const isBelow = (a: Float64Array, b: Float64Array): boolean => a.every((x, i) => x <= (b[i] as number));
  const kept: Float64Array[] = [];
  for (const vector of vectors) {
    if (kept.some(other => isBelow(other, vector))) continue;
    for (let k = kept.length - 1; k >= 0; k -= 1) if (isBelow(vector, kept[k] as Float64Array)) kept.splice(k, 1);
    kept.push(vector);
  }
  if (kept.length <= mostVectors) return kept;
  kept.sort((a, b) => (a[0] as number) - (b[0] as number));
  const rest = kept.slice(mostVectors - 1);
  const all = Float64Array.from(rest[0] as Float64Array, (_, i) => Math.min(...rest.map(v => v[i] as number)));
  return [...kept.slice(0, mostVectors - 1), all];
}
