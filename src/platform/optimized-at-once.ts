import { setFlagsFromString } from "node:v8";

/**
 * Compiles WebAssembly with V8's optimizing compiler from the start. By default it waits until a function has run for a while
 * in code several times slower, and a small problem is over before that. The flag is taken back for other modules of the
 * process.
 */
export async function optimizedAtOnce<T>(compile: () => Promise<T>): Promise<T> {
  setFlagsFromString("--no-wasm-dynamic-tiering");
  try {
    return await compile();
  } finally {
    setFlagsFromString("--wasm-dynamic-tiering");
  }
}

/** The same for a module that is compiled while the thread waits. */
export function compiledAtOnce(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  setFlagsFromString("--no-wasm-dynamic-tiering");
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    setFlagsFromString("--wasm-dynamic-tiering");
  }
}
