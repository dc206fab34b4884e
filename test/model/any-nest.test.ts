import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seenBy } from "../../src/attention/window.js";
import { type MappedEinsum, observeNest, type Visible } from "../../src/emulator/observe-nest.js";
import { coupleRanks } from "../../src/model/coupled-counts.js";
import { analyse, iterations, peSteps, points } from "../../src/model/loop-nest.js";
import type { MaskRole } from "../../src/model/mask-ranks.js";
import { maskedCounts } from "../../src/model/masked-counts.js";
import type { VisibleRegion } from "../../src/model/visible-region.js";
import { modelNest, randomNests } from "./random-nest.js";

function predictNest(
  einsum: MappedEinsum,
  allInstances: boolean,
  masked?: { roles: readonly MaskRole[]; region: VisibleRegion },
) {
  const { shape, ranks, kept } = modelNest(einsum);
  const boxes = Object.assign(
    ranks.map(({ table }) => table),
    { alone: ranks },
  );
  const coupled = masked === undefined ? undefined : coupleRanks(shape, masked.roles);
  const counts =
    coupled === undefined || masked === undefined
      ? boxes
      : maskedCounts({ shape, ranksAlone: ranks, coupled }, boxes, masked.region);
  const laid = coupled?.shape ?? shape;
  const fanouts = shape.levels.flatMap(({ name, spatial }, level) =>
    spatial ? [{ level: name, loops: shape.masks.at[level] ?? 0, size: einsum.levels[level]?.instances ?? 1 }] : [],
  );
  const { useful, masked: hidden, unfilled } = peSteps(laid, counts, fanouts);
  return {
    steps: iterations(laid, counts),
    points: points(laid, counts),
    accesses: Object.fromEntries(
      analyse(laid, counts, kept, { allInstances, overflow: false }).map(({ tensor, levels }) => [
        tensor,
        Object.fromEntries(levels.map(({ level, ...words }) => [shape.levels[level]?.name, words])),
      ]),
    ),
    peSteps: {
      useful,
      masked: hidden,
      unfilled: Object.fromEntries(unfilled.map(({ level, steps }) => [level, steps])),
    },
  };
}

const observed = (einsum: MappedEinsum, instances: "all" | "one", visible?: Visible) => {
  const { operations: _, ...seen } = observeNest(einsum, visible, instances);
  return seen;
};

/** The scores of one sequence or a batch of them: rank by rank batch (where there is one), rows of queries, keys. */
function visibleScores(region: VisibleRegion, roles: readonly MaskRole[]): Visible {
  const sequences = region.sequences;
  const at = (role: MaskRole, point: readonly number[]): number => point[roles.indexOf(role)] ?? 0;
  const sequenceAt = (point: readonly number[]) => sequences[at("batch", point)] as (typeof sequences)[number];
  return {
    exists(point) {
      const { from, to } = seenBy(region, sequenceAt(point), Math.floor(at("queries", point) / region.group));
      return from <= at("keys", point) && at("keys", point) < to;
    },
    isWithin(point) {
      const { queries, keys } = sequenceAt(point);
      return at("queries", point) < queries * region.group && at("keys", point) < keys;
    },
  };
}

const maskedNests = (withBatch: boolean) =>
  fc
    .tuple(
      randomNests({ ranks: withBatch ? 4 : 3, size: withBatch ? 6 : 10, levels: 5 }),
      fc.infiniteStream(fc.nat(50)),
    )
    .filter(([{ ranks }]) => ranks.length >= (withBatch ? 3 : 2))
    .map(([einsum, draw]) => {
      const next = (): number => draw.next().value as number;
      const roles: MaskRole[] = withBatch ? ["batch", "queries", "keys"] : ["queries", "keys"];
      const sizeOf = (role: MaskRole): number => einsum.ranks[roles.indexOf(role)]?.size ?? 1;
      const group = 1 + (next() % 3);
      const queries = Math.floor(sizeOf("queries") / group);
      const sequences = Array.from({ length: sizeOf("batch") }, () => ({
        count: 1,
        queries: withBatch ? next() % (queries + 1) : queries,
        keys: withBatch ? next() % (sizeOf("keys") + 1) : sizeOf("keys"),
      }));
      const region: VisibleRegion = { group, left: (next() % 8) - 1, right: (next() % 8) - 1, sequences };
      return { einsum: { ...einsum, tensors: einsum.tensors }, roles, region };
    });

describe("any nest", () => {
  it.each([
    [{ ranks: 1, size: 40, levels: 6 }, 2000],
    [{ ranks: 2, size: 11, levels: 6 }, 2000],
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

  it.each([
    [false, 1200],
    [true, 1200],
  ])("is counted so under masks too, with a rank of sequences: %s, %i cases", (withBatch, numRuns) => {
    fc.assert(
      fc.property(maskedNests(withBatch), ({ einsum, roles, region }) => {
        const visible = visibleScores(region, roles);
        expect(predictNest(einsum, true, { roles, region })).toEqual(observed(einsum, "all", visible));
        expect(predictNest(einsum, false, { roles, region })).toEqual(observed(einsum, "one", visible));
      }),
      { numRuns },
    );
  });
});
