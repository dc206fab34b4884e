import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { type Accounting, published } from "../../src/model/accounting.js";
import { compileDesign } from "../../src/model/compile.js";
import { bigProduct } from "../../src/model/count.js";
import { evaluate } from "../../src/model/evaluate.js";
import { analyse } from "../../src/model/loop-nest.js";
import { nestShape } from "../../src/model/nest.js";
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
