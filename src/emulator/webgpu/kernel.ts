import { type Format, type FormatName, formats } from "../../numerics/format.js";
import { exp2CoefficientBits } from "../../numerics/pe.js";
import { bitsOf, fromBits, rounder } from "../../numerics/rounding.js";
import { blockLayout, jobLayout, operationBatchLayout } from "./layout.js";
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

/** Choices that shape the text of a kernel. */
export interface KernelShape {
  /** Blocks of 8 keys or columns that an invocation keeps in registers, each with its 8 rows. */
  readonly blocksAtOnce: 1 | 2;
  /** Words of one or two operands that a turn of the inner loops takes. */
  readonly wordsAtOnce: 1 | 2;
  /** Whether the invocations of a quad share what they read; needs the feature `subgroups`. */
  readonly quads: boolean;
}

/** Declarations that WGSL wants as constants: what host and shaders share, and the polynomial rounded to A. */
export function prelude(format: Format, { blocksAtOnce, wordsAtOnce }: KernelShape): string {
  const toA = rounder(format.accumulator);
  const coefficients = exp2CoefficientBits.map((bits, i) => {
    const rounded = bitsOf(toA(fromBits(bits)));
    return `const c${i} = bitcast<f32>(0x${rounded.toString(16)}u);\n`;
  });
  const structs = [jobLayout, blockLayout, operationBatchLayout].map(layout => layout.wgsl);
  const shape = `const blocksAtOnce = ${blocksAtOnce}u;\nconst wordsAtOnce = ${wordsAtOnce}u;\n`;
  return [...structs, stateDeclarations, opCodeDeclarations, shape, ...coefficients].join("");
}

/** Files that a kernel needs beside the arithmetic. */
function filesOf(name: string, { quads }: KernelShape): readonly string[] {
  if (name === "attention-rows") return ["shared/block", quads ? "shared/quad-words" : "shared/shared-words"];
  return name === "attention-tiles" ? ["shared/block"] : [];
}

export const plainShape: KernelShape = { blocksAtOnce: 1, wordsAtOnce: 1, quads: false };

/** The whole text of a kernel for a format. */
export function kernelText(name: string, format: Format, source: ShaderSource, shape = plainShape): string {
  const files = [...arithmeticFiles(format), ...filesOf(name, shape)];
  // Which invocations reach a quad operation depends on the workgroup alone, which the compiler cannot see through.
  const enable = shape.quads ? "enable subgroups;\ndiagnostic(off, subgroup_uniformity);\n" : "";
  return [enable + prelude(format, shape), ...files.map(source), source(name)].join("\n");
}

/** `override` values of a pipeline. */
export type Overrides = Readonly<Record<string, number>>;

/** Compiles kernels once for each format, shape and set of overrides. */
export class KernelCache {
  readonly #device: GPUDevice;
  readonly #source: ShaderSource;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice, source: ShaderSource) {
    this.#device = device;
    this.#source = source;
  }

  pipeline(
    name: string,
    format: FormatName,
    overrides: Overrides,
    shape: KernelShape = plainShape,
  ): Promise<GPUComputePipeline> {
    const key = JSON.stringify([name, format, overrides, shape]);
    const known = this.#pipelines.get(key);
    if (known !== undefined) return known;
    const module = this.#device.createShaderModule({
      label: `${name} ${format}`,
      code: kernelText(name, formats[format], this.#source, shape),
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
