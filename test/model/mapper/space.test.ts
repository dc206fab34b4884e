import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundsOf, type LeastOfEinsum } from "../../../src/model/mapper/bounds.js";
import type { Nearness } from "../../../src/model/mapper/hand-over.js";
import { leastPath } from "../../../src/model/mapper/least.js";
import { OptionLibrary, type PlacedOption, type TensorCost } from "../../../src/model/mapper/option.js";
import type { MapperProblem } from "../../../src/model/mapper/problem.js";
import { countMappings } from "../../../src/model/mapper/space.js";
import { tilingsOf } from "../../../src/model/mapper/tiling-space.js";
import { type Invented, inventedProblem } from "./invented.js";

// The space of mappings and bounds of it, against going through all of them.

const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);
const bits = (kept: number): readonly number[] =>
  Array.from({ length: 20 }, (_, i) => i).filter(i => (kept >> i) % 2 === 1);

describe("the number of mappings", () => {
  const ofOne = (problem: MapperProblem, library: OptionLibrary, from: number, to: number): bigint => {
    const space = tilingsOf(problem, from, to);
    let count = 0n;
    for (const tiling of space.numbers()) {
      let ways = 1n;
      for (let e = from; e < to; e++) {
        const { levels } = problem.compiled.architecture;
        // Registers keep all; of the other memories any.
        const all = library.suitedTo(e, space.at(tiling)).map(p => {
          const own = library.placesOf(e)[p]?.array.levels.filter(level => levels[level]?.kind !== "fanout") ?? [];
          return 2n ** BigInt((own.length - 1) * library.tensorsOf(e).length);
        });
        ways *= all.reduce((a, b) => a + b, 0n);
      }
      count += ways;
    }
    return count;
  };

  it.each([
    ["a product on a grid", { cascade: "product", machine: "grid", sizes: { E: 3, M: 9, queries: 3 } }],
    ["rows on cores within a shared level", { cascade: "rows", machine: "shared", sizes: { M: 20, queries: 3 } }],
    ["a batch", { cascade: "batched", machine: "shared", sizes: { M: 9, B: 3, H: 2 } }],
    ["a softmax on lanes of several sizes", { cascade: "softmax", machine: "uneven", sizes: { M: 9 } }],
  ] as const satisfies readonly (readonly [string, Invented])[])(
    "law: is that of all paths of blocks, tiling by tiling: %s",
    (_, one) => {
      const problem = inventedProblem(one);
      const library = new OptionLibrary(problem);
      const n = problem.einsums.length;
      // Of two Einsums and more, some blocks are left out.
      const bound = { latencySeconds: 0, energyPj: 0, dramBytes: 0 };
      const blocks = Array.from({ length: n }, (__, from) =>
        Array.from({ length: n - from }, (___, i) => ({ from, to: from + i + 1, bound })),
      ).flat();
      for (const some of [blocks, blocks.filter(({ from, to }) => from === 0 || to === n)]) {
        const pathsFrom = (from: number): bigint =>
          from === n
            ? 1n
            : some.reduce(
                (all, own) =>
                  own.from === from ? all + ofOne(problem, library, own.from, own.to) * pathsFrom(own.to) : all,
                0n,
              );
        expect(
          countMappings(problem, library, [...some].reverse(), ({ from, to }) => tilingsOf(problem, from, to)),
        ).toBe(pathsFrom(0));
      }
    },
  );
});

describe("what paths of blocks take at the least", () => {
  it("law: is the least of each over all of them, before and after each Einsum", () => {
    const blocks = fc.array(
      fc.record({ from: fc.nat(4), length: fc.integer({ min: 1, max: 3 }), l: fc.nat(9), e: fc.nat(9), d: fc.nat(9) }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(blocks, drawn => {
        const n = 5;
        const all = drawn.flatMap(({ from, length, l, e, d }) =>
          from + length > n
            ? []
            : [{ from, to: from + length, bound: { latencySeconds: l, energyPj: e, dramBytes: d } }],
        );
        const keys = ["latencySeconds", "energyPj", "dramBytes"] as const;
        for (const key of keys) {
          const paths = (from: number, to: number): readonly number[] =>
            from === to
              ? [0]
              : all.flatMap(own =>
                  own.from === from && own.to <= to ? paths(own.to, to).map(rest => own.bound[key] + rest) : [],
                );
          const before = leastPath(n, all, "before").map(own => own[key]);
          expect(before).toEqual(Array.from({ length: n + 1 }, (_, i) => Math.min(...paths(0, i))));
          const after = leastPath(n, all, "after").map(own => own[key]);
          expect(after).toEqual(Array.from({ length: n + 1 }, (_, i) => Math.min(...paths(i, n))));
        }
      }),
    );
  });
});

describe("what the rest of a block takes at the least", () => {
  const nearnesses: readonly Nearness[] = ["registers", "buffer", "dram"];

  it.each([
    ["a softmax on a grid", { cascade: "softmax", machine: "grid", sizes: { M: 5 } }],
    ["a softmax under two shared levels", { cascade: "softmax", machine: "nested", sizes: { M: 5 } }],
  ] as const satisfies readonly (readonly [string, Invented])[])(
    "law: is each Einsum at its best place with its tensors at their best levels, and every array's cycles: %s",
    (_, one) => {
      const problem = inventedProblem(one);
      const library = new OptionLibrary(problem);
      const tiling = tilingsOf(problem, 0, 1).at(0);
      const { einsums, arrays, facts } = problem;
      const block = fc
        .nat(einsums.length - 1)
        .chain(from => fc.record({ from: fc.constant(from), to: fc.integer({ min: from + 1, max: einsums.length }) }));
      const nears = fc.array(fc.constantFrom(...nearnesses), { minLength: 16, maxLength: 16 });
      fc.assert(
        fc.property(
          block,
          nears,
          fc.array(fc.nat(30), { minLength: 40, maxLength: 40 }),
          ({ from, to }, near, drawn) => {
            const at = (...all: readonly number[]): number =>
              drawn[sum(all.map((n, i) => n * (7 * i + 3))) % 40] as number;
            const work = ({ id }: PlacedOption) => ({ cycles: at(id, 1) + 1, energyPj: at(id, 2) });
            const [room = 0] = [...problem.capacities.values()];
            const [level = 0] = [...problem.capacities.keys()];
            const tensor = ({ id }: PlacedOption, t: number, kept: number): TensorCost => ({
              ...{ energyPj: at(id, t, kept), dramBytes: at(t, id, kept), seat: t, use: undefined },
              // Some do not fit, some just.
              held: [{ level, room: room + (at(kept, t) % 3) - 1, isFile: false }],
            });
            const nearest = (__: unknown, source: number, reader: number): Nearness =>
              near[4 * source + reader] as Nearness;
            const { after } = boundsOf(problem, library, from, to, tiling, { work, tensor }, { nearest });
            expect(after.length).toBe(to - from + 1);
            const readersOf = (name: string): readonly number[] =>
              einsums.flatMap((own, e) => (facts.reads(own.name).some(read => read.tensor === name) ? [e] : []));
            /** How a tensor of an Einsum passes; undefined where it comes from outside or leaves. */
            const wayOf = (e: number, t: number): Nearness | undefined => {
              const tensors = library.tensorsOf(e);
              // Where its maker leaves it, or whoever read it before.
              const way = (name: string, maker: number, reader: number): number => {
                const before = readersOf(name).filter(other => other >= from && other < reader);
                return Math.min(...[maker, ...before].map(own => nearnesses.indexOf(nearest(0, own, reader))));
              };
              const name = tensors[t] as string;
              if (t === tensors.length - 1) {
                if (problem.leaves(name, from, to)) return undefined;
                const readers = readersOf(name).filter(own => own >= from && own < to);
                return nearnesses[Math.max(0, ...readers.map(reader => way(name, e, reader)))];
              }
              const maker = problem.makerOf(name);
              return maker < from || maker >= to ? undefined : nearnesses[way(name, maker, e)];
            };
            const ofEinsum = (e: number) => {
              const places = library.suitedTo(e, tiling).map(p => {
                const option = library.option(e, p, tiling.order);
                const costs = option.tensors.map((__, t) => {
                  const way = wayOf(e, t);
                  const own = 1 << option.registers;
                  const shared = option.memories.filter(m => m > 0 && m !== option.registers);
                  const all =
                    way === "registers" ? [own] : Array.from({ length: 2 ** option.registers }, (___, i) => own | i);
                  const some = all.filter(kept => {
                    if (way === "registers") return true;
                    if (bits(kept).some(l => l !== 0 && l !== option.registers && !shared.includes(l))) return false;
                    const { held } = tensor(option, t, kept);
                    return kept % 2 === 1 || (way === "buffer" && kept !== own && held.every(h => h.room <= room));
                  });
                  return some.map(kept => tensor(option, t, kept));
                });
                return {
                  array: arrays.indexOf(option.place.array),
                  cycles: work(option).cycles,
                  energyPj: work(option).energyPj + sum(costs.map(all => Math.min(...all.map(c => c.energyPj)))),
                  dramBytes: sum(costs.map(all => Math.min(...all.map(c => c.dramBytes)))),
                };
              });
              const cycles = arrays.map((__, a) => Math.min(...places.flatMap(p => (p.array === a ? [p.cycles] : []))));
              return {
                cycles,
                energyPj: Math.min(...places.map(p => p.energyPj)),
                dramBytes: Math.min(...places.map(p => p.dramBytes)),
              };
            };
            const each = einsums.map((__, e) => (e >= from && e < to ? ofEinsum(e) : undefined));
            after.forEach((found, done) => {
              const rest = each.slice(from + done, to).flatMap(own => own ?? []);
              expect(found.energyPj).toBe(rest.reduceRight((total, own) => total + own.energyPj, 0));
              expect(found.dramBytes).toBe(rest.reduceRight((total, own) => total + own.dramBytes, 0));
              // Every assignment to arrays, and of these those that no other is below.
              const all = rest.reduce<readonly (readonly number[])[]>(
                (vectors, { cycles }) =>
                  vectors.flatMap(v =>
                    cycles.flatMap((own, a) =>
                      Number.isFinite(own) ? [v.map((n, i) => (i === a ? n + own : n))] : [],
                    ),
                  ),
                [arrays.map(() => 0)],
              );
              const isBelow = (a: readonly number[], b: readonly number[]): boolean =>
                a.every((n, i) => n <= (b[i] as number)) && a.join() !== b.join();
              const lowest = new Set(all.filter(v => !all.some(other => isBelow(other, v))).map(v => v.join()));
              expect(found.cycles.map(v => v.join()).sort()).toEqual([...lowest].sort());
            });
            const remembered = new Map<string, LeastOfEinsum>();
            for (let i = 0; i < 2; i++) {
              expect(
                boundsOf(problem, library, from, to, tiling, { work, tensor }, { nearest }, remembered).after,
              ).toEqual(after);
            }
            expect(remembered.size).toBe(to - from);
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  it("law: is below every assignment of many Einsums to arrays, however many vectors that takes", () => {
    const problem = inventedProblem({ cascade: "softmax", machine: "grid", sizes: { M: 5 } });
    const many = {
      ...problem,
      einsums: Array.from({ length: 12 }, () => problem.einsums[0] as (typeof problem.einsums)[number]),
    };
    const tiling = tilingsOf(problem, 0, 1).at(0);
    const tensor = (): TensorCost => ({ energyPj: 0, dramBytes: 0, held: [], seat: 0, use: undefined });
    const library = new OptionLibrary(many);
    // Of every sum more on the one array is less on the other: none is below another.
    const cycles = new Map(
      many.einsums.flatMap((_, e) =>
        library.suitedTo(e, tiling).map(p => [library.option(e, p, tiling.order).id, 2 ** e] as const),
      ),
    );
    const work = ({ id }: PlacedOption) => ({ cycles: cycles.get(id) as number, energyPj: 0 });
    const { after } = boundsOf(many, library, 0, 12, tiling, { work, tensor }, { nearest: () => "dram" });
    const [{ cycles: vectors } = { cycles: [] }] = after;
    expect(vectors.length).toBe(64);
    for (let choice = 0; choice < 2 ** 12; choice++) {
      if (!vectors.some(v => (v[0] as number) <= choice && (v[1] as number) <= 4095 - choice))
        throw new Error(`${choice} is below all`);
    }
    // Those with the least of the first are as they are; the last is the least of the rest.
    expect(vectors.map(v => [...v])).toEqual(Array.from({ length: 64 }, (_, i) => [i, i < 63 ? 4095 - i : 0]));
  });
});
