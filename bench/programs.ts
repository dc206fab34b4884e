import { availableParallelism } from "node:os";
import { formatArithmetics, wasmEngine } from "fusemax";
import { listAdapters, loadCascade, nodeWasmHost, openTrustedWebGpu } from "fusemax/node";
import type { Engine } from "#fusemax/emulator/engine";
import type { Adapter } from "#fusemax/platform/adapters";
import type { BenchCase } from "./cases.js";
import type { Contender } from "./contenders.js";

/** The cascades that printed programs are timed on. */
export const programCascades = [
  "attention-1-pass",
  "attention-2-pass",
  "attention-3-pass",
  "attention-3-pass-deferred",
] as const;

/** The size that the floors are stated for, all rows of it: with few rows packing K and V weighs more. */
export const programCase: BenchCase = { seq: 4096, dim: 64, format: "bf16", whole: true };

const threads = availableParallelism();

/** A contender that prints every program, FuseMax's own cascade too; or one with the kernels written by hand. */
function wasm(specialize: boolean): Contender {
  const open = async (): Promise<Engine> => wasmEngine(await nodeWasmHost(), { threads, specialize });
  return { name: `wasm, ${threads} threads, ${specialize ? "by hand" : "printed"}`, open, threads };
}

function onAdapter(adapter: Adapter, specialize: boolean): Contender {
  const open = ({ format }: BenchCase): Promise<Engine> =>
    openTrustedWebGpu(adapter, formatArithmetics[format], { specialize });
  return { name: `webgpu, ${adapter.name}, ${specialize ? "by hand" : "printed"}`, open, threads };
}

export async function programContenders(): Promise<readonly Contender[]> {
  const { adapters } = await listAdapters();
  return [true, false].flatMap(specialize => [wasm(specialize), ...adapters.map(a => onAdapter(a, specialize))]);
}

/** The case on a cascade of the library. */
export function onCascade(one: BenchCase, name: string): BenchCase {
  const { source } = loadCascade(name);
  return { ...one, cascade: { name, text: source.lines.join("\n") } };
}

/** What the printed programs have to reach, in GFLOP/s or of the kernels written by hand. */
export const floors = { wasm: 10, webgpu: 0.5 } as const;
