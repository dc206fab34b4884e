import { atOnceRanks } from "./at-once.js";
import { outsideOf, PassingTensor, ranksOfTensor, wordBytes, wordsOf } from "./block-words.js";
import { type ByRank, blockOf, type Glance, type Passing, TileWork, tilesOf } from "./glance.js";
import type { OptionLibrary } from "./option.js";
import { dealtRanks, operationsOn } from "./place.js";
import type { MapperProblem } from "./problem.js";
import { shortTiles, type TilingSpace } from "./tiling-space.js";

/**
 * What tilings look like where cores are within a shared level; undefined for other machines. Arrays work side by side, each Einsum on
 * the one that is the quickest at it; units of work are dealt to the cores; what is asked for again comes from the shared level, if that
 * has room for it; what passes between Einsums passes DRAM where a loop asks for it more than once.
 */
export function sharedGlance(
  problem: MapperProblem,
  library: OptionLibrary,
  from: number,
  to: number,
  space: TilingSpace,
): Glance | undefined {
  const { shared, cores, dram, compiled, capacities, values, ranks, arrays } = problem;
  const level = compiled.levels.get(shared ?? "");
  if (level === undefined) return undefined;
  const frequencyHz = compiled.frequencyHz(values);
  const rateOf = (name: string, field: string): number =>
    compiled.levels.get(name)?.fields.get(field)?.(values) ?? Number.POSITIVE_INFINITY;
  const bytesPerSecond = rateOf(dram, "bytesPerSecond");
  const ofShared = Math.min(
    rateOf(level.name, "bandwidth.readBytesPerCycle"),
    rateOf(level.name, "bandwidth.bytesPerCycle"),
  );
  const instances = compiled.levels.get(cores ?? "")?.fields.get("size")?.(values) ?? 1;
  const atOnce = atOnceRanks(problem);
  const dealt = dealtRanks(problem, problem.einsums.slice(from, to));
  const outside = outsideOf(problem, from, to);
  const [buffer, file] = [roomOf(problem, "sram"), roomOf(problem, "registers")];
  const made = problem.einsums
    .slice(from, to)
    .flatMap(({ placed: { output } }, e) =>
      problem.inPlace[output] === undefined && !problem.goesOn(from + e) ? [ranksOfTensor(problem, output)] : [],
    );
  const within = (own: readonly number[]): readonly number[] => own.filter(r => !atOnce.includes(r));
  const [read, kept] = [outside.map(within), made.map(within)];
  const widest = Math.max(...arrays.flatMap(({ fanouts }) => fanouts.map(({ size }) => size)));
  const fits = (blocks: ByRank): boolean =>
    2 * wordBytes * wordsOf(read, blocks) <= buffer && wordsOf(kept, blocks) <= file;
  const all = space.choices.map(choices => choices.map((_, c) => c));
  const inOne = all.map((own, r) => {
    const isShort = (ranks[r]?.tile.length ?? 0) > 0 && (ranks[r]?.size ?? 1) <= shortTiles * widest;
    const found = isShort ? own.filter(c => space.choices[r]?.[c]?.outer === 1) : [];
    return found.length > 0 ? found : own;
  });
  const blockAt = (r: number, c: number): number => blockOf(space.choices[r]?.[c]);
  const smallestOf = (tried: typeof all): readonly number[] =>
    tried.map((own, r) => Math.min(...own.map(c => blockAt(r, c))));
  // Where short ranks together are too long to stay whole, they are cut as well.
  const tried = fits(smallestOf(inOne)) ? inOne : all;
  const smallest = smallestOf(tried);
  const tiles = tilesOf(space.choices);
  const work = problem.einsums.slice(from, to).map((einsum, e) => {
    const perPoint = arrays.map(array =>
      Object.entries(operationsOn(problem, einsum, array)?.operations ?? {}).reduce((sum, [name, count]) => {
        const cycles = compiled.arrays.get(array.name)?.get(name)?.(values) ?? 1;
        return sum + cycles * (Number.isFinite(Number(count)) ? Number(count) : 1);
      }, 0),
    );
    return new TileWork(problem, library, from + e, tiles, perPoint);
  });
  const sums = new Float64Array(arrays.length);
  const tensors = outside.map(own => new PassingTensor(own));
  const passed = passedOf(problem, from, to);
  const roomOfLevel = capacities.get(level.index) ?? 0;
  const pass = (fromDram: number, all: number, between: number): Passing => {
    const bytes = fromDram + between;
    return { bytes, seconds: Math.max(bytes / bytesPerSecond, (all + between) / ofShared / frequencyHz) };
  };
  return {
    // Cuts whose blocks do not fit beside the smallest of the others are not looked at.
    allowed: tried.map((own, r) => {
      const room = own.filter(c => fits(smallest.map((block, k) => (k === r ? blockAt(r, c) : block))));
      return room.length > 0 ? room : own;
    }),
    tiles,
    fits,
    units: (r, cut) => (atOnce.includes(r) ? cut.middle : dealt.includes(r) ? cut.outer : 1),
    seconds(own, around, units, atMost) {
      sums.fill(0);
      for (const one of work) one.addTo(sums, own, around);
      const busy = sums.reduce((most, one) => Math.max(most, one), 0);
      // As evenly as they can be dealt: at the best without a rest, and each takes a core.
      const turns = atMost ? Math.max(1, units / instances) : Math.ceil(units / instances);
      return (busy * turns) / units / frequencyHz;
    },
    once(coordinates) {
      const bytes = wordBytes * wordsOf(outside, coordinates);
      return pass(bytes, bytes, 0);
    },
    traffic(cut) {
      const once = tensors.map(tensor => wordBytes * tensor.once(cut));
      const onceOf = passed.map(({ tensor, count }) => wordBytes * count * tensor.once(cut));
      const whole = once.reduce((sum, own) => sum + own, 0);
      const turns = atOnce.reduce((n, r) => n * (cut[r]?.outer ?? 1), 1);
      return order => {
        let [each, again, between] = [0, 0, 0];
        for (let t = 0; t < tensors.length; t += 1) {
          const own = once[t] as number;
          const times = (tensors[t] as PassingTensor).times(order, cut);
          each += own * times;
          if (times > 1) again += own;
        }
        for (let t = 0; t < passed.length; t += 1) {
          between += (onceOf[t] as number) * ((passed[t] as Passed).tensor.times(order, cut) - 1);
        }
        return pass((2 * again) / turns <= roomOfLevel ? whole : each, each, between);
      };
    },
  };
}

/** Room in the largest of the innermost levels of a kind in which arrays find their tiles. */
function roomOf({ arrays, compiled, capacities }: MapperProblem, kind: string): number {
  const rooms = arrays.flatMap(({ shared }) => {
    const level = shared.map(name => compiled.levels.get(name)).findLast(own => own?.spec.kind === kind);
    return level === undefined ? [] : [capacities.get(level.index) ?? 0];
  });
  return rooms.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...rooms);
}

/** Tensors that pass between Einsums of a block, so many alike. */
interface Passed {
  readonly tensor: PassingTensor;
  readonly count: number;
}

/** What passes between Einsums of a block: the ranks of each that has it, and the tensor's own, but for the one along which it is carried. */
function passedOf(problem: MapperProblem, from: number, to: number): readonly Passed[] {
  const { facts, einsums, ranks } = problem;
  const all = einsums.slice(from, to).flatMap(({ name, placed, ranks: its }) => {
    const reads = facts.reads(name).flatMap(({ tensor }) => {
      const maker = problem.makerOf(tensor);
      return maker >= from && maker < to ? [tensor] : [];
    });
    return [...new Set([...reads, placed.output])].map(tensor => {
      const along = facts.iterates(tensor);
      const isAlong = (r: number): boolean =>
        [ranks[r]?.outer ?? "", ranks[r]?.middle ?? ""].some(part => along.includes(part));
      const own = ranksOfTensor(problem, tensor);
      return { loops: its.map(({ rank }) => rank), own: along.length === 0 ? own : own.filter(r => !isAlong(r)) };
    });
  });
  const counts = new Map<string, Passed>();
  for (const { loops, own } of all) {
    const key = `${loops} / ${own}`;
    const known = counts.get(key);
    counts.set(key, { tensor: known?.tensor ?? new PassingTensor(own, loops), count: (known?.count ?? 0) + 1 });
  }
  return [...counts.values()];
}
