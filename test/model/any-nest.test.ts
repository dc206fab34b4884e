import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MappedEinsum, observeNest } from "../../src/emulator/observe-nest.js";
import { analyse, iterations, peSteps, points } from "../../src/model/loop-nest.js";
import { modelNest, randomNests } from "./random-nest.js";

function predictNest(einsum: MappedEinsum, allInstances: boolean) {
  const { shape, ranks, kept } = modelNest(einsum);
  const counts = Object.assign(
    ranks.map(({ table }) => table),
    { alone: ranks },
  );
  const fanouts = shape.levels.flatMap(({ name, spatial }, level) =>
    spatial ? [{ level: name, loops: shape.masks.at[level] ?? 0, size: einsum.levels[level]?.instances ?? 1 }] : [],
  );
  const { useful, masked, unfilled } = peSteps(shape, counts, fanouts);
  return {
    steps: iterations(shape, counts),
    points: points(shape, counts),
    accesses: Object.fromEntries(
      analyse(shape, counts, kept, { allInstances, overflow: false }).map(({ tensor, levels }) => [
        tensor,
        Object.fromEntries(levels.map(({ level, ...words }) => [shape.levels[level]?.name, words])),
      ]),
    ),
    peSteps: { useful, masked, unfilled: Object.fromEntries(unfilled.map(({ level, steps }) => [level, steps])) },
  };
}

const observed = (einsum: MappedEinsum, instances: "all" | "one") => {
  const { operations: _, ...seen } = observeNest(einsum, undefined, instances);
  return seen;
};

describe("any nest", () => {
  it.each([
    [{ ranks: 1, size: 40, levels: 6 }, 3000],
    [{ ranks: 2, size: 11, levels: 6 }, 3000],
    [{ ranks: 3, size: 6, levels: 5 }, 2000],
  ])("is counted as a walk of all its loops counts it: %j, %i cases", (limits, numRuns) => {
    fc.assert(
      fc.property(randomNests(limits), einsum => {
        expect(predictNest(einsum, true)).toEqual(observed(einsum, "all"));
        expect(predictNest(einsum, false)).toEqual(observed(einsum, "one"));
      }),
      { numRuns },
    );
  });
});
