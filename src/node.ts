/** The public API with the parts that need Node: files, threads, adapters. `fusemax` alone runs in a browser too. */
export * from "./index.js";
export * from "./io/atomic-write.js";
export * from "./io/cascade-files.js";
export * from "./io/csv.js";
export * from "./io/npy.js";
export * from "./io/npz.js";
export * from "./io/rows-file.js";
export * from "./io/run-identity.js";
export * from "./io/safetensors.js";
export * from "./io/spec-files.js";
export type * from "./io/stored-tensor.js";
export * from "./platform/adapters.js";
export * from "./platform/choose-engine.js";
export { compareOnThreads } from "./platform/compare-on-threads.js";
export * from "./platform/ending-signals.js";
export { haltDevices } from "./platform/open-devices.js";
export * from "./platform/trusted-webgpu.js";
export * from "./platform/wasm-host.js";
