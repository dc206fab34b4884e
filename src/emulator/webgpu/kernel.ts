import { type Format, type FormatName, formats } from "../../numerics/format.js";
import { smallestCorrection, smallestExponent, smallestResult } from "../../numerics/limits.js";
import { exp2CoefficientBits } from "../../numerics/pe.js";
import { bitsOf, fromBits, rounder } from "../../numerics/rounding.js";
import { blockLayout, jobLayout, operationBatchLayout, packBatchLayout, programJobLayout } from "./layout.js";
import { opCodeDeclarations } from "./op-codes.js";
import { stateDeclarations } from "./state.js";

/** Gives the text of a shader by its name, without `.wgsl`: read from a file, or bundled. */
export type ShaderSource = (name: string) => string;

/** The shared files that make up a format's arithmetic, in the order of their dependence. */
export function arithmeticFiles(format: Format): readonly string[] {
  const { operand, accumulator } = format;
  const accumulate = operand === "fp32" ? "accumulate-fp32-products" : `accumulate-${accumulator}`;
  const fp16 = operand === "fp16" || accumulator === "fp16" ? ["round-fp16"] : [];
  return ["barrier", ...fp16, `operand-${operand}`, accumulate, "exp2", "divide", "eight"].map(
    name => `shared/${name}`,
  );
}

/** A kernel: a file of shaders/ and what its text depends on. */
export interface Kernel {
  readonly name: "attention-rows" | "attention-tiles" | "dump-tile" | "finish" | "operations" | "pack";
  readonly format: FormatName;
  readonly workgroupSize: number;
  /** Unsigned constants of this kernel's own. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Whether the invocations of a quad share what they read; needs the feature `subgroups`. */
  readonly quads?: boolean;
}

/** Declarations that WGSL wants as constants: what host and shaders share, and the polynomial rounded to A. */
function prelude({ format, workgroupSize, constants }: Kernel): string {
  const toA = rounder(formats[format].accumulator);
  const coefficients = exp2CoefficientBits.map((bits, i) => {
    const rounded = bitsOf(toA(fromBits(bits)));
    return `const c${i} = bitcast<f32>(0x${rounded.toString(16)}u);\n`;
  });
  const limits = Object.entries({ smallestExponent, smallestCorrection, smallestResult }).map(
    ([name, value]) => `const ${name} = bitcast<f32>(0x${bitsOf(value).toString(16)}u);\n`,
  );
  const structs = [jobLayout, blockLayout, operationBatchLayout, packBatchLayout].map(layout => layout.wgsl);
  const own = Object.entries({ workgroupSize, ...constants }).map(([name, value]) => `const ${name} = ${value}u;\n`);
  return [...structs, stateDeclarations, opCodeDeclarations, ...own, ...limits, ...coefficients].join("");
}

/** Files that a kernel needs beside the arithmetic. */
function filesOf({ name, quads }: Kernel): readonly string[] {
  if (name === "attention-rows") {
    const words = quads ? "shared/quad-words" : "shared/shared-words";
    return ["shared/block", words, "shared/sixteen", "shared/rows", "shared/window"];
  }
  return name === "attention-tiles" ? ["shared/block"] : [];
}

/** The whole text of a kernel. */
export function kernelText(kernel: Kernel, source: ShaderSource): string {
  const files = [...arithmeticFiles(formats[kernel.format]), ...filesOf(kernel)];
  const enable = kernel.quads ? enableQuads : "";
  return [enable + prelude(kernel), ...files.map(source), source(kernel.name)].join("\n");
}

/** What the text of a printed program's pass depends on beside the pass. */
export interface PrintedKernel {
  readonly format: FormatName;
  readonly workgroupSize: number;
  readonly constants: Readonly<Record<string, number>>;
  readonly quads: boolean;
  /** Whether rows may see less than all keys of an interval. */
  readonly bits: boolean;
}

/** The whole text of a pass of a printed program; `printed` comes last. */
export function printedText(kernel: PrintedKernel, printed: string, source: ShaderSource): string {
  const { format, workgroupSize, constants, quads } = kernel;
  const { operand, accumulator } = formats[format];
  const accumulate = operand === "fp32" ? "accumulate-fp32-products" : `accumulate-${accumulator}`;
  const files = ["barrier", "round-fp16", "round-bf16", `operand-${operand}`, accumulate, "divide", "eight", "block"];
  const words = quads ? "quad-words" : "shared-words";
  const own = Object.entries({ workgroupSize, ...constants }).map(([name, value]) => `const ${name} = ${value}u;\n`);
  const prelude = [programJobLayout.wgsl, blockLayout.wgsl, ...own].join("");
  return [
    (quads ? enableQuads : "") + prelude,
    ...[...files, words, "sixteen", "rows", kernel.bits ? "window-bits" : "window"].map(name =>
      source(`shared/${name}`),
    ),
    source("program"),
    printed,
  ].join("\n");
}

/** Which invocations reach a quad operation depends on the workgroup alone, which the compiler cannot see through. */
const enableQuads = "enable subgroups;\ndiagnostic(off, subgroup_uniformity);\n";

/** The text of shaders/collect.wgsl. */
export function collectText(workgroupSize: number, source: ShaderSource): string {
  return [`const workgroupSize = ${workgroupSize}u;\n${programJobLayout.wgsl}`, source("collect")].join("\n");
}

/** Compiles every kernel once. */
export class KernelCache {
  readonly #device: GPUDevice;
  readonly #source: ShaderSource;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice, source: ShaderSource) {
    this.#device = device;
    this.#source = source;
  }

  pipeline(kernel: Kernel): Promise<GPUComputePipeline> {
    const key = JSON.stringify(kernel);
    const known = this.#pipelines.get(key);
    if (known !== undefined) return known;
    return this.#compile(key, `${kernel.name} ${kernel.format}`, kernelText(kernel, this.#source), "auto");
  }

  /** The pipeline of a pass of a printed program, whose bindings are those of `layout` whether it uses them or not. */
  printed(kernel: PrintedKernel, printed: string, layout: GPUPipelineLayout): Promise<GPUComputePipeline> {
    const text = printedText(kernel, printed, this.#source);
    return this.#pipelines.get(text) ?? this.#compile(text, "printed program", text, layout);
  }

  collect(workgroupSize: number): Promise<GPUComputePipeline> {
    const text = collectText(workgroupSize, this.#source);
    return this.#pipelines.get(text) ?? this.#compile(text, "collect", text, "auto");
  }

  #compile(key: string, label: string, code: string, layout: GPUPipelineLayout | "auto"): Promise<GPUComputePipeline> {
    const module = this.#device.createShaderModule({ label, code });
    // Never the synchronous call: it would block signals while a driver compiles for seconds.
    const pipeline = this.#device.createComputePipelineAsync({ label, layout, compute: { module } });
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }
}
