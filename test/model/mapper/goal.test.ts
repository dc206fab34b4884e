import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawnOrder, inTurns } from "../../../src/model/mapper/drawn-order.js";
import {
  aimsOf,
  chosenOf,
  comparing,
  Front,
  isAsGoodAs,
  type Objective,
  type Outcome,
  objectives,
  sumOf,
} from "../../../src/model/mapper/goal.js";

// What is best of some mappings, against looking at all pairs of them.

const outcome = fc
  .record({
    latencySeconds: fc.integer({ min: 1, max: 6 }),
    energyPj: fc.integer({ min: 1, max: 6 }),
    dramBytes: fc.integer({ min: 1, max: 3 }),
  })
  .map((own): Outcome => own);
const some = fc.array(outcome, { maxLength: 12 });
const at = (latencySeconds: number, energyPj: number, dramBytes = 1): Outcome => ({
  latencySeconds,
  energyPj,
  dramBytes,
});

/** Whether one is as good as another in what an objective looks at first, and then in the rest. */
function isAsGood(objective: Objective, a: Outcome, b: Outcome): boolean {
  const [x, y] = objective === "energy" ? [a.energyPj, b.energyPj] : [a.latencySeconds, b.latencySeconds];
  const [u, v] = objective === "energy" ? [a.latencySeconds, b.latencySeconds] : [a.energyPj, b.energyPj];
  const isLess = a.dramBytes <= b.dramBytes;
  if (objective === "latency" || objective === "energy") return x < y || (x === y && (u < v || (u === v && isLess)));
  return x <= y && u <= v && (x < y || u < v || isLess);
}

function frontOf(objective: Objective, all: readonly Outcome[], slack = 0, isWhole = false): Front<number> {
  const front = new Front<number>(objective, slack, isWhole);
  all.forEach((own, i) => void front.offer(own, () => i));
  return front;
}

describe("a front", () => {
  it.each(objectives)("law: has what no other is as good as, each once, by latency: %s", objective => {
    fc.assert(
      fc.property(some, all => {
        const best = all.filter(
          (own, i) =>
            !all.some(
              (other, k) => k !== i && isAsGood(objective, other, own) && (k < i || !isAsGood(objective, own, other)),
            ),
        );
        const expected = [...best].sort((a, b) => a.latencySeconds - b.latencySeconds);
        const front = frontOf(objective, all);
        expect(front.all.map(item => item.outcome)).toEqual(expected);
        for (const { outcome, what } of front.all) expect(all[what]).toBe(outcome);
        expect(new Front(objective, 0, false, front.all).all).toEqual(front.all);
      }),
    );
  });

  it.each(objectives)(
    "law: beats a bound that is no better than one of it, or better by less than the slack: %s",
    objective => {
      fc.assert(
        fc.property(some, outcome, fc.constantFrom(0, 0.25), fc.boolean(), (all, bound, slack, isWhole) => {
          const front = frontOf(objective, all, slack, isWhole);
          const hoped = at(
            bound.latencySeconds * (1 + slack),
            bound.energyPj * (1 + slack),
            bound.dramBytes * (1 + slack),
          );
          const product = (o: Outcome): number => o.latencySeconds * o.energyPj;
          const isBeaten = front.all.some(({ outcome: own }) =>
            isWhole && objective === "edp" ? product(own) <= product(hoped) : isAsGood(objective, own, hoped),
          );
          expect(front.isBeaten(bound)).toBe(isBeaten);
        }),
      );
    },
  );

  it("law: of what is enough less is no gain, and the rest decides", () => {
    fc.assert(
      fc.property(fc.constantFrom("latency", "energy"), some, (objective, all) => {
        const key = objective === "latency" ? "latencySeconds" : "energyPj";
        const front = new Front<number>(objective, 0, false, [], { [key]: 3 });
        all.forEach((own, i) => void front.offer(own, () => i));
        const clamped = all.map(own => ({ ...own, [key]: Math.max(3, own[key]) }));
        const [best] = frontOf(objective, clamped).all;
        expect(front.all.map(({ what }) => clamped[what])).toEqual(best === undefined ? [] : [best.outcome]);
      }),
    );
  });

  it("prefers what is given up for less than it saves, in order", () => {
    expect(isAsGoodAs("latency", at(1.0005, 1), at(1, 1.01))).toBe(true);
    expect(isAsGoodAs("latency", at(1.002, 1), at(1, 9))).toBe(false);
    expect(isAsGoodAs("energy", at(9, 1, 1), at(9, 1, 2))).toBe(true);
    expect(isAsGoodAs("energy", at(9, 1), at(9, 1))).toBe(false);
    expect(isAsGoodAs("edp", at(2, 3), at(2, 4))).toBe(true);
  });

  it("takes rounding for nothing, and more for what it is", () => {
    for (const objective of ["latency", "energy", "pareto"] as const) {
      for (const [more, less] of [
        [1 + 1e-10, false],
        [1 + 1e-8, true],
      ] as const) {
        // A little less of one for a little more of the other.
        const [a, b] = objective === "energy" ? [at(2, more), at(3, 1)] : [at(more, 2), at(1, 3)];
        expect(
          frontOf(objective, [a]).offer(b, () => 1),
          objective,
        ).toBe(less);
      }
    }
    // Neither is taken in twice.
    expect(frontOf("pareto", [at(1, 1)]).offer(at(1 - 1e-10, 1), () => 1)).toBe(false);
  });

  it("says whether it took one in, and refuses what has no time", () => {
    const front = frontOf("pareto", [at(2, 2)]);
    expect([front.offer(at(3, 3), () => 1), front.offer(at(1, 3), () => 2)]).toEqual([false, true]);
    for (const bad of [at(Number.NaN, 1), at(1, Number.POSITIVE_INFINITY)]) {
      expect(() => front.offer(bad, () => 3)).toThrow("a mapping without time or energy");
    }
  });

  it("law: of energy times time the least is chosen, the first of several; of all else all", () => {
    fc.assert(
      fc.property(some, all => {
        const items = all.map((outcome, i) => ({ outcome, i }));
        for (const objective of objectives) {
          const chosen = chosenOf(objective, items);
          if (objective !== "edp" || all.length === 0) expect(chosen).toBe(items);
          else {
            const least = Math.min(...all.map(o => o.latencySeconds * o.energyPj));
            expect(chosen).toEqual([items.find(({ outcome: o }) => o.latencySeconds * o.energyPj === least)]);
          }
        }
      }),
    );
  });
});

describe("outcomes", () => {
  it("of what follows one another add up", () => {
    expect(sumOf()).toEqual(at(0, 0, 0));
    expect(sumOf(at(1, 2), at(3, 5), at(7, 11))).toEqual(at(11, 18, 3));
  });

  it("are ordered by what is wanted, then by the other; for a front by their product", () => {
    const all = [at(1, 9), at(2, 2), at(2, 1), at(3, 1)];
    const order = (objective: Objective) => [...all].sort(comparing(objective)).map(own => all.indexOf(own));
    expect(order("latency")).toEqual([0, 2, 1, 3]);
    expect(order("energy")).toEqual([2, 3, 1, 0]);
    for (const objective of ["edp", "pareto"] as const) expect(order(objective)).toEqual([2, 3, 1, 0]);
    expect(aimsOf("pareto")).toEqual(["latency", "energy", "edp"]);
    expect(aimsOf("edp")).toEqual(["edp"]);
  });
});

describe("lists in turns", () => {
  it("law: each gives the next of its own that none has given", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 8 }),
        fc.integer({ min: 1, max: 3 }),
        fc.infiniteStream(fc.nat()),
        (n, lists, draws) => {
          const items = Array.from({ length: n }, (_, i) => i);
          const keyed = Array.from({ length: lists }, () =>
            items.map(item => [draws.next().value as number, item] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]),
          );
          const all = keyed.map(list => list.map(([, item]) => item));
          const given: number[] = [];
          const left = all.map(list => [...list]);
          for (let turn = 0; given.length < n; turn++) {
            const next = left[turn % lists]?.find(item => !given.includes(item));
            if (next !== undefined) given.push(next);
          }
          expect(inTurns(all)).toEqual(given);
        },
      ),
    );
  });

  it("law: a list within the budget stays; else every other is drawn, the same for the same seed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 12 }), fc.nat(), (n, budget, seed) => {
        const items = Array.from({ length: n }, (_, i) => 10 * i);
        const order = drawnOrder(items, budget, seed, 3);
        if (n <= budget) {
          expect(order).toBe(items);
          return;
        }
        expect([...order].sort((a, b) => a - b)).toEqual(items);
        expect(order[0]).toBe(0);
        expect(drawnOrder(items, budget, seed, 3)).toEqual(order);
      }),
    );
  });

  it("law: what is drawn is drawn evenly", () => {
    // The second of two turns is the first that the seed draws.
    const items = [0, 1, 2, 3, 4];
    const counts = items.map(() => 0);
    const seeds = 4000;
    for (let seed = 0; seed < seeds; seed++) {
      const drawn = drawnOrder(items, 1, seed * 2 ** 31 + seed, 1)[1] as number;
      counts[drawn] = (counts[drawn] as number) + 1;
    }
    // 0 is given already: where it is drawn, the one after it in the draw comes.
    const expected = seeds / 4;
    // Four standard deviations of a binomial count.
    const margin = 4 * Math.sqrt(seeds * 0.25 * 0.75);
    expect(counts[0]).toBe(0);
    for (const count of counts.slice(1)) expect(Math.abs(count - expected)).toBeLessThan(margin);
    const streams = [0, 1, 2, 3].map(stream => drawnOrder(items, 1, 7, stream).join());
    expect(new Set(streams).size).toBeGreaterThan(1);
  });
});
