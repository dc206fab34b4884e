import type { FromWorker, ToWorker } from "./messages.js";

/** A thread that runs `workerInside`. */
export interface WorkerThread {
  post(message: ToWorker): void;
  /** Hears every answer. */
  onAnswer(listener: (message: FromWorker) => void): void;
  /** Hears, once, that the thread ended without being asked to. */
  onDeath(listener: (reason: string) => void): void;
  end(): Promise<void>;
}

/** What the WebAssembly engine needs from where it runs: Node (src/platform/wasm-host.ts) or a browser. */
export interface WasmHost {
  /** The compiled kernels: `dist/wasm/attention.wasm`, or `attention-fused.wasm` where relaxed SIMD can be had. */
  readonly module: WebAssembly.Module;
  /** How many threads are worth starting. */
  readonly threads: number;
  /** Whether threads can share memory; without it each gets copies of the operands. */
  readonly sharesMemory: boolean;
  spawn(): WorkerThread;
}
