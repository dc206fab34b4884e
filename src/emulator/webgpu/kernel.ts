import { type Format, type FormatName, formats } from "../../numerics/format.js";
import { exp2CoefficientBits } from "../../numerics/pe.js";
import { bitsOf, fromBits, rounder } from "../../numerics/rounding.js";
import { blockLayout, jobLayout, operationBatchLayout, packBatchLayout } from "./layout.js";
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
  const structs = [jobLayout, blockLayout, operationBatchLayout, packBatchLayout].map(layout => layout.wgsl);
  const own = Object.entries({ workgroupSize, ...constants }).map(([name, value]) => `const ${name} = ${value}u;\n`);
  return [...structs, stateDeclarations, opCodeDeclarations, ...own, ...coefficients].join("");
}

/** Files that a kernel needs beside the arithmetic. */
function filesOf({ name, quads }: Kernel): readonly string[] {
  if (name === "attention-rows") return ["shared/block", quads ? "shared/quad-words" : "shared/shared-words"];
  return name === "attention-tiles" ? ["shared/block"] : [];
}

/** The whole text of a kernel. */
export function kernelText(kernel: Kernel, source: ShaderSource): string {
  const files = [...arithmeticFiles(formats[kernel.format]), ...filesOf(kernel)];
  // Which invocations reach a quad operation depends on the workgroup alone, which the compiler cannot see through.
  const enable = kernel.quads ? "enable subgroups;\ndiagnostic(off, subgroup_uniformity);\n" : "";
  return [enable + prelude(kernel), ...files.map(source), source(kernel.name)].join("\n");
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
    const label = `${kernel.name} ${kernel.format}`;
    const module = this.#device.createShaderModule({ label, code: kernelText(kernel, this.#source) });
    // Never the synchronous call: it would block signals while a driver compiles for seconds.
    const pipeline = this.#device.createComputePipelineAsync({ label, layout: "auto", compute: { module } });
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }
}
