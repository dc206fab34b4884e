import { describe, expect, it } from "vitest";
import { biasRanks, noScoreTerms, type ScoreTerms } from "../../src/attention/score-terms.js";
import { type KeyMask, rowBits } from "../../src/attention/sequences.js";
import { specFiles } from "../../src/io/spec-files.js";
import { actionTable } from "../../src/model/action-table.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate, mapDesign } from "../../src/model/evaluate.js";
import { paperDesigns } from "../../src/model/evaluation.js";
import { chargedDesign } from "../../src/model/per-terms.js";
import { simulateDesign } from "../../src/model/schedule/simulate-design.js";
import { checkSizes } from "../../src/model/sizes.js";
import { checkSweep } from "../../src/model/sweep.js";
import { modelResults } from "../../src/report/model-result.js";
import { observeDesign } from "../../src/report/observed-counts.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";
import { designWithTerms } from "../../src/spec/score-terms/design.js";

// A soft-cap and a bias, laid over the designs as Einsums of their cascades: counted by hand at one small size.

const accounting = accountingOf("corrected", undefined);
const capped: ScoreTerms = { softcap: "divider", bias: null };
const biased = (...sizes: readonly [number, number, number, number]): ScoreTerms => ({
  softcap: null,
  bias: biasRanks(sizes, 8),
});

/** B sequences and H heads of 8 queries and 8 keys, E = F = 2, on 4 x 4 PEs: 2 x 2 tiles per head. */
const sizes = checkSizes({
  ...{ B: 2, H: 3, E: 2, F: 2, M: 8, queries: 8, modelDim: 6, feedForward: 24, group: 1 },
  valuesInKeys: 0,
});
const heads = 6;
const scores = heads * 8 * 8;

function compiledWith(name: string, terms: ScoreTerms) {
  const { design } = designWithTerms(loadDesign(specFiles, name), terms);
  const patches = [
    { path: "architecture.parameters.rows", value: 4 },
    { path: "architecture.parameters.columns", value: 4 },
  ];
  return compileDesign(design, { corrections: accounting.corrections, patches });
}

const evaluated = (name: string, terms: ScoreTerms) => evaluate(compiledWith(name, terms), sizes, accounting);

function operationsOf(name: string, terms: ScoreTerms): Readonly<Record<string, number>> {
  const total: Record<string, number> = {};
  for (const { operations } of evaluated(name, terms).counts) {
    for (const { name: operation, count } of operations) total[operation] = (total[operation] ?? 0) + count;
  }
  return total;
}

const cyclesOf = (name: string, terms: ScoreTerms): Readonly<Record<string, number>> =>
  Object.fromEntries(evaluated(name, terms).counts.map(own => [own.name, own.cycles]));

describe("a soft-cap", () => {
  it.each(paperDesigns)("takes 8 multiply-adds, 2 additions and a division for each score on %s", name => {
    // y and w r, and six of E2, whose coefficients are as many; 1 - e and 1 + e.
    const [before, after] = [operationsOf(name, noScoreTerms), operationsOf(name, capped)];
    const more = (operation: string): number => (after[operation] ?? 0) - (before[operation] ?? 0);
    expect(more("mac")).toBe(8 * scores);
    expect(more("add")).toBe(2 * scores);
    expect(more("divide")).toBe(scores);
    expect(more("exp")).toBe(0);
  });

  it("is done where FuseMax makes scores, but for a division that each lane of the 1D array does for its column", () => {
    // 24 tiles. A PE of the 2D array has one score per tile: 7 cycles for y and E2, one for each of the sums and the product.
    // A lane has the four scores of its column, at the corrected four cycles each: 16 a tile.
    const { CE, CN, CD, CR, CS } = cyclesOf("fusemax", capped);
    expect({ CE, CN, CD, CR, CS }).toEqual({ CE: 24 * 7, CN: 24, CD: 24, CR: 24 * 4 * 4, CS: 24 });
    const byMacs = cyclesOf("fusemax", { softcap: "multiply-adds", bias: null });
    // A seed, three Newton steps of two, the product with 1 - e.
    expect(byMacs["CR"]).toBe(24 * (1 + 3 * 2 + 1));
  });

  it("takes 14 cycles more a score on FLAT's 1D array, whose four lanes hold four keys of a row", () => {
    // 7 for y and E2, two sums, four of the divider, one product: 8 rows of 8 / 4 rounds per head.
    const sum = (cycles: Readonly<Record<string, number>>): number =>
      ["CE", "CN", "CD", "CR", "CS"].reduce((all, einsum) => all + (cycles[einsum] ?? 0), 0);
    expect(sum(cyclesOf("flat", capped))).toBe(heads * 8 * 2 * 14);
    expect(evaluated("flat", capped).cycles - evaluated("flat", noScoreTerms).cycles).toBe(heads * 8 * 2 * 14);
  });

  it("moves no word of DRAM: scores that stay on chip stay there", () => {
    for (const name of paperDesigns) {
      expect(evaluated(name, capped).trafficBytes, name).toBe(evaluated(name, noScoreTerms).trafficBytes);
    }
  });

  it("says so where no array has a divider, and takes multiply-adds", () => {
    const design = loadDesign(specFiles, "fusemax");
    const without = ({ divide: _, ...operations }: Readonly<Record<string, string | number>>) => operations;
    const { data } = design.architecture;
    const arrays = Object.fromEntries(
      Object.entries(data.arrays).map(([name, own]) => [name, { ...own, operations: without(own.operations) }]),
    );
    const architecture = { ...design.architecture, data: { ...data, arrays } };
    const { design: made, notes } = designWithTerms({ ...design, architecture }, capped);
    expect(notes).toEqual([
      "no array of fusemax has a divider: the soft-cap's divisions are charged as 8 multiply-adds (a seed, three Newton steps, a product)",
    ]);
    expect(made.mapping.data.einsums["CR"]).toMatchObject({ array: "2d", operations: { mac: 8 } });
  });

  it("is refused on a design without a cascade", () => {
    expect(() => designWithTerms(loadDesign(specFiles, "linear-flat"), capped)).toThrow(
      /linear-flat.yaml:1:1 cascade: no cascade, and scores that are capped or biased; .*--no-softcap/,
    );
  });

  it("is left out of such a design where it is only the model's own, and a line says so", () => {
    const design = loadDesign(specFiles, "linear-flat");
    const own = chargedDesign(design, capped, { softcap: "model", division: "divider", bias: null });
    expect(own.terms).toEqual(noScoreTerms);
    expect(own.notes).toEqual(["linear-flat is charged no soft-cap: no cascade, and scores that are capped or biased"]);
    expect(() => chargedDesign(design, capped, { softcap: "on", division: "divider", bias: null })).toThrow(
      /no cascade/,
    );
  });
});

describe("a bias", () => {
  /** Words of the bias that DRAM and the buffer give, over all heads. */
  function wordsOf(name: string, terms: ScoreTerms) {
    const sum = evaluated(name, terms).counts.find(own => own.name === "SB");
    const bias = sum?.accesses.find(({ tensor }) => tensor === "BIAS");
    const at = (level: string) => bias?.levels.find(own => sum?.levels[own.level] === level);
    return { dram: at("dram")?.reads, filled: at("buffer")?.fills, read: at("buffer")?.reads };
  }

  it.each([
    // One for each score: whoever shares it (batch, heads) comes back to it when other tiles have passed.
    ["B,H,P,M", [2, 3, 8, 8], scores],
    ["P,M", [1, 1, 8, 8], scores],
    // A row of keys stays for both tiles of queries of a block: 8 words per head.
    ["H,1,M", [1, 3, 1, 8], heads * 8],
    ["1,M", [1, 1, 1, 8], heads * 8],
    // A column of queries passes for each of two tiles of keys.
    ["H,P,1", [1, 3, 8, 1], heads * 8 * 2],
  ] as const)("of [%s] is an addition per score on FuseMax, and its words pass DRAM and buffer", (_, ranks, words) => {
    const terms = biased(...(ranks as readonly [number, number, number, number]));
    expect(wordsOf("fusemax", terms)).toEqual({ dram: words, filled: words, read: words });
    expect(cyclesOf("fusemax", terms)["SB"]).toBe(24);
    const more = (operation: string): number =>
      (operationsOf("fusemax", terms)[operation] ?? 0) - (operationsOf("fusemax", noScoreTerms)[operation] ?? 0);
    expect([more("add"), more("mac")]).toEqual([scores, 0]);
    const before = evaluated("fusemax", noScoreTerms);
    expect(evaluated("fusemax", terms).trafficBytes - before.trafficBytes).toBe(2 * words);
  });

  it.each(paperDesigns)("on %s: 16 bits of traffic and an addition per score", name => {
    const terms = biased(1, 3, 8, 8);
    const [before, after] = [evaluated(name, noScoreTerms), evaluated(name, terms)];
    expect(after.trafficBytes - before.trafficBytes).toBe(2 * scores);
    expect((operationsOf(name, terms)["add"] ?? 0) - (operationsOf(name, noScoreTerms)["add"] ?? 0)).toBe(scores);
  });

  it("comes from DRAM tile by tile in a schedule: as many bytes as the model counts", () => {
    for (const terms of [
      noScoreTerms,
      biased(1, 3, 8, 8),
      biased(1, 3, 1, 8),
      { ...biased(1, 1, 8, 8), ...{ softcap: "divider" as const } },
    ]) {
      const compiled = compiledWith("fusemax", terms);
      const { dramBytes } = simulateDesign(compiled, { sizes }, { corrections: accounting.corrections });
      expect(dramBytes, JSON.stringify(terms)).toBe(evaluate(compiled, sizes, accounting).trafficBytes);
    }
  });

  it("law: of any ranks it has a schedule; one number for all queries and keys comes once a query there", () => {
    const cases: readonly (readonly [number, number, number, number])[] = [
      [1, 3, 1, 1],
      [1, 1, 1, 1],
      [1, 3, 8, 1],
    ];
    for (const ranks of cases) {
      const compiled = compiledWith("fusemax", biased(...ranks));
      const { dramBytes } = simulateDesign(compiled, { sizes }, { corrections: accounting.corrections });
      const without = evaluate(compiledWith("fusemax", noScoreTerms), sizes, accounting).trafficBytes;
      expect(dramBytes - without, JSON.stringify(ranks)).toBe(2 * heads * 8);
    }
  });
});

describe("law: what the model predicts of a soft-cap and a bias is what a walk over the loops sees", () => {
  const terms: ScoreTerms = { softcap: "divider", bias: biasRanks([1, 3, 8, 8], 8) };
  // Queries 0 to 3 see one key, the others five: a tile of four is seen by nobody.
  const bits = rowBits((row, w) => (w > 0 ? 0 : row < 4 ? 0b1 : 0b11110010));
  const holes: KeyMask = { left: -1, right: -1, sequences: [{ count: 6, queries: 8, keys: 8, bits }] };
  const exact = accountingOf(undefined, ["register-energy", "first-reads"]);

  it.each(paperDesigns)("%s, every score and those that a mask of bits leaves", name => {
    for (const mask of [undefined, holes]) {
      const own = mask === undefined ? sizes : { ...sizes, B: 6, H: 1 };
      const compiled = compiledWith(name, terms);
      const mapped = mapDesign(compiled, own, exact, [], mask);
      const observed = observeDesign(compiled, mapped);
      const { counts } = evaluate(compiled, own, exact, [], mask);
      const { accesses, operations } = actionTable(compiled, counts, mapped.values, exact);
      // As many as the walk sees, so that none is left out of what follows.
      const walked = Object.values(observed).flatMap(({ accesses }) => Object.values(accesses).flatMap(Object.values));
      expect(accesses.length).toBe(walked.length);
      expect(operations.length).toBeGreaterThan(10);
      for (const { einsum, level, tensor, reads, updates, fills } of accesses) {
        const seen = observed[einsum]?.accesses[tensor]?.[level];
        expect({ reads, updates, fills }, `${einsum} ${level} ${tensor}`).toEqual(seen);
      }
      for (const { einsum, operation, count } of operations) {
        expect(count, `${einsum} ${operation}`).toBe(observed[einsum]?.operations[operation]);
      }
    }
  });
});

describe("Gemma 2", () => {
  it("is capped as its spec says, and is not where that is turned off", () => {
    const of = (softcap: "model" | "off") =>
      modelResults({
        ...{ designs: [loadDesign(specFiles, "fusemax")], workloads: [loadWorkload(specFiles, "gemma-2-9b")] },
        ...{ lengths: [1024], phase: "prefill", decodeQueries: 1, accounting },
        scores: { softcap, division: "divider", bias: null },
      }).results[1];
    expect(of("model")?.scores).toEqual({ softcap: "divider", bias: null });
    expect(Object.keys(of("model")?.einsums ?? {})).toContain("CR");
    expect(of("off")?.scores).toEqual({ softcap: null, bias: null });
    expect(Object.keys(of("off")?.einsums ?? {})).not.toContain("CR");
  });
});

it("a sweep names the designs that have no place for a model's soft-cap", () => {
  const request = {
    designs: ["fusemax", "fsa"].map(name => loadDesign(specFiles, name)),
    workloads: [loadWorkload(specFiles, "gemma-2-9b")],
    ...{ lengths: [1024], phase: "prefill" as const, decodeQueries: 1, axes: [], accounting },
  };
  const scores = { softcap: "model", division: "divider", bias: null } as const;
  expect(checkSweep({ ...request, scores })).toEqual([expect.stringMatching(/^fsa is charged no soft-cap: /)]);
  expect(checkSweep(request)).toEqual([]);
});
