import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { compileKernels, type KernelBuild, takesFused } from "../emulator/wasm/builds.js";
import type { WasmHost, WorkerThread } from "../emulator/wasm/host.js";
import { DeviceError } from "../errors.js";
import { freeAddressBytes, threadAddressBytes, wasmAddressBytes } from "./address-space.js";
import { mostJobs } from "./jobs.js";
import { optimizedAtOnce } from "./optimized-at-once.js";

/** What `npm run build` makes. Found from src/ as well as from dist/, since a worker thread cannot run TypeScript. */
const builtFolder = new URL("../../dist/", import.meta.url);

export interface NodeWasmHostOptions {
  /** False to leave the kernels with fused multiply-adds alone; the bits are the same. */
  readonly fused?: boolean;
}

/**
 * Node as the host of the WebAssembly engine.
 * @throws DeviceError when the kernels have not been built.
 * @example
 * ```ts
 * import { nodeWasmHost } from "fusemax/node";
 *
 * const host = await nodeWasmHost({ fused: true });
 * console.log(host.sharesMemory); // true
 * ```
 */
export async function nodeWasmHost({ fused = true }: NodeWasmHostOptions = {}): Promise<WasmHost> {
  if (fused && !takesFused(await readKernels("attention-fused.wasm"))) {
    // Node 20 knows relaxed SIMD behind a flag, which decides only what compiles from then on.
    setFlagsFromString("--experimental-wasm-relaxed-simd");
  }
  const threads = Math.min(mostJobs(), wasmThreadsThatFit());
  const module = await optimizedAtOnce(() => compileKernels(readKernels, fused));
  return { module, threads, sharesMemory: true, spawn };
}

/** Each thread has a memory of its own, and the first thread one. @throws DeviceError when not even one fits. */
function wasmThreadsThatFit(): number {
  const free = freeAddressBytes();
  const fit = Math.floor((free - wasmAddressBytes) / (wasmAddressBytes + threadAddressBytes));
  if (fit >= 1) return fit;
  throw new DeviceError({
    where: "engine wasm",
    got: `${Math.round(free / 2 ** 20)} MiB of address space`,
    expected: "room for two WebAssembly memories, 22 GiB",
    fix: "raise the limit (ulimit -v), or use --engine cpu",
  });
}

async function readKernels(build: KernelBuild): Promise<Uint8Array<ArrayBuffer>> {
  const path = new URL(`wasm/${build}`, builtFolder);
  try {
    return (await readFile(path)) as Uint8Array<ArrayBuffer>;
  } catch (cause) {
    const got = `no kernels at ${fileURLToPath(path)}`;
    const complaint = { where: "engine wasm", got, expected: "the built package", fix: "run npm run build" };
    throw new DeviceError(complaint, { cause });
  }
}

/** A worker thread; it keeps the process alive only while it owes an answer. */
function spawn(): WorkerThread {
  const worker = new Worker(new URL("platform/wasm-worker.js", builtFolder));
  worker.unref();
  let reason = "it ended";
  let ended = false;
  worker.on("error", error => {
    reason = error.message;
  });
  return {
    post: message => {
      if (message.type === "run") worker.ref();
      worker.postMessage(message);
    },
    onAnswer: listener =>
      worker.on("message", message => {
        worker.unref();
        listener(message);
      }),
    onDeath: listener =>
      worker.on("exit", () => {
        if (!ended) listener(reason);
      }),
    end: async () => {
      ended = true;
      await worker.terminate();
    },
  };
}
