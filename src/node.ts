/** The public API with the parts that need Node: files, threads. `fusemax` alone runs in a browser too. */
export * from "./index.js";
export * from "./io/safetensors.js";
export * from "./platform/wasm-host.js";
