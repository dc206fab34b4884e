import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import type { Patch } from "../../src/model/patch.js";
import { scheduleOfDesign } from "../../src/model/schedule/of-design.js";
import { pipelinedSchedule } from "../../src/model/schedule/pipelined.js";
import { simulateDesign } from "../../src/model/schedule/simulate-design.js";
import { loadArithmetic, loadDesign } from "../../src/spec/load.js";
import { programText } from "../../src/spec/schedule/notation.js";
import { flowText } from "./flow-text.js";

// What a mapping says of its Einsums, against what it says by hand: sizes small enough to count by.

const sizes = { B: 2, H: 3, E: 8, F: 4, M: 22, queries: 12, modelDim: 4, feedForward: 4, group: 1 };
const { corrections } = accountingOf("corrected", undefined);
const small: readonly Patch[] = [
  { path: "architecture.parameters.rows", value: 4 },
  { path: "architecture.parameters.columns", value: 3 },
];

function compiled(name: string, patches: readonly Patch[] = [], arithmetic: object = {}) {
  const design = loadDesign(specFiles, name);
  const data = { ...loadArithmetic(specFiles, "bf16"), ...arithmetic };
  const own =
    Object.keys(arithmetic).length === 0
      ? design
      : { ...design, arithmetic: { ...design.arithmetic, data }, arithmeticBy: "command" as const };
  return compileDesign(own, { corrections, patches });
}
const flowsOf = (...given: Parameters<typeof compiled>) =>
  scheduleOfDesign(compiled(...given), { sizes }).arrays.einsums;

/** FuseMax's own: the rows of Fig. 4, with E = 8 and F = 4 points; exp(x) is a subtraction and six products. */
const fusemax = {
  BQK: "BQK 2d every 8x1 mac; reads 1. 1.; loads Q:8/queries BK:8/keys; stays yes",
  LM: "LM. 2d every 1x1 max; uses BQK; registers BQK",
  RM: "RM. 1d every 1x1 max; uses LM; carries RM; reads 1.c; writes 1; runs 1; holds 1; stays yes",
  PRM: "PRM. 1d every 1x7 add+mac; uses RM; carries RM; registers RM0 RM; stays yes; scratch 2",
  SPD: "SPD. 1d every 1x1 mac; uses PRM; carries RD; reads 1.c; registers PRM; stays yes",
  SPNV: "SPNV. 1d every 4x1 mac; uses PRM; carries RNV; reads 1.c; registers PRM; stays yes",
  SLN: "SLN. 2d every 1x7 add+mac; uses BQK RM; registers BQK; stays yes; scratch 2",
  SLD: "SLD. 2d every 1x1 add; uses SLN; registers SLN",
  SLNV: "SLNV. 2d every 4x1 mac; uses SLN; reads 1.; loads BV:4/keys; registers SLN",
  RD: "RD. 1d every 1x1 add; uses SLD SPD; writes 1; runs 1; registers SPD",
  RNV: "RNV. 1d every 4x1 add; uses SLNV. SPNV.; writes 1; runs 4; registers SPNV",
  AV: "AV. 1d last 4x4 divide; uses RNV. RD; reads 1. 1; writes 1; stores 4; buffer RNV RD",
};

describe("what an Einsum does on a tile", () => {
  it("is what FuseMax's mapping says", () => {
    expect(flowsOf("fusemax", small).map(flowText)).toEqual(Object.values(fusemax));
  });

  it("has two lanes of a query take its values in pairs, two rows of the buffer at once", () => {
    const lines = {
      ...fusemax,
      // Four coefficients.
      PRM: "PRM. 1d every 1x5 add+mac; uses RM; carries RM; registers RM0 RM; stays yes; scratch 2",
      SLN: "SLN. 2d every 1x5 add+mac; uses BQK RM; registers BQK; stays yes; scratch 2",
      SPNV: "SPNV. 1d every 2x1 mac; uses PRM; carries RNV; reads 2.c; registers PRM; stays yes",
      RNV: "RNV. 1d every 2x1 add; uses SLNV.2 SPNV.; writes 2; runs 4; registers SPNV",
      // A reciprocal of four cycles, a half for each of two lanes.
      AV: "AV. 1d last 2+2x1 divide+mac; uses RNV. RD; reads 2. 1; writes 2; stores 4; buffer RNV RD",
    };
    expect(flowsOf("beyond-wide", small).map(flowText)).toEqual(Object.values(lines));
  });

  it("has lanes that share a query wait for all values where they do not come in pairs", () => {
    const odd = scheduleOfDesign(compiled("beyond-wide", small), { sizes: { ...sizes, F: 3 } }).arrays.einsums;
    const line = odd.map(flowText).find(text => text.startsWith("RNV"));
    expect(line).toBe("RNV. 1d every 2x1 add; uses SLNV SPNV.; writes 2; runs 3; registers SPNV");
  });

  it("is on other arrays where a mapping puts it there: values pass the buffer, a row for each key", () => {
    const lines = {
      ...fusemax,
      BQK: "BQK 2d every 8x1 mac; reads 1. 1.; loads Q:8/queries BK:8/keys; writes 1",
      LM: "LM 1d every 22x1 max; uses BQK; stays yes",
      RM: "RM. 1d every 1x1 max; uses LM; carries RM; reads 1.c; writes 1; runs 1; holds 1; registers LM; stays yes",
      SLN: "SLN. 1d every 22x7 add+mac; uses BQK RM; reads 1.; writes 1; registers RM; buffer BQK; stays yes; scratch 2",
      SLD: "SLD 1d every 22x1 add; uses SLN.; registers SLN; stays yes",
      SLNV: "SLNV. 2d every 4x1 mac; uses SLN; reads 1 1.; loads BV:4/keys; buffer SLN",
      RD: "RD. 1d every 1x1 add; uses SLD SPD; writes 1; runs 1; registers SLD SPD",
    };
    expect(flowsOf("cascade").map(flowText)).toEqual(Object.values(lines));
  });

  it("is that of arrays whose every value passes the buffer", () => {
    expect(flowsOf("tpu-v4").map(flowText)).toEqual([
      "BQK matrix every 12x1 mac; reads 1. 1; loads Q:8/queries BK:8/keys; writes 1",
      "LM vector every 2x1 max; uses BQK; reads 1.; writes 1; buffer BQK",
      "RM. vector every 2x1 max; uses LM; carries RM; reads 1.c 1.; writes 1; runs 1; buffer LM",
      "SLN. vector every 2x2 add+exp; uses BQK RM; reads 1. 1; writes 1; buffer BQK RM",
      "SLD vector every 2x1 add; uses SLN.; reads 1.; writes 1; buffer SLN",
      "PRM. vector every 2x2 add+exp; uses RM.; carries RM; reads 1.c 1.; writes 1; buffer RM",
      "SPD. vector every 2x1 mac; uses PRM.; carries RD; reads 1.c 1.; writes 1; buffer PRM",
      "RD. vector every 2x1 add; uses SLD SPD.; reads 1. 1.; writes 1; runs 1; buffer SLD SPD",
      "SPNV. vector every 2x1 mac; uses PRM; carries RNV; reads 1.c 1; writes 1; buffer PRM",
      "SLNV matrix every 3x1 mac; uses SLN; reads 1 1; loads BV:4/keys; writes 1; buffer SLN",
      "RNV. vector every 2x1 add; uses SLNV SPNV.; reads 1. 1.; writes 1; runs 4; buffer SLNV SPNV",
      "AV. vector last 2x1 divide; uses RNV. RD; reads 1. 1; writes 1; stores 4; buffer RNV RD",
    ]);
  });

  const noCorrections: Patch = { path: "mapping.einsums.SPNV.operations.mac", value: 0 };
  const noLocalSum: Patch = { path: "mapping.einsums.SLD.operations.add", value: 0 };

  it.each([
    [
      "one reciprocal before the products",
      { normalize: "reciprocal" },
      [],
      { AV: "AV. 1d last 4+4x1 divide+mac; uses RNV. RD; reads 1. 1; writes 1; stores 4; buffer RNV RD" },
    ],
    [
      "sums that go on from the corrected ones, which write what RD and RNV are without",
      { sums: "running" },
      [],
      {
        SPD: "SPD. 1d every 1x1 mac; uses PRM SLD; carries SPD; reads 1.c; writes 1; runs 1; registers PRM",
        SPNV: "SPNV. 1d every 4x1 mac; uses PRM SLNV.; carries SPNV; reads 1.c; writes 1; runs 4; registers PRM",
        RD: "RD. 1d every 1x0 ",
        RNV: "RNV. 1d every 4x0 ",
        AV: "AV. 1d last 4x4 divide; uses SPNV. SPD; reads 1. 1; writes 1; stores 4; buffer SPNV SPD",
      },
    ],
    [
      "no correction: who takes it reads what it would",
      {},
      [noCorrections],
      {
        SPNV: "SPNV. 1d every 4x0 ",
        RNV: "RNV. 1d every 4x1 add; uses SLNV. PRM; carries RNV; reads 1.c; writes 1; runs 4; registers PRM",
      },
    ],
    [
      "neither: a cycle for each value is left to put it into the buffer",
      { sums: "running" },
      [noCorrections],
      {
        SPD: "SPD. 1d every 1x1 mac; uses PRM SLD; carries SPD; reads 1.c; writes 1; runs 1; registers PRM",
        SPNV: "SPNV. 1d every 4x0 ",
        RD: "RD. 1d every 1x0 ",
        RNV: "RNV. 1d every 4x1 ; uses SLNV. PRM; carries RNV; reads 1.c; writes 1; runs 4; registers PRM",
        AV: "AV. 1d last 4x4 divide; uses RNV. SPD; reads 1. 1; writes 1; stores 4; buffer RNV SPD",
      },
    ],
    [
      "no sum on its array, which nobody there takes on",
      {},
      [noLocalSum],
      { SLD: "SLD. 2d every 1x1 ; uses SLN; registers SLN" },
    ],
  ])("leaves out Einsums without an operation: %s", (_, arithmetic, patches, others) => {
    const lines = flowsOf("fusemax", [...small, ...patches], arithmetic).map(flowText);
    expect(lines).toEqual(Object.values({ ...fusemax, ...others }));
  });
});

describe("the schedule of arrays side by side", () => {
  const textOf = (name: string, apart: number, takesTurns: boolean, patches: readonly Patch[] = []) => {
    const spec = pipelinedSchedule(flowsOf(name, patches), apart, takesTurns);
    return (
      spec && {
        lags: spec.lags,
        ...Object.fromEntries(Object.entries(spec.programs).map(([a, p]) => [a, programText(p)])),
      }
    );
  };
  const [a, b] = [0, "auto"] as const;

  it("is Fig. 4's for FuseMax: SLNV takes turns with the next tiles' BQK", () => {
    const programs = {
      "2d": "(SLNV[c] | BQK[a]..) -> LM[a] -> SLN[b] -> SLD[b] -> idle(AV[c])",
      "1d": "(SPNV[c] | RNV[c]) -> RM[a] -> PRM[a] -> SPD[b] -> RD[b] -> AV[c]",
    };
    for (const apart of [1, 2]) {
      expect(textOf("fusemax", apart, true, small)).toEqual({
        lags: { a, b, c: { after: "b", by: apart } },
        ...programs,
      });
    }
  });

  it("without turns has a letter for the tile that comes back", () => {
    expect(textOf("fusemax", 1, false, small)).toEqual({
      lags: { a, b },
      "2d": "BQK[a] -> LM[a] -> SLN[b] -> SLD[b] -> SLNV[b]",
      "1d": "RM[a] -> PRM[a] -> SPD[b] -> SPNV[b] -> RD[b] -> RNV[b] -> AV[b]",
    });
  });

  it("leaves an array as many slots as a slower one has more", () => {
    // 22 keys of LM, SLN (7) and SLD, RM, PRM (7), SPD, RD, and 4 of SPNV and RNV: 216 cycles; 4 + 8 on the 2D array.
    expect(textOf("cascade", 1, true)).toEqual({
      lags: { a, b },
      "2d": "(SLNV[b] | BQK[a]..) -> idle(204) -> idle(AV[b])",
      "1d": "(SPNV[b] | RNV[b]) -> LM[a] -> RM[a] -> PRM[a] -> SPD[a] -> (SLN[a] | SLD[a]) -> RD[a] -> AV[b]",
    });
  });

  it("has no turns where nothing is taken point by point, where that is a single point, or more than what begins has", () => {
    expect(textOf("tpu-v4", 1, true)).toBeUndefined();
    const long = scheduleOfDesign(compiled("fusemax", small), { sizes: { ...sizes, F: 9 } }).arrays.einsums;
    expect(pipelinedSchedule(long, 1, true)).toBeUndefined();
    const single = scheduleOfDesign(compiled("fusemax", small), { sizes: { ...sizes, F: 1 } }).arrays.einsums;
    expect(pipelinedSchedule(single, 1, true)).toBeUndefined();
    const even = scheduleOfDesign(compiled("fusemax", small), { sizes: { ...sizes, F: 8 } }).arrays.einsums;
    expect(pipelinedSchedule(even, 1, true)).toBeDefined();
  });
});

describe("a design's simulation", () => {
  it("has operands that are always there, or from its DRAM", () => {
    const own = compiled("fusemax", small);
    const [ideal, dram, usual] = [
      simulateDesign(own, { sizes }, { memory: "ideal" }),
      simulateDesign(own, { sizes }, { memory: "dram" }),
      simulateDesign(own, { sizes }),
    ];
    expect([ideal.dramBytes, ideal.causes.dram]).toEqual([0, ["Q", "BK", "BV"]]);
    // Q once, K and V once for the block of each head, and AV, of 16 bits.
    expect(dram.dramBytes).toBe(2 * 2 * 3 * (12 * 8 + 22 * (8 + 4) + 12 * 4));
    expect(dram.latencyCycles).toBeGreaterThan(ideal.latencyCycles + 100);
    expect(usual).toEqual(dram);
  });
});

describe("Einsums one after the other", () => {
  const run = (name: string, memory: "ideal" | "dram", bytesPerSecond?: number) =>
    simulateDesign(
      compiled(
        name,
        bytesPerSecond === undefined
          ? []
          : [{ path: "architecture.levels.dram.bytesPerSecond", value: bytesPerSecond }],
      ),
      { sizes },
      { memory, corrections: corrections.filter(name => name !== "schedule") },
    );

  it("take their cycles, the ways between the arrays for each tile, and the wave over the columns", () => {
    const { cycles, latencyCycles, tiles, arrays, ...rest } = run("flat", "ideal");
    const busy = { QK: 48, AV: 132, GM: 72, SN: 7 * 72, SD: 72, A: 4 * 72 };
    // Six heads; down 256 rows, and back up over one link more.
    const ways = 6 * (256 + (1 + 256));
    const all = Object.values(busy).reduce((x, y) => x + y, 0) + ways + 255;
    expect([cycles, latencyCycles, tiles]).toEqual([all, all, 6]);
    const { QK, AV, ...lanes } = busy;
    const none = { fill: 0, drain: 0, idle: 0, port: 0 };
    expect(arrays).toEqual({
      "2d": { busy: { QK, AV }, busyCycles: QK + AV, stalls: { ...none, behind: all - QK - AV } },
      "1d": { busy: lanes, busyCycles: 13 * 72, stalls: { ...none, behind: all - 13 * 72 } },
    });
    expect(rest).toEqual({
      schedule: { name: "one-tile", lags: {}, programs: {} },
      ...{ causes: { dram: [], arrays: ["behind"] }, epoch: null, registers: {}, aboveColumn: 0 },
      ...{ dramBytes: 0, tilesStepped: 0 },
    });
  });

  it("take no way between arrays in a phase on one of them, phase by phase", () => {
    const { cycles, arrays, tiles } = run("unfused", "ideal");
    const busy = Object.values(arrays).reduce((sum, { busyCycles }) => sum + busyCycles, 0);
    expect([cycles, tiles]).toEqual([busy + 255, 6 + 72 + 6]);
  });

  it("wait for DRAM phase by phase where that takes longer", () => {
    const slow = run("unfused", "dram", 7e5);
    const fast = run("unfused", "ideal", 7e5);
    expect(slow.cycles).toBe(fast.cycles);
    expect([fast.dramBytes, fast.latencyCycles]).toEqual([0, fast.cycles]);
    // 0.7 megabytes a second take 1343 cycles of 940 MHz per byte, less a seventh.
    expect((slow.dramBytes * 940) % 0.7).toBeGreaterThan(0.01);
    expect(slow.latencyCycles).toBe(Math.ceil((slow.dramBytes * 940) / 0.7) + 255);
  });
});
