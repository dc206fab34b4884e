import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { type Accounting, published } from "../../src/model/accounting.js";
import { compileDesign } from "../../src/model/compile.js";
import { bigProduct } from "../../src/model/count.js";
import { evaluate } from "../../src/model/evaluate.js";
import { analyse, busiestShare, fetchedWords, peSteps, stepsOfBusiest, tuples } from "../../src/model/loop-nest.js";
import { type NestShape, nestShape } from "../../src/model/nest.js";
import { countRank, rankCount } from "../../src/model/partition.js";
import { sizesOf } from "../../src/model/sizes.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";

/** Reads, updates, fills. */
type Words = readonly [r: number, u: number, f: number];

/** The words of one design's Einsums, as `Einsum level tensor`. */
function words(design: string, seq: number, accounting: Accounting = published): ReadonlyMap<string, Words> {
  const sizes = sizesOf(loadWorkload(specFiles, "bert"), seq);
  const { counts } = evaluate(compileDesign(loadDesign(specFiles, design)), sizes, accounting);
  return new Map(
    counts.flatMap(({ name, accesses, levels }) =>
      accesses.flatMap(({ tensor, levels: at }) =>
        at.map(({ level, reads, updates, fills }): [string, Words] => [
          `${name} ${levels[level]} ${tensor}`,
          [reads, updates, fills],
        ]),
      ),
    ),
  );
}

describe("the published counts of FuseMax (BERT, 4K: nothing overflows)", () => {
  const [BH, M, P, E, F, D] = [64 * 12, 4096, 4096, 64, 64, 256];
  const [M1, Pt, P1] = [M / D, P / D, 16];
  const P2 = Pt / P1;
  const g = BH * M1 * Pt;
  const found = words("fusemax", 4096);
  const table: Readonly<Record<string, Words>> = {
    "BQK dram Q": [BH * P * E, 0, 0],
    "BQK dram BK": [BH * M * E * P2, 0, 0],
    "BQK buffer Q": [g * E * D, 0, BH * P * E],
    "BQK buffer BK": [g * E * D, 0, BH * M * E * P2],
    "BQK registers2d Q": [g * E, 0, g * E],
    "BQK registers2d BK": [g * E, 0, g * E],
    "BQK registers2d BQK": [g * E - g, g * E, 0],
    "LM registers2d BQK": [g, 0, 0],
    "LM registers2d LM": [0, g, 0],
    "LM spill LM": [0, g * D, 0],
    "SLN registers2d RM": [g, 0, g],
    "SLN registers2d SLN": [0, g, 0],
    "SLN spill RM": [g * D, 0, 0],
    "SLD registers2d SLN": [g, 0, 0],
    "SLD spill SLD": [0, g * D, 0],
    "SLNV dram BV": [BH * M * F * P2, 0, 0],
    "SLNV buffer BV": [g * F * D, 0, BH * M * F * P2],
    "SLNV registers2d SLN": [g * F, 0, 0],
    "SLNV registers2d SLNV": [g * F - BH * Pt * F, g * F, g * F - BH * Pt * F],
    "SLNV spill SLNV": [g * F * D - BH * P * F, g * F * D, 0],
    "RM buffer RM0": [g * D, 0, 0],
    "RM buffer RM": [0, g * D, 0],
    "RM registers1d RM": [0, g, 0],
    "SPNV buffer RNV0": [g * F * D, 0, 0],
    "SPNV registers1d RNV0": [g * F, 0, g * F],
    "RNV buffer RNV": [0, g * F * D, 0],
    "AV buffer RD": [BH * P, 0, 0],
    "AV buffer RNV": [BH * P * F, 0, 0],
    "AV registers1d RD": [BH * Pt * F, 0, BH * Pt],
    "AV dram AV": [0, BH * P * F, 0],
  };
  it.each(Object.entries(table))("%s", (name, want) => expect(found.get(name)).toEqual(want));
});

describe("first reads that overflow", () => {
  it("are 64-bit words, modulo 2^64, in the published accounting", () => {
    // QK at 1M: its words times the buffer's tile pass 2^64.
    const [BH, M, D, E] = [64n * 12n, 2n ** 20n, 256n, 64n];
    const tile = 128n * D * D;
    const atBuffer = BigInt.asUintN(64, BH * M * M * tile) / tile;
    const atRegisters = atBuffer / D / D;
    const steps = BH * (M / D) * (M / D) * E;
    expect(words("fusemax", 2 ** 20).get("BQK registers2d BQK")?.[0]).toBe(Number(steps - atRegisters));
  });

  it("are so many for each instance, where all instances count", () => {
    const all: Accounting = { ...published, name: "corrected", corrections: ["register-energy"] };
    const reads = (accounting: Accounting): number =>
      words("fusemax", 2 ** 20, accounting).get("BQK registers2d BQK")?.[0] ?? 0;
    expect(reads(all)).toBe(256 * 256 * reads(published));
  });

  it("are the true ones when corrected", () => {
    const corrected: Accounting = { ...published, name: "corrected", corrections: ["first-reads"] };
    const steps = 64 * 12 * 2 ** 24 * 64;
    expect(words("fusemax", 2 ** 20, corrected).get("BQK registers2d BQK")?.[0]).toBe(steps - steps / 64);
  });
});

describe("a nest of three loops", () => {
  // for k2 (buffer): for i: for k1: C[i] += A[i, k] * B[k], i = 3, k = 2 x 4.
  const shape = nestShape({
    levels: [
      { name: "dram", spatial: false },
      { name: "buffer", spatial: false },
    ],
    loops: [
      { level: 0, bit: 1 },
      { level: 1, bit: 0 },
      { level: 1, bit: 2 },
    ],
    ranks: [
      { shift: 0, parts: 1 },
      { shift: 1, parts: 2 },
    ],
    tensors: [
      { name: "A", output: false, relevant: 0b111 },
      { name: "B", output: false, relevant: 0b110 },
      { name: "C", output: true, relevant: 0b001 },
    ],
  });
  const ranks = [rankCount(1, 0), rankCount(2, 0)] as const;
  ranks[0].bounds.set([3]);
  ranks[1].bounds.set([2, 4]);
  countRank(ranks[0], 3);
  countRank(ranks[1], 8);
  const counts = ranks.map(({ table }) => table);
  const result = analyse(
    shape,
    counts,
    [
      [0, 1],
      [0, 1],
      [0, 1],
    ],
    { allInstances: true, overflow: false },
  );
  const at = (tensor: number, level: number) => result[tensor]?.levels[level];

  it("reads each input from DRAM once", () => {
    expect(at(0, 0)).toMatchObject({ reads: 24, updates: 0 });
    expect(at(1, 0)).toMatchObject({ reads: 8, updates: 0 });
  });
  it("serves one word per step from the innermost level", () => {
    expect(at(0, 1)).toMatchObject({ reads: 24, fills: 24 });
    expect(at(1, 1)).toMatchObject({ reads: 24, fills: 8 });
  });
  it("keeps partial sums where they fit: no outer loop but k2 changes nothing of C", () => {
    expect(at(2, 1)).toMatchObject({ updates: 24, reads: 21, fills: 0 });
    expect(at(2, 0)).toMatchObject({ updates: 3, reads: 0 });
  });
});

it("counts past 2^53 are exact products, rounded once", () => {
  const factors = [2 ** 30 + 1, 2 ** 30 + 3, 3];
  expect(bigProduct(factors)).toBe(Number((2n ** 30n + 1n) * (2n ** 30n + 3n) * 3n));
});

/** A nest of ranks of one loop each, in this order, of which some are dealt to fan-outs. */
function nestOfLoops(
  levels: readonly { readonly spatial: boolean; readonly loops: readonly number[] }[],
  spread: NestShape["spread"] = [],
) {
  const sizes = levels.flatMap(({ loops }) => loops);
  const at = levels.flatMap(({ loops }, level) => loops.map(() => level));
  const shape = nestShape({
    levels: levels.map(({ spatial }, level) => ({ name: `L${level}`, spatial })),
    loops: at.map((level, bit) => ({ level, bit })),
    ranks: sizes.map((_, shift) => ({ shift, parts: 1 })),
    tensors: [],
    spread,
  });
  return { shape, counts: sizes.map(size => Float64Array.of(1, size)) };
}
const memory = (...loops: readonly number[]) => ({ spatial: false, loops });
const fanout = (...loops: readonly number[]) => ({ spatial: true, loops });

it("counts of a nest are so too, and past 2^53 alone", () => {
  const of = (...sizes: readonly number[]): number => {
    const { shape, counts } = nestOfLoops([memory(...sizes)]);
    return tuples(shape, counts, 2 ** sizes.length - 1);
  };
  const [a, b, c] = [2 ** 27 + 3, 2 ** 27 + 7, 13];
  expect(of(a, b, c)).toBe(bigProduct([a, b, c]));
  expect(of(a, b, c)).not.toBe(a * b * c);
  // A count that is no whole number, as a bound under a mask may be, is no BigInt.
  expect(of(1.5, 2 ** 20)).toBe(1.5 * 2 ** 20);
  expect(of(2 ** 52, 2)).toBe(2 ** 53);
});

describe("work dealt to one fan-out", () => {
  // In each of 3 steps, on 2 of 4 clusters, 5 units on 2 cores.
  const { shape, counts } = nestOfLoops(
    [memory(3), fanout(2), memory(5), fanout(), memory()],
    [{ level: 3, loops: 0b100 }],
  );
  const fanouts = [
    { level: "L1", loops: 0b010, size: 4 },
    { level: "L3", loops: 0, size: 2 },
  ];

  it("takes as many rounds as there are units for an instance", () => {
    expect(stepsOfBusiest(shape, counts, counts, shape, [2])).toBe(3 * 3);
    expect(stepsOfBusiest(shape, counts, counts, shape, [5])).toBe(3);
    const { shape: none } = nestOfLoops([memory(3), fanout(2), memory(5)]);
    expect(stepsOfBusiest(none, counts, counts, none, [])).toBe(15);
    // Of what a mask leaves none is dealt.
    const masked = counts.map((own, r) => (r === 0 ? Float64Array.of(1, 2) : own));
    expect(stepsOfBusiest(none, masked, counts, none, [])).toBe(10);
  });

  it("leaves idle the clusters around it and the cores that have no unit", () => {
    const { useful, unfilled } = peSteps(shape, counts, fanouts, 9);
    expect([useful, ...unfilled.map(({ steps }) => steps)]).toEqual([30, 2 * 2 * 9, 6]);
    expect(useful + 2 * 2 * 9 + 6).toBe(9 * 4 * 2);
  });

  it("without any leaves nothing where a mask leaves nothing", () => {
    const { shape: none } = nestOfLoops([memory(3), fanout(2), memory(5)]);
    const empty = Object.assign(
      counts.map(() => Float64Array.of(1, 0)),
      { touched: () => undefined },
    );
    expect(peSteps(none, empty, fanouts.slice(0, 1))).toEqual({
      useful: 0,
      masked: 0,
      unfilled: [{ level: "L1", steps: 0 }],
    });
  });
});

describe("words of units of work", () => {
  // A[i] in 2 steps of 3 units on 2 cores, each with a memory; within each 4 units on PEs.
  const { shape, counts } = nestOfLoops(
    [memory(2, 3), fanout(), memory(4), fanout(), memory(5)],
    [
      { level: 1, loops: 0b0010 },
      { level: 3, loops: 0b0100 },
    ],
  );
  const ofI = { name: "A", output: false, relevant: 0b1000 };

  it("come again for each unit that is dealt to a memory around them, and stay where units are dealt within", () => {
    const fetched = (into: number): number => fetchedWords(shape, counts, ofI, into, 0, 0);
    // In the core's memory A is the same for all steps, but each of its units begins anew; so is each of a PE's.
    expect(fetched(2)).toBe(2 * 3 * 5);
    expect(fetched(4)).toBe(2 * 3 * 4 * 5);
    const apart = { ...shape, spread: shape.spread?.slice(1) ?? [] };
    expect(fetchedWords(apart, counts, ofI, 2, 0, 0)).toBe(5);
  });
});

describe("work dealt to two fan-outs, one within the other", () => {
  // 3 units on 2 cores, each of 4 on 3 PEs, each of 2 steps, on 3 of 4 lanes.
  const { shape, counts } = nestOfLoops(
    [memory(3), fanout(), memory(4), fanout(), memory(2), fanout(3)],
    [
      { level: 1, loops: 0b0001 },
      { level: 3, loops: 0b0010 },
    ],
  );
  const fanouts = [
    { level: "L1", loops: 0, size: 2 },
    { level: "L3", loops: 0, size: 3 },
    { level: "L5", loops: 0b1000, size: 4 },
  ];

  it("takes as many rounds as the busiest instance of each", () => {
    expect(stepsOfBusiest(shape, counts, counts, shape, [2, 3])).toBe(2 * 2 * 2);
    expect(stepsOfBusiest(shape, counts, counts, shape, [3, 4])).toBe(2);
  });

  it("takes under a mask an even share of all steps, or the longest unit", () => {
    // Of 24 steps a mask leaves 9 or 21.
    const masked = (steps: number) => counts.map((own, r) => Float64Array.of(1, r === 0 ? steps / 8 : (own[1] ?? 1)));
    expect(stepsOfBusiest(shape, masked(21), counts, shape, [2, 3])).toBe(Math.ceil(21 / 6));
    expect(stepsOfBusiest(shape, masked(9), counts, shape, [2, 3])).toBe(2);
  });

  it("is the busiest instance's in the share of the fan-outs around a level", () => {
    const share = (level: number): number => busiestShare(shape, counts, [2, 3], level);
    expect([share(0), share(2), share(4)]).toEqual([1, 2 / 3, ((2 / 3) * 2) / 4]);
  });

  it("leaves idle the cores, the PEs and the lanes that have no unit", () => {
    const { useful, masked, unfilled } = peSteps(shape, counts, fanouts, 8);
    expect([useful, masked]).toEqual([72, 0]);
    // The second core for 4 of 8 steps; for each of 3 units two PEs for 2 of 4; a lane of four in 24 steps.
    const [core, pe, lane] = unfilled.map(({ steps }) => steps);
    expect(core).toBeCloseTo(4 * 3 * 4, 9);
    expect(pe).toBeCloseTo(3 * 2 * 2 * 4, 9);
    expect(lane).toBeCloseTo(24, 9);
    // Where every instance has as much none is idle but lanes.
    const even = peSteps(
      shape,
      counts,
      [{ ...fanouts[0], size: 3 }, { ...fanouts[1], size: 4 }, fanouts[2]] as typeof fanouts,
      2,
    );
    expect(even.unfilled.map(({ steps }) => steps)).toEqual([0, 0, 24]);
  });

  it("under a mask is the longest unit's, or all instances' alike", () => {
    // A mask leaves 3 steps of 24: the longest unit has 2 of them.
    const left = counts.map((own, r) => Float64Array.of(1, r === 0 ? 3 / 8 : (own[1] ?? 1)));
    const masked = Object.assign(left, { touched: () => undefined });
    const steps = stepsOfBusiest(shape, masked, counts, shape, [2, 3]);
    expect(steps).toBe(2);
    // Cores work in 3 of 4 steps, in each of them one PE of three, and of its lanes all but the fourth.
    const { useful, unfilled } = peSteps(shape, masked, fanouts, steps);
    expect([useful, ...unfilled.map(own => own.steps)]).toEqual([9, (4 - 3) * 12, (9 - 3) * 4, 3]);
  });

  it("has nothing to do where a mask leaves nothing", () => {
    const left = counts.map((_, r) => Float64Array.of(1, r === 0 ? 0 : 1));
    const none = Object.assign(left, { touched: () => undefined });
    expect(peSteps(shape, none, fanouts, 0)).toMatchObject({
      useful: 0,
      unfilled: [0, 0, 0].map(steps => ({ steps })),
    });
  });
});
