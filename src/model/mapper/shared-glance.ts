import { atOnceRanks } from "./at-once.js";
import { blockOf, type Cut, type Glance, outsideOf, ranksOfTensor, wordBytes, wordsRead } from "./block-words.js";
import type { OptionLibrary } from "./option.js";
import { dealtRanks, operationsOn, partsInTime } from "./place.js";
import type { MapperProblem } from "./problem.js";
import { type RankCut, suitsRank } from "./tiling.js";
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
  const passed = passedOf(problem, from, to);
  const [buffer, file] = [roomOf(problem, "sram"), roomOf(problem, "registers")];
  const made = problem.einsums
    .slice(from, to)
    .flatMap(({ placed: { output } }, e) =>
      problem.inPlace[output] === undefined && !problem.goesOn(from + e) ? [ranksOfTensor(problem, output)] : [],
    );
  // Asked for each of millions of cuts: without lists of its own.
  const wordsOfBlocks = (cut: Cut, tensors: readonly (readonly number[])[]): number => {
    let total = 0;
    for (const own of tensors) {
      let words = 1;
      for (const r of own) words *= blockOf(cut, r);
      total += words;
    }
    return total;
  };
  const within = (own: readonly number[]): readonly number[] => own.filter(r => !atOnce.includes(r));
  const [read, kept] = [outside.map(within), made.map(within)];
  const totalOf = (all: readonly number[]): number => all.reduce((sum, own) => sum + own, 0);
  const widest = Math.max(...arrays.flatMap(({ fanouts }) => fanouts.map(({ size }) => size)));
  const busy = busyOf(problem, library, from, to, space);
  const fits = (cut: Cut): boolean =>
    2 * wordBytes * wordsOfBlocks(cut, read) <= buffer && wordsOfBlocks(cut, kept) <= file;
  const whole = space.choices.map((choices, r) => {
    const all = choices.map((_, c) => c);
    const isShort = (ranks[r]?.tile.length ?? 0) > 0 && (ranks[r]?.size ?? 1) <= shortTiles * widest;
    const inOne = isShort ? all.filter(c => choices[c]?.outer === 1) : [];
    return inOne.length > 0 ? inOne : all;
  });
  const smallest = whole.map((own, r) => {
    const cuts = own.map(c => space.choices[r]?.[c] as RankCut);
    return cuts.reduce((least, cut) => (cut.inner * cut.middle < least.inner * least.middle ? cut : least));
  });
  return {
    // Cuts whose blocks do not fit beside the smallest of the others are not looked at.
    allowed: whole.map((own, r) => {
      const room = own.filter(c => fits(smallest.map((cut, k) => (k === r ? (space.choices[r]?.[c] ?? cut) : cut))));
      return room.length > 0 ? room : own;
    }),
    fits,
    seconds(digits, cut) {
      let units = 1;
      for (const r of atOnce) units *= cut[r]?.middle ?? 1;
      for (const r of dealt) units *= cut[r]?.outer ?? 1;
      return (busy(digits, cut) * Math.ceil(units / instances)) / units / frequencyHz;
    },
    traffic(order, cut) {
      const all = (own: readonly number[]): number =>
        own.reduce((n, r) => n * blockOf(cut, r) * (cut[r]?.outer ?? 1), wordBytes);
      const each = outside.map(own => wordBytes * wordsRead(order, cut, own));
      const once = outside.map(all);
      const again = totalOf(once.filter((own, t) => own < (each[t] ?? 0)));
      const held = again / atOnce.reduce((n, r) => n * (cut[r]?.outer ?? 1), 1);
      const fromDram = 2 * held <= (capacities.get(level.index) ?? 0) ? totalOf(once) : totalOf(each);
      const between = totalOf(
        passed.map(({ einsum, tensor }) => {
          const own = order.filter(r => einsum.includes(r));
          return Math.max(0, wordBytes * wordsRead(own, cut, tensor) - all(tensor));
        }),
      );
      const bytes = fromDram + between;
      const ofLevel = (totalOf(each) + between) / ofShared / frequencyHz;
      return { bytes, seconds: Math.max(bytes / bytesPerSecond, ofLevel) };
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

/** What passes between Einsums of a block: the ranks of each that has it, and the tensor's own, but for the one along which it is carried. */
function passedOf(problem: MapperProblem, from: number, to: number) {
  const { facts, einsums, ranks } = problem;
  return einsums.slice(from, to).flatMap(({ name, placed, ranks: its }) => {
    const reads = facts.reads(name).flatMap(({ tensor }) => {
      const maker = problem.makerOf(tensor);
      return maker >= from && maker < to ? [tensor] : [];
    });
    return [...new Set([...reads, placed.output])].map(tensor => {
      const along = facts.iterates(tensor);
      const isAlong = (r: number): boolean =>
        [ranks[r]?.outer ?? "", ranks[r]?.middle ?? ""].some(part => along.includes(part));
      const own = ranksOfTensor(problem, tensor);
      return { einsum: its.map(({ rank }) => rank), tensor: along.length === 0 ? own : own.filter(r => !isAlong(r)) };
    });
  });
}

/** Busy cycles of the busiest array, each Einsum on the one that takes the fewest. */
function busyOf(
  problem: MapperProblem,
  library: OptionLibrary,
  from: number,
  to: number,
  { choices }: TilingSpace,
): (digits: readonly number[], cut: Cut) => number {
  const { arrays, compiled, values } = problem;
  // Ways to cut a rank into the same tiles have use for the same places.
  const tiles = choices.map(own => {
    const texts = own.map(({ tile }) => tile.join());
    const different = [...new Set(texts)];
    const shapes = different.map(text => own[texts.indexOf(text)]?.tile ?? []);
    return { shapes, count: different.length, of: texts.map(text => different.indexOf(text)) };
  });
  const tables = problem.einsums.slice(from, to).map((einsum, e) => {
    const { ranks } = einsum;
    const size = ranks.reduce((product, { rank }) => product * (tiles[rank]?.count ?? 1), 1);
    const perPoint = arrays.map(array =>
      Object.entries(operationsOn(problem, einsum, array)?.operations ?? {}).reduce((sum, [name, count]) => {
        const cycles = compiled.arrays.get(array.name)?.get(name)?.(values) ?? 1;
        return sum + cycles * (Number.isFinite(Number(count)) ? Number(count) : 1);
      }, 0),
    );
    const places = library.placesOf(from + e).map(({ over, array }) => ({
      inTime: ranks.map(({ rank }) => partsInTime(problem, over, rank)),
      array: arrays.indexOf(array),
    }));
    // By rank of the Einsum and tile the places that have use for it.
    const suited = ranks.map(({ rank }) =>
      (tiles[rank]?.shapes ?? []).map(tile =>
        Uint8Array.from(library.placesOf(from + e), place => (suitsRank(place, rank, tile) ? 1 : 0)),
      ),
    );
    return { ranks, places, suited, perPoint, cycles: new Float64Array(size).fill(-1), array: new Uint8Array(size) };
  });
  // Ways to cut are asked for with the last rank's changing first: of Einsums that have not that rank nothing changes meanwhile.
  const last = choices.length - 1;
  const [changing, standing] = [true, false].map(isOf =>
    tables.filter(({ ranks }) => ranks.some(({ rank }) => rank === last) === isOf),
  ) as [typeof tables, typeof tables];
  const stood = new Float64Array(arrays.length);
  const sums = new Float64Array(arrays.length);
  let stoodFor = -1;
  const addTo = (to: Float64Array, all: typeof tables, digits: readonly number[], cut: Cut): void => {
    for (const { ranks, places, suited, perPoint, cycles, array } of all) {
      let key = 0;
      let around = 1;
      for (const { rank, middle } of ranks) {
        const own = tiles[rank];
        key = key * (own?.count ?? 1) + (own?.of[digits[rank] ?? 0] ?? 0);
        if (middle) around *= (cut[rank]?.outer ?? 1) * (cut[rank]?.middle ?? 1);
      }
      // Cycles of a tile.
      if (cycles[key] === -1) {
        cycles[key] = Number.POSITIVE_INFINITY;
        const own = ranks.map(({ rank }, r) => suited[r]?.[tiles[rank]?.of[digits[rank] ?? 0] ?? 0]);
        for (const [p, { inTime, array: a }] of places.entries()) {
          if (own.some(has => has?.[p] === 0)) continue;
          const steps = ranks.reduce((product, { rank, inner }, r) => {
            const within = inner ? (inTime[r] ?? []) : [];
            return within.reduce((n, part) => n * (cut[rank]?.tile[part] ?? 1), product);
          }, 1);
          const all = steps * (perPoint[a] ?? 1);
          if (all >= (cycles[key] as number)) continue;
          cycles[key] = all;
          array[key] = a;
        }
      }
      const a = array[key] as number;
      to[a] = (to[a] as number) + around * (cycles[key] as number);
    }
  };
  return (digits, cut) => {
    let number = 0;
    for (let r = 0; r < last; r += 1) number = number * (choices[r]?.length ?? 1) + (digits[r] as number);
    if (number !== stoodFor) {
      stood.fill(0);
      addTo(stood, standing, digits, cut);
      stoodFor = number;
    }
    sums.set(stood);
    addTo(sums, changing, digits, cut);
    let most = 0;
    for (const own of sums) if (own > most) most = own;
    return most;
  };
}
