import { describe, expect, it } from "vitest";
import { cpuEngine } from "../../src/emulator/cpu.js";
import type { Engine } from "../../src/emulator/engine.js";
import { describeFailure, selfTest } from "../../src/emulator/self-test.js";
import { type OpCase, opCases, type SelfTestOp } from "../../src/emulator/self-test-ops.js";
import { formats } from "../../src/numerics/format.js";
import { processingElement } from "../../src/numerics/pe.js";
import { bitsOf, fromBits } from "../../src/numerics/rounding.js";

type Op = (a: number, b: number, c: number) => number;

/** An engine of single operations, right but for the ones in `wrong`. */
function opsWith(wrong: Partial<Record<SelfTestOp, Op>>): (test: OpCase) => Promise<Uint32Array> {
  return async ({ op, format, chain, a, b, c, expected }) => {
    const pe = processingElement(formats[format]);
    const right: Readonly<Record<SelfTestOp, Op>> = {
      add: (x, y) => pe.add(x, y),
      mul: (x, y) => pe.mul(x, y),
      subtract: (x, y) => pe.subtract(x, y),
      div: (x, y) => pe.div(x, y),
      update: (x, y, z) => pe.add(z, pe.mul(x, y)),
      cancel: (x, y) => Math.fround(Math.fround(Math.fround(x + y) - x) - y),
      mac: () => 0,
      exp: (x, y) => pe.exp(x, y),
      numerator: (x, y) => pe.numerator(x, y),
      correction: (x, y) => pe.correction(x, y),
      operand: x => pe.operand(x),
    };
    const value = (bits: Uint32Array, i: number): number => fromBits(bits[i] ?? 0);
    return expected.map((_, i) => {
      if (op !== "mac") return bitsOf((wrong[op] ?? right[op])(value(a, i), value(b, i), value(c, i)) + 0);
      const step: Op = wrong.mac ?? ((s, x, y) => pe.mac(s, x, y));
      let s = 0;
      for (let j = i * chain; j < (i + 1) * chain; j += 1) s = step(s, value(a, j), value(b, j));
      return bitsOf(s);
    });
  };
}

/** What adapters are known to do, each of which the self-test must catch. */
const faults: readonly (readonly [string, Partial<Record<SelfTestOp, Op>>, string])[] = [
  ["a sum rounded towards zero", { add: (a, b) => truncated(a + b) }, "ties of +"],
  ["a product rounded towards zero", { mul: (a, b) => truncated(a * b) }, "ties of ×"],
  ["a fused multiply-add", { update: (a, b, c) => Math.fround(a * b + c) }, "fusion"],
  ["reassociation", { cancel: () => 0 }, "reassociation"],
  ["a fused chain", { mac: (s, a, b) => Math.fround(s + a * b) }, "MAC chains"],
  ["an exponential of its own", { exp: (x, c) => Math.fround(2 ** (x * c)) }, "exponential"],
  ["division by a reciprocal", { div: (a, b) => Math.fround(a * Math.fround(1 / b)) }, "division"],
  ["a weight not rounded", { operand: a => a }, "rounding to operands"],
];
function truncated(x: number): number {
  const y = Math.fround(x);
  return Math.abs(y) > Math.abs(x) ? fromBits(bitsOf(y) - 1) : y;
}

describe("the self-test", () => {
  it("passes an engine with the contract's operations", async () => {
    expect(await selfTest({ runOps: opsWith({}), engine: cpuEngine() })).toBeNull();
  });

  it.each(faults)("catches %s", async (_, wrong, group) => {
    const failure = await selfTest({ runOps: opsWith(wrong), engine: cpuEngine() }, ["fp32", "bf16"]);
    expect(failure?.group).toBe(group);
  });

  it("names a failing chain by all of its operands", async () => {
    const wrong = opsWith({ mac: (s, a, b) => Math.fround(s + a * b) });
    const failure = await selfTest({ runOps: wrong, engine: cpuEngine() }, ["fp32"]);
    const chains = opCases(["fp32"]).find(({ op }) => op === "mac");
    const { index = 0 } = failure ?? {};
    const [from, to] = [64 * index, 64 * (index + 1)];
    expect(failure?.inputs).toEqual([...(chains?.a.slice(from, to) ?? []), ...(chains?.b.slice(from, to) ?? [])]);
    expect(failure === null ? "" : describeFailure(failure)).toContain(`case ${index} (128 operands): got 0x`);
  });

  it("catches an engine whose operations are right and whose attention is not", async () => {
    const twin = cpuEngine();
    const engine: Engine = {
      ...twin,
      open: (problem, operands) => twin.open({ ...problem, tile: { m0: 9, p0: 4 } }, operands),
    };
    const failure = await selfTest({ runOps: null, engine }, ["bf16"]);
    expect(failure?.op).toBe("attention");
  });

  it("says what failed in bits and in decimal", async () => {
    const failure = await selfTest({ runOps: opsWith({ update: () => 1 }), engine: cpuEngine() }, ["fp32"]);
    expect(failure === null ? "" : describeFailure(failure)).toMatch(
      /^fusion, update in fp32, case 0 \(0x[0-9a-f]{8} = .*, .*, .*\): got 0x3f800000 = 1; expected 0x00000000 = 0$/,
    );
  });

  it("asks for E2 at 100,000 points and never for a value outside the contract", () => {
    const cases = opCases();
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
