import { describe, expect, it } from "vitest";
import { cpuEngine } from "../../src/emulator/cpu.js";
import type { Engine } from "../../src/emulator/engine.js";
import { describeFailure, selfTest } from "../../src/emulator/self-test.js";
import { opCases } from "../../src/emulator/self-test-cases.js";
import { goldenOps, goldenSum, type OpCase, type PointOps, type SumOp } from "../../src/emulator/self-test-ops.js";
import { specFiles } from "../../src/io/spec-files.js";
import type { ArithmeticSpec } from "../../src/numerics/arithmetic.js";
import { formatNames } from "../../src/numerics/format.js";
import { formatArithmetics } from "../../src/numerics/format-of.js";
import { bitsOf, fromBits } from "../../src/numerics/rounding.js";
import { loadArithmetic } from "../../src/spec/load.js";

/** What is wrong with an engine of single operations: points, or the sums of one kind. */
type Wrong = Partial<PointOps> & { readonly sum?: ReturnType<typeof goldenSum> };

const { bf16, fp32 } = formatArithmetics;
const load = (name: string): ArithmeticSpec => loadArithmetic(specFiles, name);

/** An engine of single operations, right but for the ones in `wrong`. */
function opsWith(wrong: Wrong): (test: OpCase) => Promise<Uint32Array> {
  return async ({ op, arithmetic, chain, a, b, c, expected }) => {
    const results = expected.length;
    if (op === "score" || op === "weightedSum") return sums(op, arithmetic, chain, wrong, [a, b, c], results);
    const run = wrong[op] ?? goldenOps(arithmetic)[op];
    const value = (bits: Uint32Array, i: number): number => fromBits(bits[i] ?? 0);
    return expected.map((_, i) => bitsOf(run(value(a, i), value(b, i), value(c, i)) + 0));
  };
}

function sums(
  op: SumOp,
  arithmetic: ArithmeticSpec,
  chain: number,
  { sum = goldenSum(arithmetic, op) }: Wrong,
  bits: readonly Uint32Array[],
  results: number,
): Uint32Array {
  const [a, b, c] = bits.map(u => new Float32Array(u.buffer)) as [Float32Array, Float32Array, Float32Array];
  const blocks = c.length / results;
  return Uint32Array.from({ length: results }, (_, i) => {
    const part = (x: Float32Array, width: number): Float32Array => x.subarray(i * width, (i + 1) * width);
    return bitsOf(sum(part(a, chain), part(b, chain), part(c, blocks)));
  });
}

const fusedChain = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((s, x, j) => Math.fround(s + x * (b[j] as number)), 0);

/** What adapters are known to do, each of which the self-test must catch. */
const faults: readonly (readonly [string, Wrong, string, ArithmeticSpec])[] = [
  ["a sum rounded towards zero", { add: (a, b) => truncated(a + b) }, "ties of +", fp32],
  ["a product rounded towards zero", { mul: (a, b) => truncated(a * b) }, "ties of ×", fp32],
  ["a fused multiply-add", { update: (a, b, c) => Math.fround(a * b + c) }, "fusion", fp32],
  ["reassociation", { cancel: () => 0 }, "reassociation", fp32],
  ["a fused chain", { sum: fusedChain }, "MAC chains", fp32],
  ["an exponential of its own", { exp: (x, c) => Math.fround(2 ** (x * c)) }, "exponential", fp32],
  ["a power of two of its own", { power: t => Math.fround(2 ** t) }, "powers of two", fp32],
  ["division by a reciprocal", { div: (a, b) => Math.fround(a * Math.fround(1 / b)) }, "division", fp32],
  ["a weight not rounded", { operand: a => a }, "rounding to operands", bf16],
  ["a multiply-add rounded twice", { fused: twice }, "multiply-adds rounded once", load("fa4-fp8")],
  ["a chain in place of a block sum", { sum: fusedChain }, "block sums", load("fa4-fp8")],
  ["a saturated operand", { operand: a => a }, "rounding to operands", load("fa4-fp8")],
  [
    "a scale of blocks one step off",
    { blockScale: amax => 2 ** Math.round(Math.log2(amax)) },
    "scales of blocks",
    load("mxfp8"),
  ],
  ["numerators without their scale", { blockNumerator: x => x }, "numerators in blocks", load("nvfp4")],
];

function twice(a: number, b: number, c: number): number {
  return Math.fround(Math.fround(a * b) + c);
}

function truncated(x: number): number {
  const y = Math.fround(x);
  return Math.abs(y) > Math.abs(x) ? fromBits(bitsOf(y) - 1) : y;
}

describe("the self-test", () => {
  it("passes an engine with the contract's operations", async () => {
    expect(await selfTest({ runOps: opsWith({}), engine: cpuEngine() }, bf16)).toBeNull();
  });

  it.each(faults)("catches %s", async (_, wrong, title, arithmetic) => {
    const failure = await selfTest({ runOps: opsWith(wrong), engine: cpuEngine() }, arithmetic);
    expect(failure?.title).toBe(title);
  });

  it("names a failing chain by all of its operands", async () => {
    const failure = await selfTest({ runOps: opsWith({ sum: fusedChain }), engine: cpuEngine() }, fp32);
    const sums = opCases(fp32).find(({ op }) => op === "score");
    const { index = 0 } = failure ?? {};
    const { chain = 0 } = sums ?? {};
    const [from, to] = [chain * index, chain * (index + 1)];
    expect(failure?.inputs).toEqual([...(sums?.a.slice(from, to) ?? []), ...(sums?.b.slice(from, to) ?? [])]);
    expect(failure === null ? "" : describeFailure(failure)).toContain(`case ${index} (${2 * chain} operands): got 0x`);
  });

  it("catches an engine whose operations are right and whose attention is not", async () => {
    const twin = cpuEngine();
    const engine: Engine = {
      ...twin,
      open: (problem, operands) => twin.open({ ...problem, tile: { m0: 9, p0: 4 } }, operands),
    };
    const failure = await selfTest({ runOps: null, engine }, bf16);
    expect(failure?.op).toBe("attention");
  });

  it("law: an arithmetic without values for its attention, every numerator 0, keeps no engine from other inputs", async () => {
    const tiny = { ...load("fa3-fp8"), offset: -16 };
    expect(await selfTest({ runOps: null, engine: cpuEngine() }, tiny)).toBeNull();
  });

  it("says what failed in bits and in decimal", async () => {
    const failure = await selfTest({ runOps: opsWith({ update: () => 1 }), engine: cpuEngine() }, fp32);
    expect(failure === null ? "" : describeFailure(failure)).toMatch(
      /^fusion, update in fp32, case 0 \(0x[0-9a-f]{8} = .*, .*, .*\): got 0x3f800000 = 1; expected 0x00000000 = 0$/,
    );
  });

  it("asks for E2 of the five formats at 100,000 points and never for a value outside the contract", () => {
    const cases = formatNames.flatMap(name => opCases(formatArithmetics[name]));
    const points = cases.filter(({ op }) => op === "exp").reduce((sum, { expected }) => sum + expected.length, 0);
    expect(points).toBeGreaterThanOrEqual(100_000);
    for (const { a, b, c, expected } of cases) {
      for (const bits of [a, b, c, expected]) {
        for (const u of bits) {
          const exponent = (u >>> 23) & 0xff;
          // No subnormal, no NaN, no Inf, no -0.
          if (u !== 0 && (exponent === 0 || exponent === 255)) expect.fail(`bits ${u}`);
        }
      }
    }
  });
});
