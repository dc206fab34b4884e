import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { atOnceOf } from "../../../src/model/mapper/at-once.js";
import type { Place } from "../../../src/model/mapper/place.js";
import { suitsRank } from "../../../src/model/mapper/tiling.js";
import { inventedProblem } from "./invented.js";

describe("how many of a batch are worked on at once", () => {
  // The shared level has 96 bytes; K and V take 2 (E + F) M of them, twice while they stream. Q is read once.
  it.each([
    // Room for 12: all heads, and of 5 sequences 4, in two turns of 3.
    [{ B: 5, H: 3, E: 1, F: 1, M: 1, queries: 9 }, [1, 3, 5], [1, 3]],
    [{ B: 2, H: 6, E: 1, F: 1, M: 1, queries: 1 }, [1, 2], [1, 6]],
    // For 6: one sequence of 4 heads, and no half of another; for 4 of 7 heads, in turns of 4 and 3.
    [{ B: 4, H: 4, E: 1, F: 1, M: 2, queries: 3 }, [1, 4], [1, 4]],
    [{ B: 5, H: 7, E: 2, F: 1, M: 2, queries: 9 }, [1, 5], [1, 4, 7]],
    [{ B: 5, H: 7, E: 1, F: 2, M: 2, queries: 9 }, [1, 5], [1, 4, 7]],
    // For 3 of 4 heads: two turns of two are as many.
    [{ B: 3, H: 4, E: 1, F: 1, M: 4, queries: 1 }, [1, 3], [1, 2, 4]],
    // For none: one.
    [{ B: 3, H: 4, E: 2, F: 2, M: 40, queries: 1 }, [1, 3], [1, 4]],
  ] as const)("is one, all, and as many as a shared level has room for: %j", (sizes, ofB, ofH) => {
    // Whether tiles are of one part or two.
    for (const machine of ["shared", "even"] as const) {
      const problem = inventedProblem({ cascade: "batched", machine, sizes });
      const found = [...atOnceOf(problem)].map(([r, all]) => [problem.ranks[r]?.name, all] as const);
      expect(Object.fromEntries(found)).toEqual({ B: ofB, H: ofH });
    }
    expect(atOnceOf(inventedProblem({ cascade: "batched", machine: "cores", sizes })).size).toBe(0);
  });
});

describe("a place for the parts of a rank's tile", () => {
  it("law: has room for what lies over it, leaves no room for what is in time, and lays no part apart that is one", () => {
    const laid = fc.constantFrom<readonly number[] | undefined>(undefined, [0], [1], [0, 1]);
    const one = fc.record({ size: fc.integer({ min: 1, max: 4 }), parts: laid });
    const tiles = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }));
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 3 }), tiles, fc.boolean(), (fanouts, tile, isOwn) => {
        const over = fanouts.map(({ parts }) => (parts === undefined ? undefined : { rank: 1, parts }));
        const all = over.flatMap(own => own?.parts ?? []);
        // Each part lies over one fan-out at the most, the outer one further out; if any does the innermost does.
        const isPlace = new Set(all).size === all.length && all.join() === [...all].sort().join() && all.join() !== "0";
        fc.pre(isPlace);
        const array = { fanouts: fanouts.map(({ size }, i) => ({ level: `${i}`, size })) };
        const place = { array, over, ranks: isOwn ? [1] : [] } as unknown as Place;
        const [t0, t1] = tile;
        const sizeOf = (part: number): number => tile[part] ?? 1;
        const fits = fanouts.every(({ size, parts = [] }) => parts.map(sizeOf).reduce((a, b) => a * b, 1) <= size);
        const hasRoom = (part: number, before: number): boolean =>
          fanouts.some(({ size, parts }, i) => i < before && parts === undefined && size > 1 && sizeOf(part) <= size);
        const at = fanouts.findIndex(({ parts }) => parts?.includes(1));
        const isWhole = (fanouts[at]?.parts ?? []).length === 2;
        const outerAt = fanouts.findIndex(({ parts }) => parts?.includes(0));
        // An outer part that is one, or that would fit beside the inner one, does not lie elsewhere.
        const isApart = t0 === 1 || t0 * t1 <= (fanouts[at]?.size ?? 1);
        const expected =
          fits &&
          (!isOwn ||
            (at < 0 ? !hasRoom(1, fanouts.length) : isWhole || (!isApart && (outerAt >= 0 || !hasRoom(0, at)))));
        expect(suitsRank(place, 1, tile)).toBe(expected);
        // Of a rank that lies nowhere here.
        expect(suitsRank({ ...place, ranks: [] }, 2, tile)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});
