import type { KernelShape } from "./kernel.js";

/** What sets kinds of adapters apart for the kernels; `software` runs on the CPU. */
export type AdapterKind = "software" | "integrated" | "discrete";

/** How the work is laid out on a kind of adapter. */
export interface Variant {
  /** The kernel's file. */
  readonly kernel: "attention-rows" | "attention-tiles";
  readonly workgroupSize: number;
  /** How the kernel is written. */
  readonly shape: (features: GPUSupportedFeatures) => KernelShape;
  /** Query rows that a workgroup owns. */
  readonly blockRows: number;
  /** Workgroups that fill the adapter. */
  readonly parallelBlocks: number;
  /** Multiply-accumulates a second to begin with, before anything was measured: rather too few. */
  readonly firstRate: number;
  /** Bytes of one part of K or V, and of all parts that are kept at a time. */
  readonly chunkBytes: number;
  readonly cacheBytes: number;
  /** Bytes of the buffers of one request. */
  readonly requestBytes: number;
}

const MiB = 2 ** 20;

/** Measured (bench/README.md); a kind of adapter that nobody has measured has the entry that theory speaks for. */
export function variantFor(kind: AdapterKind): Variant {
  return variants[kind];
}

const rows = {
  kernel: "attention-rows",
  workgroupSize: 4,
  blockRows: 32,
  shape: features => ({ quads: features.has("subgroups") }),
} as const satisfies Partial<Variant>;

const variants: Readonly<Record<AdapterKind, Variant>> = {
  software: {
    ...rows,
    parallelBlocks: 4,
    firstRate: 2e8,
    chunkBytes: 32 * MiB,
    cacheBytes: 128 * MiB,
    requestBytes: 32 * MiB,
  },
  integrated: {
    ...rows,
    parallelBlocks: 64,
    firstRate: 2e9,
    chunkBytes: 64 * MiB,
    cacheBytes: 1024 * MiB,
    requestBytes: 128 * MiB,
  },
  discrete: {
    ...rows,
    parallelBlocks: 512,
    firstRate: 2e10,
    chunkBytes: 64 * MiB,
    cacheBytes: 4096 * MiB,
    requestBytes: 512 * MiB,
  },
};
