import fc from "fast-check";
import { expect, it } from "vitest";
import { paretoFront } from "../../src/model/sweep.js";

it("the front holds exactly the points that no other of their group beats", () => {
  const point = fc.record({
    group: fc.integer({ min: 0, max: 2 }),
    values: fc.tuple(
      ...Array.from({ length: 3 }, () => fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constant(Number.NaN))),
    ),
  });
  fc.assert(
    fc.property(fc.array(point, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (points, count) => {
      const columns = Array.from({ length: count }, (_, k) => Float64Array.from(points, p => p.values[k] as number));
      const front = paretoFront(
        columns,
        Int32Array.from(points, p => p.group),
      );
      points.forEach((p, i) => {
        const mine = columns.map(column => column[i] as number);
        const beaten = points.some((q, j) => {
          const theirs = columns.map(column => column[j] as number);
          return (
            q.group === p.group &&
            !theirs.some(Number.isNaN) &&
            theirs.every((v, k) => v <= (mine[k] as number)) &&
            theirs.some((v, k) => v < (mine[k] as number))
          );
        });
        expect(front[i], `point ${i}`).toBe(!mine.some(Number.isNaN) && !beaten ? 1 : 0);
      });
    }),
  );
});
