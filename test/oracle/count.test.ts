import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { visibleScores } from "../../src/attention/visible.js";
import { cpuEngine } from "../../src/emulator/cpu.js";
import { cases, valueKinds } from "../properties/arbitrary.js";
import { expectSameBits, runCase } from "../properties/run.js";
import { observe } from "./count.js";
import { countedEinsums } from "./count-observation.js";

const calm = valueKinds.filter(kind => kind !== "huge" && kind !== "wide");

describe("the counting mode", () => {
  it("computes the twin's bits while it counts, for any shape, mask and block of query tiles", () =>
    fc.assert(
      fc.asyncProperty(
        cases({ kinds: calm, queries: 9, keys: 20, dim: 6 }),
        fc.integer({ min: 1, max: 4 }),
        async ({ problem, operands }, queryTiles) => {
          const { av } = await runCase(cpuEngine(), { problem, operands });
          expectSameBits(observe(problem, operands, queryTiles).av, av);
        },
      ),
    ));

  it("does one operation for each point of an Einsum's iteration space", () =>
    fc.assert(
      fc.property(cases({ kinds: ["normal"], queries: 9, keys: 20, dim: 6 }), ({ problem, operands }) => {
        const { einsums } = observe(problem, operands, 2);
        const { headDim, valueDim } = problem.shape;
        const scores = visibleScores(problem);
        const none = { mac: 0, add: 0, max: 0, divide: 0 };
        expect(einsums.BQK.operations).toEqual({ ...none, mac: scores * headDim });
        expect(einsums.LM.operations).toEqual({ ...none, max: scores });
        expect(einsums.SLN.operations).toEqual({ ...none, mac: 6 * scores, add: scores });
        expect(einsums.SLD.operations).toEqual({ ...none, add: scores });
        expect(einsums.SLNV.operations).toEqual({ ...none, mac: scores * valueDim });
        const tiles = einsums.RM.operations.max;
        expect(einsums.PRM.operations).toEqual({ ...none, mac: 6 * tiles, add: tiles });
        expect(einsums.SPD.operations).toEqual({ ...none, mac: tiles });
        expect(einsums.RD.operations).toEqual({ ...none, add: tiles });
        expect(einsums.SPNV.operations).toEqual({ ...none, mac: tiles * valueDim });
        expect(einsums.RNV.operations).toEqual({ ...none, add: tiles * valueDim });
      }),
    ));

  it("sees the words of a small case that can be counted by hand", () => {
    // Two key tiles of 2 keys, two query tiles of 2 queries, one at a time in the buffer: keys are read twice.
    const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 4, keys: 4, headDim: 3, valueDim: 2 };
    const [sample] = fc.sample(cases({ formats: ["bf16"], kinds: ["normal"] }), { numRuns: 1, seed: 1 });
    const problem = {
      ...(sample ?? { problem: expect.fail("no sample") }).problem,
      shape,
      mask: { left: -1, right: -1, kvLens: null, qLens: null },
      tile: { m0: 2, p0: 2 },
    };
    const operands = {
      q: new Float32Array(12).fill(1),
      k: new Float32Array(12).fill(1),
      v: new Float32Array(8).fill(1),
    };
    const { einsums } = observe(problem, operands, 1);
    const { BQK, SLNV, SLN, RD, AV } = einsums;
    // Four pairs of tiles: a step for each feature of BQK, SLNV, SPNV and RNV, one of each other Einsum; AV once per query tile.
    const steps = { ...Object.fromEntries(countedEinsums.map(name => [name, 4])), BQK: 4 * 3, AV: 2 * 2 };
    const expected = { ...steps, SLNV: 4 * 2, SPNV: 4 * 2, RNV: 4 * 2 };
    expect(Object.fromEntries(countedEinsums.map(name => [name, einsums[name].steps]))).toEqual(expected);
    expect(BQK.accesses).toEqual({
      Q: {
        dram: { reads: 12, updates: 0, fills: 0 },
        buffer: { reads: 24, updates: 0, fills: 12 },
        registers2d: { reads: 48, updates: 0, fills: 48 },
      },
      BK: {
        dram: { reads: 24, updates: 0, fills: 0 },
        buffer: { reads: 24, updates: 0, fills: 24 },
        registers2d: { reads: 48, updates: 0, fills: 48 },
      },
      BQK: { registers2d: { reads: 32, updates: 48, fills: 0 } },
    });
    expect(SLN.accesses["RM"]).toEqual({
      spill: { reads: 8, updates: 0, fills: 0 },
      registers2d: { reads: 16, updates: 0, fills: 16 },
    });
    expect(SLNV.accesses["SLNV"]).toEqual({
      spill: { reads: 0, updates: 16, fills: 0 },
      registers2d: { reads: 0, updates: 32, fills: 0 },
    });
    expect(RD.accesses["RD"]).toEqual({
      buffer: { reads: 0, updates: 8, fills: 0 },
      registers1d: { reads: 0, updates: 8, fills: 0 },
    });
    expect(AV.accesses).toEqual({
      RNV: { buffer: { reads: 8, updates: 0, fills: 0 }, registers1d: { reads: 8, updates: 0, fills: 8 } },
      RD: { buffer: { reads: 4, updates: 0, fills: 0 }, registers1d: { reads: 8, updates: 0, fills: 4 } },
      AV: { dram: { reads: 0, updates: 8, fills: 0 }, registers1d: { reads: 0, updates: 8, fills: 0 } },
    });
    // With both query tiles in the buffer, keys are read once.
    expect(observe(problem, operands, 2).einsums.BQK.accesses["BK"]?.dram?.reads).toBe(12);
  });
});
