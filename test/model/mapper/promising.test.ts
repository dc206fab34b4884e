import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OptionLibrary } from "../../../src/model/mapper/option.js";
import type { MapperProblem } from "../../../src/model/mapper/problem.js";
import { promisingOf } from "../../../src/model/mapper/promising.js";
import { sharedGlance } from "../../../src/model/mapper/shared-glance.js";
import type { RankCut } from "../../../src/model/mapper/tiling.js";
import { tilingsOf } from "../../../src/model/mapper/tiling-space.js";
import { machines, problemOf } from "../small-machine.js";

// What looks best at a glance, with every tiling looked at and nothing passed over.

type Cut = readonly RankCut[];
const product = (numbers: readonly number[]): number => numbers.reduce((a, b) => a * b, 1);

/** Steps of an Einsum at its best place: tiles, and what of a tile lies over no fan-out. */
function stepsOf({ einsums }: MapperProblem, library: OptionLibrary, e: number, cut: Cut): number {
  const { ranks = [] } = einsums[e] ?? {};
  const all = library.suitedTo(e, { cut }).map(p => {
    const { over } = library.placesOf(e)[p] ?? { over: [] };
    return product(
      ranks.map(({ rank, middle, inner }) => {
        const { tile, middle: tiles, outer } = cut[rank] as RankCut;
        const laid = over.flatMap(own => (own?.rank === rank ? own.parts : []));
        return (middle ? tiles * outer : 1) * (inner ? product(tile.filter((_, part) => !laid.includes(part))) : 1);
      }),
    );
  });
  return Math.min(...all);
}

/** The ranks of the tensors that come from outside of a block or leave it. */
function outsideOf(problem: MapperProblem, from: number, to: number): readonly (readonly number[])[] {
  const { einsums, facts, ranks, leaves, makerOf } = problem;
  const block = einsums.slice(from, to);
  const read = block.flatMap(({ name }) => facts.reads(name).map(({ tensor }) => tensor));
  const tensors = new Set([
    ...read.filter(tensor => makerOf(tensor) < from || makerOf(tensor) >= to),
    ...block.map(({ placed }) => placed.output).filter(tensor => leaves(tensor, from, to)),
  ]);
  return [...tensors].map(tensor => {
    const own = facts.ranks(tensor);
    return ranks.flatMap(({ whole, tile }, r) => ([whole, ...tile].some(name => own.includes(name)) ? [r] : []));
  });
}

function looksOf(problem: MapperProblem, library: OptionLibrary, from: number, to: number) {
  const space = tilingsOf(problem, from, to);
  const outside = outsideOf(problem, from, to);
  const room = Math.max(...problem.capacities.values());
  const dram = problem.compiled.levels.get(problem.dram)?.fields.get("bytesPerSecond")?.(problem.values) ?? Number.NaN;
  return Array.from({ length: space.cuts }, (_, number) => number).flatMap(number => {
    const cut = space.cut(space.digits(number));
    const block = (r: number): number => (cut[r]?.inner ?? 0) * (cut[r]?.middle ?? 0);
    const held = outside.reduce((sum, ranks) => sum + 2 * product(ranks.map(block)), 0);
    const steps = Array.from({ length: to - from }, (_, e) => stepsOf(problem, library, from + e, cut));
    const busy = steps.reduce((a, b) => a + b, 0) / 1e9;
    const orders = space.orders(cut);
    return orders.outer.map((order, outer) => {
      // A tensor's block is read again whenever a loop around, or of, one of its own iterates.
      const bytes = outside.reduce((sum, ranks) => {
        const last = order.findLastIndex(r => ranks.includes(r) && (cut[r]?.outer ?? 1) > 1);
        const times = product(order.slice(0, last + 1).map(r => cut[r]?.outer ?? 1));
        return sum + 2 * times * product(ranks.map(block));
      }, 0);
      const first = space.first(number, outer, orders);
      return {
        number,
        outer,
        fits: 2 * held <= room,
        seconds: Math.max(busy, bytes / dram),
        bytes,
        first,
        inner: orders.inner.length,
      };
    });
  });
}

describe("tilings at a glance", () => {
  it.each([
    ["product", 0, 1],
    ["chain", 0, 3],
    ["chain", 1, 3],
  ] as const)(
    "law: those of blocks that fit, quick and with little traffic come first: %s %i to %i",
    (cascade, from, to) => {
      const sizes = fc.record({
        E: fc.constantFrom(1, 3),
        F: fc.constantFrom(1, 2),
        M: fc.integer({ min: 1, max: 9 }),
        queries: fc.integer({ min: 1, max: 5 }),
      });
      fc.assert(
        fc.property(machines, sizes, fc.constantFrom(1, 2, 5, 12), (machine, shape, most) => {
          const problem = problemOf(machine, cascade, shape);
          const library = new OptionLibrary(problem);
          const looks = looksOf(problem, library, from, to).sort(
            (a, b) =>
              Number(b.fits) - Number(a.fits) ||
              a.seconds - b.seconds ||
              a.bytes - b.bytes ||
              a.number - b.number ||
              a.outer - b.outer,
          );
          const all = looks.flatMap(({ first, inner }) => Array.from({ length: inner }, (_, i) => first + i));
          const chosen = promisingOf(problem, library, { from, to }, tilingsOf(problem, from, to), most);
          const ordered = all.length <= most ? [...chosen].sort((a, b) => a - b) : chosen;
          expect(ordered).toEqual(all.length <= most ? [...all].sort((a, b) => a - b) : all.slice(0, most));
        }),
        { numRuns: 6 },
      );
    },
  );

  it.each([
    ["product", 0, 1],
    ["chain", 0, 3],
  ] as const)(
    "law: those that cannot look best are passed over, and no other, where cores are within a shared level: %s %i to %i",
    (cascade, from, to) => {
      const shape = fc.record({
        E: fc.constantFrom(1, 3),
        F: fc.constantFrom(1, 2),
        M: fc.integer({ min: 1, max: 6 }),
        queries: fc.integer({ min: 1, max: 5 }),
      });
      const within = fc.tuple(machines, fc.constantFrom(2, 3), fc.constantFrom(16, 64));
      fc.assert(
        fc.property(within, shape, fc.constantFrom(1, 3, 9), ([machine, cores, outerBytes], sizes, most) => {
          const problem = problemOf({ ...machine, cores, outerBytes, coresWithin: true }, cascade, sizes);
          const library = new OptionLibrary(problem);
          const space = tilingsOf(problem, from, to);
          if (space.count <= most) return;
          const glance = sharedGlance(problem, library, from, to, space);
          if (glance === undefined) throw new Error("no cores within a shared level");
          const looks = Array.from({ length: space.cuts }, (_, number) => number).flatMap(number => {
            const digits = space.digits(number);
            if (digits.some((digit, r) => glance.allowed?.[r]?.includes(digit) === false)) return [];
            const cut = space.cut(digits);
            const tiles = digits.map((digit, r) => glance.tiles[r]?.of[digit] ?? 0);
            const around = cut.map(({ outer, middle }) => outer * middle);
            const units = product(cut.map((own, r) => glance.units(r, own)));
            const working = glance.seconds(tiles, around, units, false);
            const fits = glance.fits(cut.map(({ inner, middle }) => inner * middle));
            const orders = space.orders(cut);
            return orders.outer.flatMap((order, outer) => {
              const { bytes, seconds } = glance.traffic(cut)(order);
              const first = space.first(number, outer, orders);
              return orders.inner.map((_, i) => ({ fits, bytes, seconds: Math.max(working, seconds), at: first + i }));
            });
          });
          looks.sort(
            (a, b) => Number(b.fits) - Number(a.fits) || a.seconds - b.seconds || a.bytes - b.bytes || a.at - b.at,
          );
          const chosen = promisingOf(problem, library, { from, to }, space, most);
          expect(chosen).toEqual(looks.slice(0, most).map(({ at }) => at));
        }),
        { numRuns: 6 },
      );
    },
  );

  it("are some of the best of what was looked at, where that ends early", () => {
    const machine = { columns: 2, rows: 2, lanes: 3, bufferBytes: 64, bytesPerSecond: 1e10 };
    const problem = problemOf(machine, "chain", { E: 3, F: 2, M: 9, queries: 5 });
    const library = new OptionLibrary(problem);
    const space = tilingsOf(problem, 0, 3);
    const [best] = promisingOf(problem, library, { from: 0, to: 3 }, space, 4);
    const early = promisingOf(problem, library, { from: 0, to: 3 }, space, 4, 2);
    const all = new Set(space.numbers());
    expect(early.length).toBeGreaterThan(0);
    expect(early.every(number => all.has(number))).toBe(true);
    expect(promisingOf(problem, library, { from: 0, to: 3 }, space, 4, space.cuts)[0]).toBe(best);
  });
});
