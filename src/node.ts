/** The public API with the parts that need Node: files, threads, adapters. `fusemax` alone runs in a browser too. */
export * from "./index.js";
export * from "./io/safetensors.js";
export * from "./io/spec-files.js";
export * from "./platform/choose-engine.js";
export * from "./platform/wasm-host.js";
