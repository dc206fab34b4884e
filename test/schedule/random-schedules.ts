import fc from "fast-check";
import { rowBits } from "../../src/attention/sequences.js";
import type { TileArrays } from "../../src/model/schedule/arrays.js";
import type { Load, TileEinsum } from "../../src/model/schedule/dataflows.js";
import type { ArrivalSchedule, DramChannel, TileWork } from "../../src/spec/schedule/machine.js";
import type { Stage, Stream } from "../../src/spec/schedule/notation.js";
import type { Schedule } from "../../src/spec/schedule/schedule.js";

// Schedules of Einsums that belong to no design: every choice of a dataflow, of a program and of a machine, a few tiles each.

export interface RandomCase {
  readonly schedule: Schedule;
  readonly arrays: TileArrays;
  readonly work: TileWork;
  readonly memory: { readonly dram?: DramChannel; readonly arrivals?: ArrivalSchedule };
}

/** Numbers below a bound, one after the other, most often 0 where fast-check makes them small. */
type Draw = (bound: number) => number;

const names = ["A", "B", "C", "D", "E", "F"];

function einsumsOf(draw: Draw, count: number): readonly TileEinsum[] {
  const arrayNames = ["pe", "lanes", "other"];
  const all: TileEinsum[] = [];
  for (let i = 0; i < count; i++) {
    const array = i === 0 ? "pe" : (arrayNames[draw(3)] as string);
    const when = i === 0 ? "every" : (["every", "every", "every", "last", "first"] as const)[draw(5)];
    const wanted = all.filter(own => draw(3) > 0 && (own.when === "every" || own.when === when || draw(4) === 0));
    const makers = wanted.filter(own => own.when === "every" || own.when === when);
    const fine = makers[0];
    const points = fine !== undefined && draw(3) > 0 ? fine.points : 1 + draw(4);
    const pointCycles = 1 + draw(3);
    const leadCycles = draw(4) === 3 ? 1 + draw(2) : 0;
    const uses = makers.map(maker => {
      const each = maker.array === array ? 1 : maker.points / points;
      const pointwise = Number.isInteger(each) && maker.points === points * each && draw(4) > 0;
      return { einsum: maker.name, pointwise, each: pointwise ? each : 1 };
    });
    const fromRegisters = uses.flatMap(({ einsum, pointwise }) => {
      const maker = all.find(({ name }) => name === einsum) as TileEinsum;
      const lives = maker.array === array && maker.when === when && maker.valuePerPoint === pointwise;
      return lives && maker.points > 0 && draw(3) > 0 ? [maker.output] : [];
    });
    const loads: readonly Load[] =
      when === "every" && draw(3) === 0
        ? [{ tensor: `in${i}`, by: (["queries", "keys", "tiles"] as const)[draw(3)] as Load["by"], words: 1 + draw(3) }]
        : [];
    all.push({
      ...{ name: names[i] as string, array, points, pointCycles, leadCycles, units: [], when: when ?? "every", uses },
      carries: when === "every" && draw(3) === 0 ? [names[i] as string] : [],
      output: `out${i}`,
      valuePerPoint: draw(2) === 0,
      reads: Array.from({ length: draw(3) }, () => ({
        perPoint: draw(2) === 0,
        rows: 1 + draw(2),
        carried: draw(2) === 0,
      })),
      writesRows: draw(3),
      loads,
      storedWords: when === "every" ? 0 : draw(3),
      runningWords: 0,
      carriedEntries: 0,
      fromRegisters,
      fromBuffer: uses.flatMap(({ einsum }) => (draw(4) === 0 ? [einsum] : [])),
      staysInRegisters: false,
      scratchFrom: points === 1 && leadCycles === 0 && pointCycles > 1 && draw(2) === 0 ? draw(pointCycles) : -1,
    });
  }
  return all.map(einsum => ({
    ...einsum,
    carries: einsum.carries.length > 0 && draw(2) === 0 ? othersOf(einsum, all) : einsum.carries,
    staysInRegisters: all.some(({ fromRegisters }) => fromRegisters.includes(einsum.output)),
  }));
}

const othersOf = (einsum: TileEinsum, all: readonly TileEinsum[]): readonly string[] =>
  all.filter(({ array, when }) => array === einsum.array && when === "every").map(({ name }) => name);

function scheduleOf(draw: Draw, einsums: readonly TileEinsum[]): Schedule {
  const [b, c] = [1 + draw(3), 1 + draw(2)];
  const lags: Record<string, number> = { a: 0, b, c: b + c };
  const letters = ["a", "b", "c"];
  const level = new Map<string, number>();
  for (const { name, array, uses } of einsums) {
    const needs = uses.map(({ einsum }) => {
      const maker = einsums.find(own => own.name === einsum);
      return (level.get(einsum) ?? 0) + (maker?.array === array || draw(3) > 0 ? 0 : 1);
    });
    const later = level.size > 0 && draw(6) === 5 ? 1 : 0;
    level.set(name, Math.min(2, Math.max(0, ...needs) + later));
  }
  const programs: Record<string, readonly Stage[]> = {};
  for (const array of new Set(einsums.map(own => own.array))) {
    const own = einsums.filter(einsum => einsum.array === array);
    if (draw(12) === 11) own.reverse();
    const stages: Stream[][] = [];
    for (const { name } of own) {
      const keepsTurns = draw(5) === 4;
      const stream: Stream = {
        einsum: name,
        tile: letters[level.get(name) ?? 0] as string,
        ...(keepsTurns ? { keepsTurns } : {}),
      };
      const last = stages.at(-1);
      if (last !== undefined && draw(3) === 2) last.push(stream);
      else stages.push([stream]);
      if (draw(5) === 4) stages.push([{ idle: 1 + draw(3) }]);
      const idle = einsums[draw(einsums.length)] as TileEinsum;
      const letter = letters[level.get(idle.name) ?? 0] as string;
      const choice = draw(6);
      if (choice === 5) stages.push([{ idle: { einsum: idle.name, tile: letter } }]);
      if (choice === 4) stages.at(-1)?.push({ idle: 1 + draw(4) });
    }
    programs[array] = stages.map(streams => ({ streams }));
  }
  return { name: "random", lags, programs };
}

type Long = "row" | "keys" | "heads" | "blocks" | null;

/** A work with one loop of many iterations, others of few: something repeats in it. */
function longer(long: Long, work: TileWork): TileWork {
  const { tileRows, tileKeys, sequences, group } = work;
  if (long === null) return work;
  const [{ rows, keys }] = sequences as readonly [TileWork["sequences"][number]];
  const few = {
    count: 1,
    rows: Math.max(group, Math.min(rows, 2 * group)),
    keys: Math.max(1, Math.min(keys, 2 * tileKeys)),
  };
  const many = Math.ceil((24 * tileRows) / group) * group;
  switch (long) {
    case "row":
      return { ...work, sequences: [{ ...few, rows: many }], blockTiles: 24, heads: 1 };
    case "keys":
      return { ...work, sequences: [{ ...few, keys: 24 * tileKeys }], heads: 1, headTiles: [1] };
    case "heads":
      return { ...work, sequences: [few], heads: 16, headTiles: [1] };
    case "blocks":
      return { ...work, sequences: [{ ...few, rows: many }], blockTiles: 1, heads: 1, headTiles: [1] };
  }
}

/** The same under a mask of bits, which says all of what is seen: about one of so many scores. As it is where that is 0. */
export function withHoles(work: TileWork, oneOf: number): TileWork {
  if (oneOf === 0) return work;
  const isSeen = (row: number, m: number): boolean => ((row * 7919 + m * 104729) >>> 2) % oneOf === 0;
  const bitsOf = ({ keys }: TileWork["sequences"][number]) =>
    rowBits((row, w) => {
      let bits = 0;
      for (let m = 32 * w; m < Math.min(keys, 32 * w + 32); m++) if (isSeen(row, m)) bits += 2 ** (m - 32 * w);
      return bits;
    });
  const sequences = work.sequences.map(own => ({ ...own, bits: bitsOf(own) }));
  return { ...work, window: { left: -1, right: -1 }, sequences };
}

const size = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const unlimited = Number.POSITIVE_INFINITY;

/** @param memory where tiles come from: always there, from DRAM, or in given cycles */
export const randomCases = (memory: "ideal" | "dram" | "given"): fc.Arbitrary<RandomCase> =>
  fc
    .record({
      draws: fc.array(fc.nat(1000), { minLength: 60, maxLength: 60 }),
      count: size(2, 5),
      rows: size(1, 5),
      readPorts: fc.constantFrom(unlimited, 1, 2, 3),
      writePorts: fc.constantFrom(unlimited, unlimited, 2, 3),
      climbs: fc.constantFrom<TileArrays["upward"]>(
        { by: "columns" },
        { by: "buffer", latencyCycles: 0 },
        { by: "buffer", latencyCycles: 4 },
      ),
      registers: fc.constantFrom(unlimited, unlimited, unlimited, 6),
      sequences: fc.array(fc.record({ count: size(1, 2), rows: size(0, 6), keys: size(0, 8) }), {
        minLength: 1,
        maxLength: 2,
      }),
      long: fc.constantFrom<Long>("row", "keys", "heads", "blocks", null, null, null, null),
      group: fc.constantFrom(1, 1, 2),
      window: fc.constantFrom(
        { left: -1, right: -1 },
        { left: -1, right: -1 },
        { left: -1, right: 0 },
        { left: 3, right: 1 },
        { left: -1, right: -3 },
      ),
      heads: size(1, 2),
      headTiles: fc.constantFrom<readonly number[]>([1], [1], [2], [2, 2], [2, 1]),
      blockTiles: size(1, 3),
      tileRows: size(1, 3),
      tileKeys: size(1, 3),
      held: size(1, 4),
      bytesPerCycle: fc.constantFrom(0.7, 2, 3, 64),
      latencyCycles: size(0, 30),
      gaps: fc.array(fc.nat(20), { minLength: 3, maxLength: 3 }),
      holes: fc.constantFrom(0, 0, 0, 2, 5),
    })
    .map(({ draws, count, rows, registers, held, gaps, long, holes, ...c }): RandomCase => {
      let drawn = 0;
      const draw: Draw = bound => ((draws[drawn++ % draws.length] as number) + drawn) % bound;
      const einsums = einsumsOf(draw, count);
      const { group, window, heads, headTiles, blockTiles, tileRows, tileKeys } = c;
      const sequences = c.sequences.map(own => ({ ...own, rows: own.rows * group }));
      const tensors = einsums.flatMap(({ loads }) => loads.map(({ tensor }) => tensor));
      const of = (value: (i: number) => number) => Object.fromEntries(tensors.map((tensor, i) => [tensor, value(i)]));
      const tilesHeld = of(i => held + i + Math.max(...headTiles) * blockTiles);
      const elementBytes = { ...of(i => 1 + i), ...Object.fromEntries(einsums.map(({ output }) => [output, 2])) };
      const arrivals = Object.fromEntries(
        tensors.map((tensor, k) => [tensor, Array.from({ length: 500 }, (_, i) => i * (gaps[k % 3] ?? 0) + k)]),
      );
      return {
        schedule: scheduleOf(draw, einsums),
        arrays: {
          einsums,
          arrays: {
            pe: { rows, grid: true, registers },
            lanes: { rows: 1, grid: false, registers },
            other: draw(2) === 0 ? { rows: 1, grid: false, registers } : { rows: 2, grid: true, registers },
          },
          ...{ readPorts: c.readPorts, writePorts: c.writePorts, upward: c.climbs },
        },
        work: withHoles(
          longer(long, { sequences, group, window, heads, headTiles, blockTiles, tileRows, tileKeys }),
          holes,
        ),
        memory:
          memory === "dram"
            ? { dram: { bytesPerCycle: c.bytesPerCycle, latencyCycles: c.latencyCycles, elementBytes, tilesHeld } }
            : memory === "given"
              ? { arrivals }
              : {},
      };
    });
