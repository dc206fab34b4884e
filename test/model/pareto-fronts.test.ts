import fc from "fast-check";
import { expect, it } from "vitest";
import { ParetoFronts } from "../../src/model/pareto-fronts.js";

interface Point {
  readonly group: number;
  readonly values: readonly number[];
}

const isBeaten = (points: readonly Point[], { group, values }: Point): boolean =>
  points.some(
    other =>
      other.group === group &&
      !other.values.some(Number.isNaN) &&
      other.values.every((value, k) => value <= (values[k] as number)) &&
      other.values.some((value, k) => value < (values[k] as number)),
  );

function frontOf(points: readonly Point[], objectives: number): readonly boolean[] {
  const fronts = new ParetoFronts(objectives);
  for (const { group, values } of points) fronts.add(group, values);
  return points.map(({ group, values }) => fronts.has(group, values));
}

it("law: the fronts hold exactly the points that no other of their group beats", () => {
  // Differences below 1, too.
  const number = fc.integer({ min: -4, max: 8 }).map(quarters => quarters / 4);
  const value = fc.oneof({ weight: 6, arbitrary: number }, fc.constantFrom(Number.NaN, -0));
  const points = fc.integer({ min: 1, max: 3 }).chain(objectives =>
    fc.array(
      fc.record({
        group: fc.integer({ min: 0, max: 2 }),
        values: fc.array(value, { minLength: objectives, maxLength: objectives }),
      }),
      { maxLength: 60 },
    ),
  );
  fc.assert(
    // Asked for once more after some of the points, so that those to come are sorted among fronts.
    fc.property(points, fc.nat(60), (given, some) => {
      const fronts = new ParetoFronts(given[0]?.values.length ?? 1);
      for (const [n, point] of given.entries()) {
        fronts.add(point.group, point.values);
        if (n !== some && n !== given.length - 1) continue;
        const before = given.slice(0, n + 1);
        for (const [i, own] of before.entries()) {
          const expected = !own.values.some(Number.isNaN) && !isBeaten(before, own);
          expect(fronts.has(own.group, own.values), `point ${i} of ${n + 1}`).toBe(expected);
        }
      }
    }),
  );
});

it("a point is on a front from the first one on, and no other ever is", () => {
  const fronts = new ParetoFronts(2);
  expect(fronts.has(0, [0, 0])).toBe(false);
  fronts.add(0, [1, 1]);
  expect(fronts.has(0, [1, 1])).toBe(true);
  // What was asked for does not count, nor does what the next ones make of it.
  fronts.add(0, [0.5, 2]);
  fronts.add(0, [0.5, 3]);
  const at = [
    [0, 0],
    [1, 1],
    [0.5, 2],
    [0.5, 3],
    [1, 2],
  ].map(values => fronts.has(0, values));
  expect(at).toEqual([false, true, true, false, false]);
  expect([fronts.has(1, [1, 1]), fronts.has(-1, [1, 1])]).toEqual([false, false]);
  // A little before and after one that is there.
  fronts.add(0, [1.25, 0.5]);
  fronts.add(0, [0.75, 1.5]);
  const now = [
    [0.5, 2],
    [0.75, 1.5],
    [1, 1],
    [1.25, 0.5],
  ].map(values => fronts.has(0, values));
  expect(now).toEqual([true, true, true, true]);
});

it("a point of another group beats none, nor does one without a number", () => {
  for (const objectives of [1, 2, 3]) {
    const of = (...values: readonly number[]): readonly number[] => values.slice(0, objectives);
    expect(
      frontOf(
        [
          { group: 0, values: of(1, 1, 1) },
          { group: 1, values: of(2, 2, 2) },
          { group: 2, values: of(3, 3, 3) },
        ],
        objectives,
      ),
    ).toEqual([true, true, true]);
  }
  // Between two numbers, so that they would not come in order past it.
  for (const none of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const values = [
      [2, 1],
      [none, 1],
      [1, 2],
      [1, none],
      [0, 3],
    ];
    expect(
      frontOf(
        values.map(own => ({ group: 0, values: own })),
        2,
      ),
    ).toEqual([true, false, true, false, true]);
  }
});

it("law: the fronts are the same however many times they were settled between points", () => {
  // More points than wait at a time, along a front that grows, is passed by, and grows again.
  const points = Array.from({ length: 60_000 }, (_, i): Point => {
    const x = (i * 7919) % 30_011;
    return { group: i % 2, values: [x, (i % 3 === 0 ? 30_011 : 40_000 + i) - x] };
  });
  const front = frontOf(points, 2);
  const least = new Map<number, Map<number, number>>();
  for (const { group, values } of points) {
    const [x = 0, y = 0] = values;
    const of = least.get(group) ?? new Map<number, number>();
    least.set(group, of.set(x, Math.min(of.get(x) ?? Number.POSITIVE_INFINITY, y)));
  }
  const expected = new Set<string>();
  for (const [group, of] of least) {
    let best = Number.POSITIVE_INFINITY;
    for (const [x, y] of [...of].sort(([a], [b]) => a - b)) {
      if (y < best) expected.add(`${group} ${x} ${y}`);
      best = Math.min(best, y);
    }
  }
  for (const [i, { group, values }] of points.entries()) {
    if (front[i] !== expected.has(`${group} ${values.join(" ")}`)) expect.fail(`point ${i}`);
  }
});
