import type { AttentionProblem } from "../../attention/problem.js";
import { allRows } from "../../attention/rows.js";
import type { ArithmeticSpec } from "../../numerics/arithmetic.js";

/** What sets kinds of adapters apart for the kernels; `software` runs on the CPU. */
export type AdapterKind = "software" | "integrated" | "discrete";

/** How much of its work an invocation of attention-rows has at once: constants of that kernel. */
export interface RowsShape extends Readonly<Record<string, number>> {
  /**
   * Blocks of 8 keys or columns that an invocation keeps in registers, each with its 8 rows. With two, an iteration of a chain takes
   * four operands, else those of a word.
   */
  readonly blocksAtOnce: 1 | 2;
}

/** How the work is laid out on an adapter. */
export interface Variant {
  /** The kernel's file. */
  readonly kernel: "attention-rows" | "attention-tiles";
  readonly workgroupSize: number;
  /** Query rows that a workgroup owns: 8 an invocation of attention-rows, 1 of attention-tiles. */
  readonly blockRows: number;
  readonly shape?: RowsShape;
  /** Whether the invocations of a quad share what they read; needs the feature `subgroups`. */
  readonly quads?: boolean;
  /** Workgroups that fill the adapter. */
  readonly parallelBlocks: number;
  /** Multiply-accumulates per second to begin with, before anything was measured: rather too few. */
  readonly firstRate: number;
  /** Bytes of one part of K or V, and of all parts that are kept at a time. */
  readonly chunkBytes: number;
  readonly cacheBytes: number;
  /** Bytes of the largest buffer of one request. */
  readonly requestBytes: number;
}

/** What is known of an adapter when a kernel is chosen. */
export interface AdapterTraits {
  readonly kind: AdapterKind;
  readonly subgroups: boolean;
  /** Invocations in a vector or wave, as far as the adapter says. */
  readonly subgroupSize: number;
}

export function traitsOf(device: GPUDevice, kind: AdapterKind): AdapterTraits {
  const { features, adapterInfo } = device;
  return { kind, subgroups: features.has("subgroups"), subgroupSize: adapterInfo.subgroupMaxSize ?? 0 };
}

const MiB = 2 ** 20;

/**
 * The variant for a problem on an adapter. The software entries were measured (bench/README.md); no GPU was at hand, and
 * theirs follow from the kernels' arithmetic.
 */
export function variantFor(traits: AdapterTraits, problem: AttentionProblem): Variant {
  const { kind } = traits;
  if (kind === "software") return softwareVariant(traits, problem.arithmetic);
  // Larger blocks read K and V less often; smaller ones fill the adapter with fewer rows.
  const blockRows = kind === "discrete" && allRows(problem).end >= 32768 ? 128 : 64;
  const blocks = { kernel: "attention-tiles", workgroupSize: blockRows, blockRows } as const;
  if (kind === "integrated") {
    const memory = { chunkBytes: 64 * MiB, cacheBytes: 1024 * MiB, requestBytes: 64 * MiB };
    return { ...blocks, ...memory, parallelBlocks: 64, firstRate: 1e10 };
  }
  const memory = { chunkBytes: 64 * MiB, cacheBytes: 4096 * MiB, requestBytes: 256 * MiB };
  return { ...blocks, ...memory, parallelBlocks: 512, firstRate: 2e11 };
}

/** How attention-rows, and with it every printed program, is laid out on an adapter: the kernel that any of them takes. */
export function rowsVariant(
  traits: AdapterTraits,
  { arithmetic }: AttentionProblem,
): Pick<Variant, "kernel" | "workgroupSize" | "blockRows" | "shape" | "quads"> {
  if (traits.kind === "software") {
    const { kernel, workgroupSize, blockRows, shape, quads = false } = softwareVariant(traits, arithmetic);
    return { kernel, workgroupSize, blockRows, shape: shape ?? oneAtOnce, quads };
  }
  return { kernel: "attention-rows", workgroupSize: 64, blockRows: 512, shape: oneAtOnce, quads: false };
}

const oneAtOnce: RowsShape = { blocksAtOnce: 1 };

function softwareVariant({ subgroups, subgroupSize }: AdapterTraits, { accumulator, dot }: ArithmeticSpec): Variant {
  const memory = { chunkBytes: 32 * MiB, cacheBytes: 128 * MiB, requestBytes: 32 * MiB };
  const common = { kernel: "attention-rows", parallelBlocks: 4, firstRate: 2e8, ...memory } as const;
  if (!subgroups || subgroupSize !== 4) {
    // lavapipe: vectors of 8, loads that all invocations share, and a compiler that takes long over long code.
    return { ...common, workgroupSize: 8, blockRows: 64, shape: { blocksAtOnce: 1 } };
  }
  // SwiftShader: vectors of 4, and loads that cost ten times a product. Where every sum is rounded in integers, or cut, the code is
  // long already, and more of it at once gains little for the time it takes to compile.
  const shape: RowsShape = { blocksAtOnce: accumulator === "fp32" && dot === "chain" ? 2 : 1 };
  return { ...common, workgroupSize: 4, blockRows: 32, shape, quads: true };
}
