import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MappedEinsum, observeNest } from "../../src/emulator/observe-nest.js";
import { analyse, peSteps, points, stepsOfBusiest } from "../../src/model/loop-nest.js";
import { dealtNests, modelNest } from "./random-nest.js";

// Work that is dealt to the instances of a fan-out: iterations of loops in time, each a unit that begins with empty memories.

function predict(einsum: MappedEinsum, allInstances: boolean) {
  const { shape, ranks, kept } = modelNest(einsum);
  const boxes = Object.assign(
    ranks.map(({ table }) => table),
    { alone: ranks },
  );
  const fanouts = shape.levels.flatMap(({ name, spatial }, level) =>
    spatial ? [{ level: name, loops: shape.masks.at[level] ?? 0, size: einsum.levels[level]?.instances ?? 1 }] : [],
  );
  const size = einsum.levels[einsum.spread?.level ?? 0]?.instances ?? 1;
  const steps = stepsOfBusiest(shape, boxes, boxes, shape, [size]);
  const { useful, unfilled } = peSteps(shape, boxes, fanouts, steps);
  return {
    steps,
    points: points(shape, boxes),
    accesses: Object.fromEntries(
      analyse(shape, boxes, kept, { allInstances, overflow: false }).map(({ tensor, levels }) => [
        tensor,
        Object.fromEntries(levels.map(({ level, ...words }) => [shape.levels[level]?.name, words])),
      ]),
    ),
    // Of fan-outs around the dealt one the walk, unit after unit, does not say what idles when.
    idle: useful + unfilled.reduce((sum, { steps }) => sum + steps, 0),
  };
}

describe("work dealt to instances", () => {
  it("is counted as a walk of its units counts it, 3,000 nests", () => {
    fc.assert(
      fc.property(dealtNests, einsum => {
        for (const instances of ["all", "one"] as const) {
          const { steps, points, accesses, peSteps: seen } = observeNest(einsum, undefined, instances);
          const pes = einsum.levels.reduce((product, level) => product * (level.instances ?? 1), 1);
          expect(seen.useful).toBe(points);
          const { idle, ...predicted } = predict(einsum, instances === "all");
          expect(predicted).toEqual({ steps, points, accesses });
          // Every PE-step is accounted for, once.
          expect(idle).toBeCloseTo(steps * pes, 6);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
