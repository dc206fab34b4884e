import { expect, it } from "vitest";
import type { SequenceClass } from "../../src/attention/sequences.js";
import type { VisibleRegion } from "../../src/model/region.js";
import { type Cut, nestOf, type Rank, roleOf } from "./cut-nest.js";
import { holes, observed, predictNest, visibleScores } from "./predicted-nest.js";

// Ranks under a mask cut around a memory in ways that random nests seldom are, with every tensor that a nest may have.

const windows = [
  [-1, 0],
  [0, 0],
  [1, 1],
  [2, -1],
] as const;

const nests: readonly (readonly [string, Cut, readonly string[]])[] = [
  ["an instance without work in the last chunk", { r: [2, 2], k: [2, 2], e: [3, 2, 2] }, ["r0 e0", "*e1", "k0"]],
  ["the same beside another rank", { r: [3, 3], k: [2, 2], e: [5, 2, 2, 2] }, ["e0 r0", "*e1", "e2 k0"]],
  ["shared rows between rows in time", { r: [7, 2, 2, 2], k: [7, 4, 2] }, ["r0", "*r1", "r2 k0", "k1"]],
  ["shared rows between, with keys around", { r: [8, 2, 2, 2], k: [7, 4, 2] }, ["k0 r0", "*r1", "r2", "k1"]],
  ["keys in time, of memories and inside", { r: [7, 7], k: [7, 2, 2, 2] }, ["r0 k0", "*k1", "k2"]],
  ["keys of memories between keys in time", { r: [5, 5], k: [7, 2, 2, 2] }, ["k0 r0", "*k1", "k2"]],
  ["memories of keys around those in time", { r: [5, 5], k: [11, 2, 3, 2] }, ["r0", "*k0", "k1", "k2"]],
  ["memories of rows and of keys", { r: [6, 3, 2], k: [6, 3, 2], e: [2, 2] }, ["r0 k0", "*r1 k1", "e0"]],
  ["keys and another rank in time", { r: [3, 3], k: [6, 3, 2], e: [3, 2, 2] }, ["r0 k0 e0", "k1 e1"]],
  ["another rank around", { r: [3, 3], k: [6, 3, 2], e: [3, 2, 2] }, ["e0 k0 r0", "*e1", "k1"]],
  ["two fan-outs", { r: [6, 3, 2], k: [8, 2, 2, 2] }, ["r0", "*k0", "k1", "*r1", "k2"]],
  ["shared sequences around those in time", { b: [4, 2, 2], r: [3, 3], k: [4, 2, 2] }, ["k0", "*b0", "b1 r0", "k1"]],
  ["sequences of memories", { b: [5, 3, 2], r: [3, 3], k: [4, 2, 2] }, ["b0 k0", "*b1", "r0 k1"]],
  ["sequences in time twice", { b: [5, 3, 2], r: [3, 3], k: [4, 2, 2] }, ["b0 b1 r0", "k0 k1"]],
  ["sequences inside", { b: [5, 3, 2], r: [3, 3], k: [4, 2, 2] }, ["r0 b0 k0", "b1 k1"]],
  ["keys alone", { b: [3, 3], k: [5, 3, 2], e: [2, 2] }, ["e0 b0 k0", "k1"]],
  ["rows alone", { b: [3, 3], r: [5, 3, 2], e: [2, 2] }, ["e0 b0 r0", "r1"]],
  ["memories of keys of which rows see few", { r: [2, 2], k: [12, 2, 3, 2], e: [2, 2] }, ["e0", "*k0", "k1", "r0 k2"]],
  ["tiles of keys of which rows see few", { r: [6, 3, 2], k: [3, 3, 1], e: [2, 2] }, ["e0", "*r0", "k0", "r1 k1"]],
  ["two other ranks inside", { r: [3, 3], k: [4, 2, 2], e: [2, 2], f: [3, 3] }, ["r0 k0", "f0 e0 k1"]],
  ["two other ranks", { r: [3, 3], k: [4, 2, 2], e: [3, 2, 2], f: [2, 2] }, ["f0 e0 r0 k0", "*e1", "k1"]],
];

it.each(nests)("law: words are those of a walk: %s", (_, cut, levels) => {
  const einsum = nestOf(cut, levels);
  expect(predictNest(einsum, true)).toEqual(observed(einsum, "all"));
  expect(predictNest(einsum, false)).toEqual(observed(einsum, "one"));
});

it.each(nests)("law: words under a mask are those of a walk: %s", (_, cut, levels) => {
  const einsum = nestOf(cut, levels);
  const roles = (Object.keys(cut) as Rank[]).map(name => roleOf[name]).filter(role => role !== undefined);
  const sizeOf = (rank: Rank, other: number): number => cut[rank]?.[0] ?? other;
  for (const [i, [left, right]] of windows.entries()) {
    const group = i === 2 && sizeOf("r", 1) % 2 === 0 ? 2 : 1;
    const most = { queries: Math.floor(sizeOf("r", 3) / group), keys: sizeOf("k", 3) };
    const window = { group, left, right };
    // Sequences of other lengths, some alike side by side.
    const sequences = Array.from({ length: sizeOf("b", 1) }, (_, b): SequenceClass => {
      const shorter = [0, 0, 2, 1, 1][(b + i) % 5] ?? 0;
      return "b" in cut
        ? { count: 1, queries: Math.max(0, most.queries - shorter), keys: Math.max(1, most.keys - 2 * shorter) }
        : { count: 1, ...most };
    });
    const classes: SequenceClass[] = [];
    for (const own of sequences) {
      const before = classes.at(-1);
      if (before?.queries === own.queries && before.keys === own.keys)
        classes.splice(-1, 1, { ...own, count: before.count + 1 });
      else classes.push(own);
    }
    // Bits with holes take ways of their own.
    for (const each of i === 0 ? [1, 2] : [1]) {
      const region: VisibleRegion = {
        ...window,
        sequences: each === 1 ? classes : classes.map(own => ({ ...own, bits: holes(window, own, each) })),
      };
      const visible = visibleScores(region, roles);
      const title = `${left}, ${right}, each ${each}`;
      expect(predictNest(einsum, true, { roles, region }), title).toEqual(observed(einsum, "all", visible));
      expect(predictNest(einsum, false, { roles, region }), title).toEqual(observed(einsum, "one", visible));
    }
  }
});
