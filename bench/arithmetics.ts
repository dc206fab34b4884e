import { loadArithmetic } from "fusemax";
import { specFiles } from "fusemax/node";
import type { ArithmeticSpec } from "#fusemax/numerics/arithmetic";
import type { BenchCase } from "./cases.js";
import { programCase } from "./programs.js";

/** An arithmetic on the kernels' case, and what it has to reach. */
export interface ArithmeticCase extends BenchCase {
  readonly name: string;
  readonly arithmetic: ArithmeticSpec;
  /** Of the speed of bf16, or in GFLOP/s: on WebAssembly and in WGSL. */
  readonly floor: ({ readonly of: "bf16" } & Floors) | ({ readonly of: "GFLOP/s" } & Floors);
}

interface Floors {
  readonly wasm: number;
  readonly webgpu: number;
}

/** The cubic exponential of FlashAttention-4. */
const cubic = [0x3f800000, 0x3f31f519, 0x3e6906a4, 0x3d9df09d];

const load = (name: string): ArithmeticSpec => loadArithmetic(specFiles, name);
const chained = (name: string): ArithmeticSpec => ({ ...load(name), dot: "chain" });
const bf16 = load("bf16");

const ofBf16 = (share: number): ArithmeticCase["floor"] => ({ of: "bf16", wasm: share, webgpu: share });
const ofSteps: ArithmeticCase["floor"] = { of: "GFLOP/s", wasm: 2, webgpu: 0.5 };

const all: readonly (readonly [string, ArithmeticSpec, ArithmeticCase["floor"]])[] = [
  ["bf16", bf16, ofBf16(0)],
  ["bf16, cubic exp", { ...bf16, exp: { coefficients: cubic, fused: false } }, ofBf16(1)],
  ["bf16, threshold 8", { ...bf16, threshold: 8 }, ofBf16(1)],
  ["fa3-fp8, chain, difference", { ...chained("fa3-fp8"), exponent: "difference" }, ofBf16(0.7)],
  ["int8-qk", load("int8-qk"), ofBf16(0.7)],
  ["mxfp8", load("mxfp8"), ofBf16(0.7)],
  ["mxfp4", load("mxfp4"), ofBf16(0.7)],
  ["nvfp4", load("nvfp4"), ofBf16(0.7)],
  ["fa3-bf16, chain", chained("fa3-bf16"), ofBf16(0.5)],
  ["fa4-bf16, chain", chained("fa4-bf16"), ofBf16(0.5)],
  ["fa4-fp8, chain", chained("fa4-fp8"), ofBf16(0.5)],
  ["ampere-bf16", load("ampere-bf16"), ofSteps],
  ["hopper-fp8", load("hopper-fp8"), ofSteps],
  ["fa4-fp8", load("fa4-fp8"), ofSteps],
];

/** 4K tokens, all rows but where steps are slow. */
export const arithmeticCases: readonly ArithmeticCase[] = all.map(([name, arithmetic, floor]) => ({
  ...programCase,
  whole: floor.of === "bf16",
  name,
  arithmetic,
  floor,
}));
