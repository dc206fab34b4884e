import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { WasmHost, WorkerThread } from "../emulator/wasm/host.js";
import { DeviceError } from "../errors.js";

/** What `npm run build` makes. Found from src/ as well as from dist/, since a worker thread cannot run TypeScript. */
const builtFolder = new URL("../../dist/", import.meta.url);

/**
 * Node as the host of the WebAssembly engine.
 * @throws DeviceError when the kernels have not been built.
 */
export async function nodeWasmHost(): Promise<WasmHost> {
  const path = new URL("wasm/attention.wasm", builtFolder);
  const bytes = await readFile(path).catch(error => {
    throw new DeviceError(
      {
        where: "engine wasm",
        got: `no kernels at ${path.pathname}`,
        expected: "the built package",
        mend: "run npm run build",
      },
      { cause: error },
    );
  });
  const module = await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>);
  return { module, threads: availableParallelism(), sharesMemory: true, spawn };
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
