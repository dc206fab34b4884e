import fc from "fast-check";
import { cpuEngine, formatArithmetics, formatNames, formats, generateNormal, noMask } from "fusemax";
import { describe, expect, it } from "vitest";
import type { AttentionProblem } from "#fusemax/attention/problem";
import { roundOperands } from "#fusemax/emulator/operands";
import type { TileDump } from "#fusemax/emulator/tile-dump";
import { Twin } from "#fusemax/emulator/twin";
import type { FormatName } from "#fusemax/numerics/format";
import { requireFormat } from "#fusemax/numerics/format-of";
import { accumulatorRounder } from "#fusemax/numerics/rounding";
import { exactDenominators, RunningDenominator, traceDenominator } from "../../examples/numerics-study/denominator.js";
import { rowWithNarrowSteps, stepNames } from "../../examples/numerics-study/one-narrow-step.js";
import { scoreStatistics } from "../../examples/numerics-study/score-statistics.js";
import { Subject } from "../../examples/numerics-study/subject.js";

interface Given {
  readonly keys: number;
  readonly headDim: number;
  readonly m0: number;
  readonly spread: number;
  readonly right: number;
  readonly seed: number;
}

const shapes: fc.Arbitrary<Given> = fc.record({
  keys: fc.integer({ min: 1, max: 90 }),
  headDim: fc.integer({ min: 1, max: 12 }),
  m0: fc.integer({ min: 1, max: 33 }),
  spread: fc.constantFrom(0.25, 1, 4, 16),
  right: fc.constantFrom(-1, 0),
  seed: fc.nat(1000),
});

function randomProblem(name: FormatName, { keys, headDim, m0, spread, right, seed }: Given) {
  const queries = 3;
  const shape = { batch: 1, heads: 1, kvHeads: 1, queries, keys, headDim, valueDim: headDim };
  const mask = { ...noMask, right };
  const problem: AttentionProblem = {
    shape,
    mask,
    scale: 0.3,
    arithmetic: formatArithmetics[name],
    tile: { m0, p0: 2 },
  };
  const inputs = {
    q: generateNormal(seed, "q", queries * headDim, spread),
    k: generateNormal(seed, "k", keys * headDim),
    v: generateNormal(seed, "v", keys * headDim),
  };
  return { problem, inputs, operands: roundOperands(inputs, shape, problem.arithmetic) };
}

/** The bits of fp32 values, so that equality is equality of bits. */
const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.slice().buffer);

describe("the denominator alone", () => {
  it.each(formatNames)("is the twin's RD after every tile in %s", name => {
    fc.assert(
      fc.property(shapes, given => {
        const { problem, operands } = randomProblem(name, given);
        const { shape, tile, arithmetic, scale } = problem;
        const format = requireFormat(arithmetic, name);
        const alone = Array.from({ length: tile.p0 }, () => new RunningDenominator(format, scale));
        for (let m1 = 0; m1 * tile.m0 < shape.keys; m1 += 1) {
          const dump: TileDump = new Twin(problem, operands).dump({ b: 0, h: 0, m1, p1: 0 });
          for (const [p, denominator] of alone.entries()) {
            const seen = Array.from({ length: dump.rows }, (_, m) => m * dump.columns + p).filter(i => dump.exists[i]);
            if (seen.length > 0) denominator.pass(seen.map(i => dump.bqk[i] as number));
            expect([denominator.rm, denominator.rd]).toEqual([dump.rm[p], dump.rd[p]]);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it("has the exact sums of short rows, whatever the order of maxima", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 50 }), numbers => {
        const scores = Float32Array.from(numbers);
        const largest = Math.max(...scores);
        const sum = scores.reduce((total, s) => total + Math.exp(0.7 * (s - largest)), 0);
        const found = exactDenominators(scores, 0.7, [scores.length]).get(scores.length) ?? Number.NaN;
        // Some fifty float64 operations of each term: 2^-53 each, with room.
        expect(Math.abs(found / sum - 1)).toBeLessThan(2 ** -44);
      }),
    );
  });

  // Increments of SLD = M0 to a sum in steps of its ulp: RD stops growing once SLD is no more than half an ulp (ties to even).
  it.each([
    ["bf16-strict", 16, 2 ** 12],
    ["bf16-strict", 256, 2 ** 16],
    ["fp16-strict", 8, 2 ** 14],
    ["fp16-strict", 16, 2 ** 15],
  ] as const)("of equal scores in %s with M0 = %d stops at %d keys", (name, m0, keys) => {
    const scores = new Float32Array(4 * keys);
    const exact = new Map([keys / 2, keys, 2 * keys, 4 * keys].map(n => [n, n]));
    const trace = traceDenominator(scores, exact, { format: formats[name], scale: 1, m0 });
    expect(trace).toEqual({
      points: [keys / 2, keys, 2 * keys, 4 * keys].map(n => ({ keys: n, ratio: Math.min(1, keys / n) })),
      still: 1,
      overflowedAt: null,
    });
  });

  it("of equal scores leaves binary16's range with the key that makes 65536", () => {
    const trace = traceDenominator(new Float32Array(2 ** 17), new Map(), {
      format: formats["fp16-strict"],
      scale: 1,
      m0: 256,
    });
    expect(trace).toEqual({ points: [], still: Number.NaN, overflowedAt: 2 ** 16 });
  });

  it("of scores that fp32 holds keeps growing", () => {
    const scores = generateNormal(3, "k", 2 ** 14).map(accumulatorRounder("fp32"));
    const exact = exactDenominators(scores, 1, [2 ** 14]);
    const trace = traceDenominator(scores, exact, { format: formats.fp32, scale: 1, m0: 64 });
    expect(trace.still).toBe(0);
    // 64 + 256 additions of 2^-24, E2 3.9e-6.
    expect(Math.abs((trace.points[0]?.ratio ?? 0) - 1)).toBeLessThan(320 * 2 ** -24 + 3.9e-6);
  });
});

describe("a row with some steps in 16 bits", () => {
  const withSums16 = ["bf16-strict", "fp16-strict"] as const;
  const cases = fc.tuple(shapes, fc.constantFrom(...withSums16));

  it("has the array's bits when all of them are, and those of fp32 sums when none is", () => {
    fc.assert(
      fc.property(cases, fc.boolean(), ([given, name], all) => {
        const { problem, operands } = randomProblem(name, given);
        const arithmetic = all ? problem.arithmetic : formatArithmetics[name === "bf16-strict" ? "bf16" : "fp16"];
        const { queries, valueDim } = problem.shape;
        const av = new Float32Array(queries * valueDim);
        expect(new Twin({ ...problem, arithmetic }, operands).rows({ start: 0, end: queries }, av)).toBeNull();
        for (let row = 0; row < queries; row += 1) {
          const got = rowWithNarrowSteps(problem, operands, row, new Set(all ? stepNames : []));
          expect(bitsOf(got)).toEqual(bitsOf(av.subarray(row * valueDim, (row + 1) * valueDim)));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("a subject", () => {
  const { problem, inputs } = randomProblem("fp16-strict", {
    keys: 40,
    headDim: 8,
    m0: 16,
    spread: 1,
    right: -1,
    seed: 5,
  });
  const { shape, mask, scale } = problem;

  it("measures rms, largest error and gain of outputs that are known to be wrong", () => {
    const subject = new Subject({ shape, mask, scale, inputs, rows: [0, 2] });
    subject.operands(formats.fp32);
    const exact = [0, 2].map(row => {
      const rows = new Float32Array(shape.queries * shape.valueDim);
      new Twin({ ...problem, arithmetic: formatArithmetics.fp32 }, subject.operands(formats.fp32)).rows(
        { start: 0, end: 3 },
        rows,
      );
      return rows.slice(row * shape.valueDim, (row + 1) * shape.valueDim);
    });
    const doubled = subject.judge(
      exact.map(row => row.map(x => 2 * x)),
      [0, 1],
      "fp32",
    );
    // Doubled outputs: the error is the output itself. The twin in fp32 is within 1e-5 of exact.
    expect(doubled.rms).toBeCloseTo(1, 4);
    expect(doubled.gain).toBeCloseTo(2, 4);
    const squares = exact.flatMap(row => [...row]).map(x => x * x);
    const rms = Math.sqrt(squares.reduce((a, b) => a + b) / squares.length);
    expect(doubled.largest).toBeCloseTo(Math.sqrt(Math.max(...squares)) / rms, 4);
  });

  it("leaves rows that overflow out of the error, and names the tensor", async () => {
    const q = inputs.q.slice();
    // Row 1 alone: scores of some thousand times those of the others.
    for (let e = 0; e < shape.headDim; e += 1) q[shape.headDim + e] = 30000;
    const subject = new Subject({ shape, mask, scale, inputs: { ...inputs, q }, rows: [0, 1, 2] });
    const found = await subject.emulate(cpuEngine(), formats["fp16-strict"], 16);
    expect(found.overflowRows).toBe(1);
    expect(found.overflow).toBe("BQK");
    const others = new Subject({ shape, mask, scale, inputs, rows: [0, 2] });
    const alone = await others.emulate(cpuEngine(), formats["fp16-strict"], 16);
    expect(found.onOperands).toEqual(alone.onOperands);
    expect(found.onOperands.rms).toBeGreaterThan(0);
  });
});

describe("the statistics of scores", () => {
  it("are those of scores that can be worked out by hand", () => {
    // One row of q = 2, keys 1, 1, -1, -1 and a fifth that the mask hides: scores 2, 2, -2, -2, scaled by a half 1, 1, -1, -1.
    const shape = { batch: 1, heads: 1, kvHeads: 1, queries: 2, keys: 5, headDim: 1, valueDim: 1 };
    const inputs = { q: Float32Array.of(2, 0), k: Float32Array.of(1, 1, -1, -1, 9), v: new Float32Array(5) };
    const found = scoreStatistics({ shape, mask: { ...noMask, right: 0 }, scale: 0.5, inputs, rows: [0] });
    expect(found.spread).toBeCloseTo(1, 12);
    expect(found.largestRaw).toBe(2);
    const small = Math.exp(-2);
    expect(found.effectiveKeys).toBeCloseTo((2 + 2 * small) ** 2 / (2 + 2 * small ** 2), 12);
  });
});
