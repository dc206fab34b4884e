import { type RowBits, rowBits, type SequenceClass } from "../../src/attention/sequences.js";
import { seenBy } from "../../src/attention/window.js";
import { type MappedEinsum, observeNest, type Visible } from "../../src/emulator/observe-nest.js";
import { coupleRanks } from "../../src/model/coupled-counts.js";
import { analyse, iterations, peSteps, points } from "../../src/model/loop-nest.js";
import type { MaskRole } from "../../src/model/mask-ranks.js";
import { maskedCounts } from "../../src/model/masked-counts.js";
import type { VisibleRegion } from "../../src/model/region.js";
import { modelNest } from "./random-nest.js";

// What the model says of one nest, and what a walk of it sees, masked or not.

export function predictNest(
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

export const observed = (einsum: MappedEinsum, instances: "all" | "one", visible?: Visible) => {
  const { operations: _, ...seen } = observeNest(einsum, visible, instances);
  return seen;
};

/** The scores of a batch of sequences; of a role that no rank has, a point is all of its coordinates together. */
export function visibleScores(region: VisibleRegion, roles: readonly MaskRole[]): Visible {
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
  /** A walk comes to a point again and again. */
  const once = (holds: (point: readonly number[]) => boolean) => {
    const known = new Map<number, boolean>();
    return (point: readonly number[]): boolean => {
      const place = roles.reduce((code, _, i) => 64 * code + (point[i] as number), 0);
      const found = known.get(place) ?? holds(point);
      known.set(place, found);
      return found;
    };
  };
  return {
    exists: once(point =>
      isAny(point, ({ bits, ...sequence }, row, key) => {
        const { from, to } = seenBy(region, sequence, Math.floor(row / region.group));
        const shown = bits === undefined || ((bits.word(row, key >>> 5, region.group) >>> (key & 31)) & 1) === 1;
        return from <= key && key < to && shown;
      }),
    ),
    isWithin: once(point => isAny(point, () => true)),
  };
}

/** Bits of a window with holes: every key of it, each second, or each third, other ones for each row. */
export function holes(
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
