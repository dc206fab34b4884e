import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SequenceClass } from "../../src/attention/sequences.js";
import type { MaskRole } from "../../src/model/mask-ranks.js";
import type { VisibleRegion } from "../../src/model/region.js";
import { holes, observed, predictNest, visibleScores } from "./predicted-nest.js";
import { randomNests } from "./random-nest.js";

/** Neighbours that are alike, as one class. */
function inClasses(sequences: readonly SequenceClass[]): readonly SequenceClass[] {
  const classes: SequenceClass[] = [];
  for (const sequence of sequences) {
    const last = classes.at(-1);
    if (last?.queries === sequence.queries && last.keys === sequence.keys) {
      classes[classes.length - 1] = { ...last, count: last.count + sequence.count };
    } else classes.push(sequence);
  }
  return classes;
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
      const all: MaskRole[] = withBatch ? ["batch", "queries", "keys"] : ["queries", "keys"];
      // One in four without one of the ranks; sequences that differ have one of their own (checkMaskable).
      const without = next() % (4 * all.length);
      const roles = all.filter((_, i) => i !== without);
      const sizeOf = (role: MaskRole): number =>
        roles.includes(role) ? (einsum.ranks[roles.indexOf(role)]?.size ?? 1) : role === "batch" ? 1 : 3;
      const group = 1 + (next() % 3);
      const queries = Math.floor(sizeOf("queries") / group);
      const lengths = Array.from({ length: sizeOf("batch") }, () => ({
        count: 1,
        queries: withBatch ? next() % (queries + 1) : queries,
        keys: withBatch ? next() % (sizeOf("keys") + 1) : sizeOf("keys"),
      }));
      // Now and then alike.
      const sequences = lengths.map((_, b) => lengths[next() % 2 === 0 ? b >>> 1 : b] as SequenceClass);
      const window = { group, left: (next() % 8) - 1, right: (next() % 8) - 1 };
      const sparse = next() % 6;
      const region: VisibleRegion = {
        ...window,
        sequences: inClasses(sequences).map(own =>
          sparse === 0 || sparse > 3 ? own : { ...own, bits: holes(window, own, sparse) },
        ),
      };
      return { einsum: { ...einsum, tensors: einsum.tensors }, roles, region };
    });

type MaskedCase = ReturnType<typeof maskedNests> extends fc.Arbitrary<infer Nest> ? Nest : never;

/** A rank of one coordinate over a fan-out of 144: sequences of one key find the same tile of keys at hand. */
const manyIdleInstances: MaskedCase = {
  einsum: {
    levels: [
      { name: "L0", instances: undefined },
      { name: "L1", instances: 144 },
      { name: "L2", instances: undefined },
    ],
    ranks: [
      { size: 2, bounds: [2] },
      { size: 4, bounds: [4] },
      { size: 4, bounds: [4, 1] },
      { size: 1, bounds: [1, 3, 3, 4] },
    ],
    loops: [
      { level: 0, rank: 0, part: 0 },
      { level: 0, rank: 2, part: 0 },
      { level: 0, rank: 3, part: 0 },
      { level: 1, rank: 1, part: 0 },
      { level: 1, rank: 3, part: 1 },
      { level: 1, rank: 3, part: 2 },
      { level: 1, rank: 3, part: 3 },
      { level: 2, rank: 2, part: 1 },
    ],
    tensors: [
      { name: "T1", output: false, has: [false, true, false, false, false, false, false, false], kept: [0, 2] },
    ],
    operations: { mac: 1 },
  },
  roles: ["batch", "queries", "keys"],
  region: {
    group: 2,
    left: 3,
    right: 0,
    sequences: [
      { count: 1, queries: 2, keys: 1 },
      { count: 1, queries: 2, keys: 1 },
    ],
  },
};

/** A batch of one sequence, cut into a chunk of two: the second turn has nothing. */
const partialBatch: MaskedCase = {
  einsum: {
    levels: [
      { name: "L0", instances: undefined },
      { name: "L1", instances: 1 },
      { name: "L2", instances: undefined },
      { name: "L3", instances: undefined },
    ],
    ranks: [
      { size: 1, bounds: [1, 2] },
      { size: 3, bounds: [3] },
      { size: 2, bounds: [2, 1] },
      { size: 1, bounds: [1] },
    ],
    loops: [
      { level: 0, rank: 1, part: 0 },
      { level: 0, rank: 2, part: 0 },
      { level: 0, rank: 3, part: 0 },
      { level: 1, rank: 0, part: 0 },
      { level: 2, rank: 0, part: 1 },
      { level: 3, rank: 2, part: 1 },
    ],
    tensors: [{ name: "T1", output: false, has: [false, true, false, true, true, true], kept: [0, 3] }],
    operations: { mac: 1 },
  },
  roles: ["batch", "queries", "keys"],
  region: { group: 3, left: 3, right: 4, sequences: [{ count: 1, queries: 1, keys: 1 }] },
};

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
      { numRuns, ...(withBatch ? { examples: [[manyIdleInstances], [partialBatch]] } : {}) },
    );
  });
});
