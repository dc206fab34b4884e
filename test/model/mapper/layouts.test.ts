import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { follows, layoutsOf } from "../../../src/model/mapper/layout.js";
import { OptionLibrary } from "../../../src/model/mapper/option.js";
import { recurrencesOf } from "../../../src/model/mapper/recurrences.js";
import { problemOf } from "../small-machine.js";

const machine = { columns: 2, rows: 2, lanes: 2, bufferBytes: 64, bytesPerSecond: 1e9 };

describe("the layouts that a limited search begins with", () => {
  const namesOf = (cascade: "product" | "chain", from: number, to: number, E: number): readonly string[] => {
    const problem = problemOf(machine, cascade, { E, F: 1, M: 2, queries: 3 });
    return layoutsOf(problem, from, to).map(layout =>
      [...layout].map(([array, over]) => `${array}: ${over.map(r => problem.ranks[r]?.name).join(" ")}`).join("; "),
    );
  };

  it("have each order of two ranks over a grid, with each of them over the lanes", () => {
    expect(new Set(namesOf("product", 0, 1, 1))).toEqual(
      new Set(["grid: P M; lanes: P", "grid: P M; lanes: M", "grid: M P; lanes: P", "grid: M P; lanes: M"]),
    );
    expect(new Set(namesOf("product", 0, 1, 2)).size).toBe(3 * 2 * 3);
  });

  it("have the ranks that several Einsums of a block go along", () => {
    // E is S's alone; F is of one element.
    expect(new Set(namesOf("chain", 0, 3, 2))).toEqual(new Set(namesOf("product", 0, 1, 1)));
  });

  it("law: are followed by the places that lay an Einsum's ranks so, whatever lies where it has none", () => {
    const problem = problemOf(machine, "product", { E: 2, F: 1, M: 2, queries: 3 });
    const places = new OptionLibrary(problem).placesOf(0);
    for (const layout of layoutsOf(problem, 0, 1)) {
      for (const has of [() => true, (rank: number) => rank !== 0, () => false]) {
        for (const place of places) {
          const wanted = layout.get(place.array.name) ?? [];
          const isSo = place.over.every((laid, i) => {
            const own = wanted[i];
            return own === undefined || !has(own) || laid?.rank === own;
          });
          expect(follows(layout, place, has)).toBe(isSo);
        }
      }
      expect(places.filter(place => follows(layout, place, () => true)).length).toBeLessThan(places.length);
      expect(places.some(place => follows(layout, place, () => true))).toBe(true);
    }
  });
});

describe("Einsums that wait for each other", () => {
  it("law: are those that each can be come to from the other, each set once, where there are several", () => {
    const graphs = fc
      .integer({ min: 1, max: 6 })
      .chain(n => fc.array(fc.subarray(Array.from({ length: n }, (_, i) => i)), { minLength: n, maxLength: n }));
    fc.assert(
      fc.property(graphs, reads => {
        const reach = reads.map(own => new Set(own));
        for (const _ of reads)
          for (const own of reach) for (const other of [...own]) for (const next of reach[other] ?? []) own.add(next);
        const sets = reads.map((_, i) =>
          reads.flatMap((__, j) => (i === j || (reach[i]?.has(j) && reach[j]?.has(i)) ? [j] : [])),
        );
        const expected = sets.filter((set, i) => set.length > 1 && set[0] === i);
        expect(recurrencesOf(reads).map(set => [...set].sort((a, b) => a - b))).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });
});
