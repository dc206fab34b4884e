import { DeviceError } from "../../errors.js";
import { compileKernels } from "./builds.js";
import type { WasmHost, WorkerThread } from "./host.js";

export interface WebWasmHostOptions {
  /** Where the two `.wasm` files of `dist/wasm/` lie; ends with a slash. */
  readonly kernels: URL | string;
  /** Starts a module worker that runs `web-worker.js` of this folder. */
  readonly startWorker: () => Worker;
  /** As many as the page may use by default. */
  readonly threads?: number;
}

/**
 * A browser's page as the host of the WebAssembly engine. Threads share memory where the page is cross-origin isolated;
 * else each gets a copy of the operands.
 * @throws DeviceError when the kernels cannot be fetched.
 * @example
 * ```ts
 * import { wasmEngine, webWasmHost } from "fusemax";
 *
 * // The two .wasm files and the worker are in the package's dist/wasm and dist/emulator/wasm.
 * const startWorker = () => new Worker("/fusemax/emulator/wasm/web-worker.js", { type: "module" });
 * const engine = wasmEngine(await webWasmHost({ kernels: "/fusemax/wasm/", startWorker }));
 * await engine.close();
 * ```
 */
export async function webWasmHost({ kernels, startWorker, threads }: WebWasmHostOptions): Promise<WasmHost> {
  const module = await compileKernels(async build => {
    const response = await fetch(new URL(build, new URL(kernels, globalThis.location?.href)));
    if (response.ok) return response.arrayBuffer();
    const got = `${response.status} for ${response.url}`;
    throw new DeviceError({ where: "engine wasm", got, expected: "the kernels of dist/wasm" });
  });
  return {
    module,
    threads: threads ?? navigator.hardwareConcurrency ?? 1,
    sharesMemory: globalThis.crossOriginIsolated === true,
    spawn: () => threadOf(startWorker()),
  };
}

function threadOf(worker: Worker): WorkerThread {
  return {
    post: message => worker.postMessage(message),
    onAnswer: listener => worker.addEventListener("message", ({ data }) => listener(data)),
    onDeath: listener =>
      worker.addEventListener(
        "error",
        event => {
          worker.terminate();
          listener(event.message || "it could not be loaded");
        },
        { once: true },
      ),
    end: async () => worker.terminate(),
  };
}
