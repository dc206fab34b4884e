import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MappedEinsum, observeNest } from "../../src/emulator/observe-nest.js";
import { analyse, peSteps, points, stepsOfBusiest } from "../../src/model/loop-nest.js";
import { modelNest, randomNests } from "./random-nest.js";

// Work that is dealt to the instances of a fan-out: turns of loops in time, each a unit that begins with empty memories.

/** The same nest with the turns of some loops of a memory dealt to the instances of a fan-out below it that has none. */
const dealtNests = fc
  .tuple(randomNests({ ranks: 3, size: 7, levels: 6 }), fc.integer({ min: 1, max: 5 }), fc.nat(99), fc.nat(99))
  .map(([einsum, instances, which, how]): MappedEinsum | undefined => {
    const { levels, loops } = einsum;
    const hasLoops = (level: number): boolean => loops.some(loop => loop.level === level);
    const places = levels.flatMap((own, level) => {
      const memory = levels.slice(0, level).findLastIndex(outer => outer.instances === undefined);
      return own.instances !== undefined && !hasLoops(level) && hasLoops(memory) ? [{ level, memory }] : [];
    });
    const place = places[which % Math.max(1, places.length)];
    if (place === undefined) return undefined;
    const own = [...loops.keys()].filter(i => loops[i]?.level === place.memory);
    const chosen = own.filter((_, i) => ((how >>> i) & 1) === 1);
    const dealt = chosen.length > 0 ? chosen : own;
    return {
      ...einsum,
      levels: levels.map((l, i) => (i === place.level ? { ...l, instances } : l)),
      spread: { level: place.level, loops: dealt },
    };
  })
  .filter(einsum => einsum !== undefined);

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
