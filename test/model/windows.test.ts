import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MappedEinsum } from "../../src/emulator/observe-nest.js";
import { footprint, intervalsToForm, overlap, type Side, wordsOfWindow } from "../../src/model/footprint.js";
import { analyse, tileWords } from "../../src/model/loop-nest.js";
import type { NestTensor } from "../../src/model/nest.js";
import { apartInSpace, crossings } from "../../src/model/windows.js";
import { walkWindows } from "../oracle/window-walk.js";
import { type Cut, nestOf } from "./cut-nest.js";
import { dealtNests, modelNest, randomNests } from "./random-nest.js";

// I[p*a + r*b + s*c], or with the last rank in a place of its own or without it: all others slide over one.
const nests = (einsums: fc.Arbitrary<MappedEinsum>) =>
  fc
    .tuple(
      einsums,
      fc.array(fc.constantFrom(1, 1, 1, 2, 3, 5), { minLength: 4, maxLength: 4 }),
      fc.constantFrom("slides", "alone", "absent", "first alone"),
      fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
    )
    .filter(([{ ranks }]) => ranks.length >= 2)
    .map(([einsum, strides, last, keeps]) => {
      const apart = einsum.ranks.length > 2 && last !== "slides";
      const first = last === "first alone";
      const sliding = [...einsum.ranks.keys()].slice(apart && first ? 1 : 0, apart && !first ? -1 : undefined);
      const alone = [...einsum.ranks.keys()].filter(rank => last !== "absent" && !sliding.includes(rank));
      const memories = [...einsum.levels.keys()].filter(level => einsum.levels[level]?.instances === undefined);
      const chosen = memories.filter(level => keeps[level] === true);
      const kept = chosen.length > 0 ? chosen : [0];
      const tensor = {
        name: "I",
        output: false,
        has: einsum.loops.map(({ rank }) => [...sliding, ...alone].includes(rank)),
        kept,
      };
      return {
        einsum: { ...einsum, tensors: [tensor] },
        strides: strides.slice(0, sliding.length),
        kept,
        places: [
          sliding.map((rank, i) => ({ rank, stride: strides[i] as number })),
          ...alone.map(rank => [{ rank, stride: 1 }]),
        ],
        sliding,
      };
    });

type Case = ReturnType<typeof nests> extends fc.Arbitrary<infer T> ? T : never;

/** Two sliding ranks over one fan-out, one in chunks that do not divide it: refused by name (check-windows.ts). */
function isCounted({ einsum: { levels, loops, ranks }, sliding }: Case): boolean {
  const isEven = (rank: number): boolean =>
    ranks[rank]?.bounds.reduce((product, bound) => product * bound, 1) === ranks[rank]?.size;
  return levels.every(({ instances }, level) => {
    const over = sliding.filter(rank =>
      loops.some(loop => loop.rank === rank && loop.level === level && (ranks[rank]?.bounds[loop.part] ?? 1) > 1),
    );
    return instances === undefined || over.length < 2 || over.every(isEven);
  });
}

function windowed({ einsum, strides, sliding }: Case) {
  const { shape, ranks, kept } = modelNest(einsum);
  const tensor: NestTensor = {
    ...(shape.tensors[0] as NestTensor),
    windows: [sliding.map((rank, i) => ({ rank, stride: i }))],
  };
  const counts = Object.assign(
    ranks.map(({ table }) => table),
    { alone: ranks, strides: Float64Array.from(strides) },
  );
  return { shape, tensor, counts, kept };
}

function predicted(nest: Case, allInstances: boolean) {
  const { shape, tensor, counts, kept } = windowed(nest);
  const [found] = analyse({ ...shape, tensors: [tensor] }, counts, kept, { allInstances, overflow: false });
  return {
    words: Object.fromEntries((found?.levels ?? []).map(({ level, reads, fills }) => [level, { reads, fills }])),
  };
}

/** The words at which the coordinates of a level's first tile arrive. */
function wordsOfTile({ einsum: { ranks, loops }, places }: Case, level: number): number {
  const extentOf = (rank: number): number => {
    const { size = 1, bounds = [] } = ranks[rank] ?? {};
    const outside = loops.filter(loop => loop.rank === rank && loop.level < level).length;
    const chunk = bounds.slice(outside).reduce((product, bound) => product * bound, 1);
    return Math.min(size, chunk);
  };
  const arrivedAt = (place: Case["places"][number]): number => {
    let words = [0];
    for (const { rank, stride } of place)
      words = words.flatMap(word => Array.from({ length: extentOf(rank) }, (_, i) => word + i * stride));
    return new Set(words).size;
  };
  return places.reduce((product, place) => product * arrivedAt(place), 1);
}

describe("windows that slide over a tensor", () => {
  it.each([
    ["of two ranks", randomNests({ ranks: 2, size: 9, levels: 5 }), 400],
    ["of three ranks", randomNests({ ranks: 3, size: 6, levels: 5 }), 400],
    ["with iterations dealt to instances", dealtNests, 200],
  ])("law: words are those that a walk of all loops sees: nests %s", (_, einsums, numRuns) => {
    fc.assert(
      fc.property(nests(einsums).filter(isCounted), nest => {
        expect(predicted(nest, true).words).toEqual(walkWindows(nest.einsum, nest, "all"));
        expect(predicted(nest, false).words).toEqual(walkWindows(nest.einsum, nest, "one"));
      }),
      { numRuns },
    );
  });

  it.each<[string, Cut, readonly string[], readonly (1 | 2 | 3)[], number]>([
    ["rows that go on", { r: [7, 7], k: [3, 3] }, ["r0", "k0"], [1, 1], 2],
    ["steps of two", { r: [6, 6], k: [3, 3] }, ["r0", "k0"], [2, 1], 2],
    ["tiles of rows, the last one partial", { r: [7, 3, 3], k: [3, 3] }, ["r0", "r1 k0"], [1, 1], 2],
    ["rows that begin anew for each key", { r: [5, 5], k: [4, 2, 2] }, ["k0 r0", "k1"], [1, 1], 2],
    ["rows that stand still for another rank", { r: [5, 5], k: [2, 2], e: [3, 3] }, ["e0 r0", "k0"], [1, 1], 2],
    ["rows around another rank", { r: [5, 5], k: [2, 2], e: [3, 3] }, ["r0 e0", "k0"], [1, 1], 2],
    ["another rank of the tensor in between", { r: [5, 5], k: [2, 2], e: [3, 3] }, ["r0 e0", "k0"], [1, 1], 3],
    ["another rank of the tensor around", { r: [5, 2, 3], k: [2, 2], e: [3, 2, 2] }, ["e0 r0", "e1 k0 r1"], [1, 2], 3],
    ["memories of rows", { r: [11, 2, 2, 3], k: [3, 3] }, ["r0", "*r1", "r2 k0"], [1, 1], 2],
    ["memories of rows around keys in time", { r: [6, 2, 3], k: [5, 3, 2] }, ["k0", "*r0", "r1 k1"], [1, 1], 2],
    ["memories of keys", { r: [6, 2, 3], k: [4, 2, 2] }, ["r0", "*k0", "r1 k1"], [3, 1], 2],
    ["three that slide", { r: [4, 4], k: [4, 2, 2], e: [2, 2] }, ["k0 r0", "k1 e0"], [1, 3, 2], 3],
    ["three memories deep", { r: [8, 2, 2, 2], k: [4, 2, 2] }, ["k0 r0", "r1", "r2 k1"], [1, 2], 2],
  ])("law: words of small windows are those of the walk: %s", (name, cut, levels, strides, ranks) => {
    const einsum = nestOf(cut, levels);
    // Of the ranks of the tensor all slide but another one, which has a place of its own.
    const own = [...einsum.ranks.keys()].slice(0, ranks);
    const sliding = name.startsWith("another") ? own.slice(0, 2) : own;
    const memories = [...einsum.levels.keys()].filter(level => einsum.levels[level]?.instances === undefined);
    for (const kept of [memories, [0, memories.at(-1) as number]]) {
      const tensor = { name: "I", output: false, has: einsum.loops.map(({ rank }) => own.includes(rank)), kept };
      const places = [
        sliding.map((rank, i) => ({ rank, stride: strides[i] as number })),
        ...own.filter(rank => !sliding.includes(rank)).map(rank => [{ rank, stride: 1 }]),
      ];
      const nest: Case = { einsum: { ...einsum, tensors: [tensor] }, strides: [...strides], kept, places, sliding };
      expect(predicted(nest, true).words).toEqual(walkWindows(nest.einsum, nest, "all"));
      expect(predicted(nest, false).words).toEqual(walkWindows(nest.einsum, nest, "one"));
      for (const level of einsum.levels.keys()) {
        const { shape, tensor, counts } = windowed(nest);
        expect(tileWords(shape, counts, tensor, level)).toBe(wordsOfTile(nest, level));
      }
    }
  });

  it("law: a tile holds the words at which its coordinates arrive", () => {
    fc.assert(
      fc.property(nests(randomNests({ ranks: 3, size: 8, levels: 5 })), nest => {
        const { shape, tensor, counts } = windowed(nest);
        for (const level of nest.einsum.levels.keys())
          expect(tileWords(shape, counts, tensor, level)).toBe(wordsOfTile(nest, level));
      }),
      { numRuns: 200 },
    );
  });

  it("cross in a fan-out over two ranks that slide over each other, whatever other loops are there", () => {
    const { shape, ranks } = modelNest(nestOf({ r: [2, 2], k: [2, 2], e: [3, 3] }, ["", "*r0 k0 e0", ""]));
    const counts = Object.assign(
      ranks.map(({ table }) => table),
      { alone: ranks, strides: Float64Array.of(1, 1) },
    );
    const window = [1, 2].map((rank, stride) => ({ rank, stride }));
    expect(crossings(shape, counts, window, 0b111)).toEqual([{ loops: 0b110, ranks: [1, 2], places: 2 + 3 - 1 }]);
    expect(crossings(shape, counts, window, 0b011)).toEqual([]);
    expect(apartInSpace(shape, counts, [window], 0b111)).toEqual({ loops: 0b001, places: 4 });
  });

  it("are as many intervals to form as their strides leave apart, the least stride first", () => {
    const side = (stride: number, extent: number): Side => ({ stride, extent });
    expect(intervalsToForm([side(1, 6), side(2, 3)])).toBe(1);
    expect(intervalsToForm([side(2, 3), side(1, 2)])).toBe(1);
    expect(intervalsToForm([side(2, 3)])).toBe(3);
    // Eight words without a hole, and eight more right after them, or one further on.
    expect(intervalsToForm([side(1, 2), side(2, 4), side(8, 2)])).toBe(1);
    expect(intervalsToForm([side(1, 2), side(2, 4), side(9, 2)])).toBe(2);
    expect(intervalsToForm([side(9, 4), side(3, 2), side(1, 1)])).toBe(2 * 4);
    // Those that are apart stay so, as far as is known before they are formed.
    expect(intervalsToForm([side(2, 3), side(3, 2)])).toBe(3 * 2);
    // A third stride reaches what the first two have, or does not.
    expect(intervalsToForm([side(1, 2), side(2, 3), side(6, 2)])).toBe(1);
    expect(intervalsToForm([side(1, 2), side(2, 3), side(7, 2)])).toBe(2);
  });

  it("law: a tile is the words at which its coordinates arrive, and two share those that both have", () => {
    const side = fc.record({ stride: fc.integer({ min: 1, max: 9 }), extent: fc.integer({ min: 1, max: 6 }) });
    const window = fc.array(side, { minLength: 1, maxLength: 3 });
    const wordsOf = (sides: readonly Side[]): readonly number[] =>
      sides.reduce<readonly number[]>(
        (words, { stride, extent }) => words.flatMap(w => Array.from({ length: extent }, (_, i) => w + i * stride)),
        [0],
      );
    fc.assert(
      fc.property(window, window, fc.integer({ min: -40, max: 40 }), (first, second, shift) => {
        const [a, b] = [new Set(wordsOf(first)), new Set(wordsOf(second))];
        expect(wordsOfWindow(first)).toBe(a.size);
        expect(overlap(footprint(first), footprint(second), shift)).toBe([...b].filter(w => a.has(w + shift)).length);
        expect(intervalsToForm(first)).toBeGreaterThanOrEqual(footprint(first).length);
      }),
    );
  });
});
