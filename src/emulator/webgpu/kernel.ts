import { type Format, type FormatName, formats } from "../../numerics/format.js";
import { exp2CoefficientBits } from "../../numerics/pe.js";
import { bitsOf, fromBits, rounder } from "../../numerics/rounding.js";
import { blockLayout, jobLayout, operationBatchLayout } from "./layout.js";
import { opCodeDeclarations } from "./op-codes.js";

/** Gives the text of a shader by its name, without `.wgsl`: read from a file, or bundled. */
export type ShaderSource = (name: string) => string;

/** The shared files that make up a format's arithmetic, in the order of their dependence. */
export function arithmeticFiles(format: Format): readonly string[] {
  const { operand, accumulator } = format;
  const accumulate = operand === "fp32" ? "accumulate-fp32-products" : `accumulate-${accumulator}`;
  const fp16 = operand === "fp16" || accumulator === "fp16" ? ["round-fp16"] : [];
  return ["barrier", ...fp16, `operand-${operand}`, accumulate, "exp2", "divide"].map(name => `shared/${name}`);
}

/** Declarations that WGSL wants as constants: the structs shared with the host, and the polynomial rounded to A. */
export function prelude(format: Format): string {
  const toA = rounder(format.accumulator);
  const coefficients = exp2CoefficientBits.map((bits, i) => {
    const rounded = bitsOf(toA(fromBits(bits)));
    return `const c${i} = bitcast<f32>(0x${rounded.toString(16)}u);\n`;
  });
  const structs = [jobLayout, blockLayout, operationBatchLayout].map(layout => layout.wgsl);
  return [...structs, opCodeDeclarations, ...coefficients].join("");
}

/** The whole text of a kernel for a format. */
export function kernelText(name: string, format: Format, source: ShaderSource): string {
  return [prelude(format), ...arithmeticFiles(format).map(source), source(name)].join("\n");
}

/** `override` values of a pipeline. */
export type Overrides = Readonly<Record<string, number>>;

/** Compiles kernels once for each format and set of overrides. */
export class KernelCache {
  readonly #device: GPUDevice;
  readonly #source: ShaderSource;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice, source: ShaderSource) {
    this.#device = device;
    this.#source = source;
  }

  pipeline(name: string, format: FormatName, overrides: Overrides): Promise<GPUComputePipeline> {
    const key = JSON.stringify([name, format, overrides]);
    const known = this.#pipelines.get(key);
    if (known !== undefined) return known;
    const module = this.#device.createShaderModule({
      label: `${name} ${format}`,
      code: kernelText(name, formats[format], this.#source),
    });
    // Never the synchronous call: it would block signals while a driver compiles for seconds.
    const pipeline = this.#device.createComputePipelineAsync({
      label: `${name} ${format}`,
      layout: "auto",
      compute: { module, constants: { ...overrides } },
    });
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }
}
