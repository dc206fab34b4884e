import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { opCases } from "../../../src/emulator/self-test-cases.js";
import type { WebGpuEngine } from "../../../src/emulator/webgpu/engine.js";
import { specFiles } from "../../../src/io/spec-files.js";
import type { ArithmeticSpec } from "../../../src/numerics/arithmetic.js";
import { type FloatSpec, numberType, numberTypes } from "../../../src/numerics/number-type.js";
import { loadArithmetic } from "../../../src/spec/load.js";
import { openTestEngine } from "./adapter.js";

let engine: WebGpuEngine;
beforeAll(async () => {
  engine = await openTestEngine();
});
afterAll(() => engine.close());

const shipped = [
  "bf16-strict",
  "fp16",
  "fp32",
  "fa4-fp8",
  "hopper-fp8",
  "ampere-bf16",
  "int8-qk",
  "mxfp8",
  "mxfp4",
  "nvfp4",
];

/** The sums of a tensor core on types of one's own choice. */
function stepsOf(name: string, dot: ArithmeticSpec["dot"], ofScores: FloatSpec, ofValues: FloatSpec): ArithmeticSpec {
  const operand = (type: FloatSpec) => ({ type, scale: "none" }) as const;
  const [score, value] = [operand(ofScores), operand(ofValues)];
  const operands = { q: score, k: score, v: value, p: value };
  return { ...loadArithmetic(specFiles, "ampere-bf16"), name, dot, operands };
}

/** A type that no file has. */
const e3m4 = numberType("fp8-e3m4", { significandBits: 5, leastExponent: -2, largest: 15.5, storageBits: 8 });
const { fp32, fp16, int8 } = numberTypes;
const unusual: readonly ArithmeticSpec[] = [
  stepsOf("terms wider than a word", { block: 200, align: 40, result: "fp32-rz" }, numberTypes["fp8-e5m2"], int8),
  stepsOf("products wider than fp32", { block: 7, align: 27, result: "e8m13-rz" }, fp32, fp32),
  stepsOf("fp8-e3m4", { block: 7, align: 28, result: "fp32-rz" }, e3m4, fp16),
  stepsOf("one bit", { block: 64, align: 1, result: "e8m13-rz" }, numberTypes["fp6-e2m3"], numberTypes["fp4-e2m1"]),
  ...[true, false].map(fused => ({
    ...loadArithmetic(specFiles, "fa4-bf16"),
    name: `an exponential that is 0 near whole numbers, ${fused ? "one rounding" : "two roundings"} a step`,
    exp: { coefficients: [0xbf800000, 0x3f800000], fused },
  })),
];

describe("the operations in WGSL", () => {
  it.each([...shipped.map(name => loadArithmetic(specFiles, name)), ...unusual])(
    "are those of $name, bit for bit",
    async arithmetic => {
      const wrong: string[] = [];
      for (const test of opCases(arithmetic)) {
        const got = await engine.runOps(test);
        const different = test.expected.filter((bits, i) => bits !== got[i]).length;
        if (different > 0) wrong.push(`${test.title}: ${different} of ${test.expected.length}`);
      }
      expect(wrong).toEqual([]);
    },
    60_000,
  );
});
