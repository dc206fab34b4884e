import { availableParallelism } from "node:os";
import { cpuEngine, wasmEngine } from "fusemax";
import { listAdapters, nodeWasmHost, openTrustedWebGpu } from "fusemax/node";
import type { Engine } from "#fusemax/emulator/engine";
import type { Adapter } from "#fusemax/platform/adapters";
import { arithmeticOf, type BenchCase } from "./cases.js";

/** What is timed: the emulator's engines, and plain attention without emulation as the ceiling a user compares with. */
export interface Contender {
  readonly name: string;
  /** Opens the emulator's engine; absent for onnxruntime. */
  readonly open?: (one: BenchCase) => Promise<Engine>;
  readonly threads: number;
}

const threads = availableParallelism();
const wasm = (count: number, fused: boolean): Contender => ({
  name: `wasm, ${count} thread${count === 1 ? "" : "s"}${fused ? "" : ", not fused"}`,
  open: async () => wasmEngine(await nodeWasmHost({ fused }), { threads: count }),
  threads: count,
});

export const twin: Contender = { name: "golden twin", open: async () => cpuEngine(), threads: 1 };
export const onnxRuntime: Contender = { name: "onnxruntime, fp32", threads };

export interface Contenders {
  readonly found: readonly Contender[];
  /** What is missing for the rest. */
  readonly notes: readonly string[];
}

const onAdapter = (adapter: Adapter): Contender => ({
  name: `webgpu, ${adapter.name}`,
  open: one => openTrustedWebGpu(adapter, arithmeticOf(one)),
  threads, // a software adapter's
});

/** Everything this machine can run, the twin first. */
export async function contenders(): Promise<Contenders> {
  const { adapters, notes } = await listAdapters();
  const found = [
    twin,
    wasm(1, true),
    wasm(threads, false),
    wasm(threads, true),
    ...adapters.map(onAdapter),
    onnxRuntime,
  ];
  return { found, notes: adapters.length === 0 ? notes : [] };
}
