import type { ArithmeticSpec } from "../../numerics/arithmetic.js";
import { arithmeticPrelude, productKinds, termsAreWhole } from "./arithmetic-text.js";
import { blockLayout, jobLayout, operationBatchLayout, packBatchLayout, programJobLayout } from "./layout.js";
import { opCodeDeclarations } from "./op-codes.js";
import { wordsOf } from "./pack.js";
import { stateDeclarations } from "./state.js";

/** Gives the text of a shader by its name, without `.wgsl`: read from a file, or bundled. */
export type ShaderSource = (name: string) => string;

/** The shared files that make up an arithmetic. */
const arithmeticFiles = (arithmetic: ArithmeticSpec): readonly string[] => [
  ...["barrier", `words-${wordsOf(arithmetic)}`, "fused", "exp2", "divide", "short-quotient", "eight"],
];

/** The kernels written by hand, files of shaders/. */
export const kernelNames = ["attention-rows", "attention-tiles", "finish", "operations", "pack"] as const;

/** A kernel: a file of shaders/ and what its text depends on. */
export interface Kernel {
  readonly name: (typeof kernelNames)[number];
  readonly arithmetic: ArithmeticSpec;
  readonly workgroupSize: number;
  /** Unsigned constants of this kernel's own. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Whether the invocations of a quad share what they read; needs the feature `subgroups`. */
  readonly quads?: boolean;
  /** Whether an attention kernel stores every intermediate of the tiles that it works on. */
  readonly dumps?: boolean;
}

const unsigned = (constants: Readonly<Record<string, number>>): string =>
  Object.entries(constants)
    .map(([name, value]) => `const ${name} = ${value}u;\n`)
    .join("");

/** Declarations that WGSL wants as constants: what host and shaders share, and what the arithmetic says. */
function prelude({ arithmetic, workgroupSize, constants, dumps = false }: Kernel): string {
  const structs = [jobLayout, blockLayout, operationBatchLayout, packBatchLayout].map(layout => layout.wgsl);
  const own = `${unsigned({ workgroupSize, ...constants })}const dumps = ${dumps};\n`;
  return [...structs, stateDeclarations, opCodeDeclarations, own, arithmeticPrelude(arithmetic)].join("");
}

/** Files that a kernel needs beside the arithmetic. */
function filesOf({ name, quads, arithmetic }: Kernel): readonly string[] {
  if (name === "attention-rows") {
    const words = quads ? "shared/quad-words" : "shared/shared-words";
    const products = ["shared/scores-chain", "shared/values-chain"];
    return [
      "shared/block",
      "shared/fours",
      words,
      "shared/sixteen",
      "shared/rows",
      "shared/page-fours",
      ...products,
      "shared/window",
      "shared/dump",
    ];
  }
  if (name === "operations") {
    const terms = termsAreWhole(arithmetic) ? "shared/terms-whole" : "shared/terms-split";
    return ["shared/block-sum", terms, "shared/wide-sum", "shared/numerators"];
  }
  return name === "attention-tiles" ? ["shared/block", "shared/tile-rows", "shared/dump"] : [];
}

/** The whole text of a kernel. */
export function kernelText(kernel: Kernel, source: ShaderSource): string {
  const files = [...arithmeticFiles(kernel.arithmetic).map(name => `shared/${name}`), ...filesOf(kernel)];
  const enable = kernel.quads ? enableQuads : "";
  return [enable + prelude(kernel), ...files.map(source), source(kernel.name)].join("\n");
}

/** What the text of a printed program's pass depends on beside the pass. */
export interface PrintedKernel {
  readonly arithmetic: ArithmeticSpec;
  readonly workgroupSize: number;
  readonly constants: Readonly<Record<string, number>>;
  readonly quads: boolean;
  /** Whether rows may see less than all keys of an interval. */
  readonly bits: boolean;
}

/** The whole text of a pass of a printed program; `printed` comes last. */
export function printedText(kernel: PrintedKernel, printed: string, source: ShaderSource): string {
  const { arithmetic, workgroupSize, constants, quads } = kernel;
  const words = quads ? "quad-words" : "shared-words";
  const files = [
    ...arithmeticFiles(arithmetic),
    "block",
    "fours",
    words,
    "sixteen",
    "rows",
    "page-fours",
    ...productFiles(arithmetic),
  ];
  const own = unsigned({ workgroupSize, ...constants });
  const prelude = [programJobLayout.wgsl, blockLayout.wgsl, own, arithmeticPrelude(arithmetic)].join("");
  return [
    (quads ? enableQuads : "") + prelude,
    ...[...files, kernel.bits ? "window-bits" : "window"].map(name => source(`shared/${name}`)),
    source("program"),
    printed,
  ].join("\n");
}

/** The shared files that make up the products of an arithmetic. */
function productFiles(arithmetic: ArithmeticSpec): readonly string[] {
  const { scores, values } = productKinds(arithmetic);
  const kinds = [scores, values];
  const files = {
    scaled: kinds.includes("blocks"),
    sixteens: kinds.includes("blocks"),
    "value-blocks": values !== "chain",
    "block-sum": kinds.includes("steps"),
    steps: kinds.includes("steps"),
    "wide-sum": kinds.includes("wide"),
    "value-steps": values === "steps" || values === "wide",
  };
  const terms = files.steps ? [termsAreWhole(arithmetic) ? "terms-whole" : "terms-split"] : [];
  const needed = Object.entries(files).flatMap(([name, isNeeded]) => (isNeeded ? [name] : []));
  return [...needed, ...terms, `scores-${scores}`, `values-${values}`];
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
    return this.#compile(key, `${kernel.name} ${kernel.arithmetic.name}`, kernelText(kernel, this.#source), "auto");
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
