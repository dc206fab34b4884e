import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type RowBits, rowBits, type SequenceClass } from "../../src/attention/sequences.js";
import { seenBy } from "../../src/attention/window.js";
import { type MappedEinsum, observeNest, type Visible } from "../../src/emulator/observe-nest.js";
import { coupleRanks } from "../../src/model/coupled-counts.js";
import { analyse, iterations, peSteps, points } from "../../src/model/loop-nest.js";
import type { MaskRole } from "../../src/model/mask-ranks.js";
import { maskedCounts } from "../../src/model/masked-counts.js";
import type { VisibleRegion } from "../../src/model/region.js";
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

/** The scores of a batch of sequences; of a role that no rank has, a point is all of its coordinates together. */
function visibleScores(region: VisibleRegion, roles: readonly MaskRole[]): Visible {
  const sequences = region.sequences.flatMap(sequence => Array.from({ length: sequence.count }, () => sequence));
  const own = (role: MaskRole, point: readonly number[], all: number): readonly number[] => {
    const place = roles.indexOf(role);
    if (place < 0) return Array.from({ length: all }, (_, i) => i);
    return (point[place] as number) < all ? [point[place] as number] : [];
  };
  const isAny = (point: readonly number[], holds: (of: SequenceClass, row: number, key: number) => boolean): boolean =>
    own("batch", point, sequences.length).some(b => {
      const sequence = sequences[b] as SequenceClass;
      const rows = own("queries", point, sequence.queries * region.group);
      const keys = own("keys", point, sequence.keys);
      return rows.some(row => keys.some(key => holds(sequence, row, key)));
    });
  return {
    exists: point =>
      isAny(point, ({ bits, ...sequence }, row, key) => {
        const { from, to } = seenBy(region, sequence, Math.floor(row / region.group));
        const shown = bits === undefined || ((bits.word(row, key >>> 5, region.group) >>> (key & 31)) & 1) === 1;
        return from <= key && key < to && shown;
      }),
    isWithin: point => isAny(point, () => true),
  };
}

/** Bits of a window with holes: every key of it, each second, or each third, other ones for each row. */
function holes(
  window: { readonly group: number; readonly left: number; readonly right: number },
  own: SequenceClass,
  each: number,
): RowBits {
  return rowBits((row, w) => {
    const { from, to } = seenBy(window, own, Math.floor(row / window.group));
    let word = 0;
    for (let m = Math.max(from, 32 * w); m < Math.min(to, 32 * w + 32); m++)
      if ((row + m) % each === 0) word += 2 ** (m & 31);
    return word;
  });
}

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
      const sequences = Array.from({ length: sizeOf("batch") }, () => ({
        count: 1,
        queries: withBatch ? next() % (queries + 1) : queries,
        keys: withBatch ? next() % (sizeOf("keys") + 1) : sizeOf("keys"),
      }));
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
