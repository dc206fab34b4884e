/**
 * The public API with the parts that need Node: files, threads, adapters.
 * @module fusemax/node
 */

export * from "./index.js";

// Specs and cascades: the package's, and a user's files.

export { cascadeNames, loadCascade } from "./io/cascade-files.js";
export { specFiles } from "./io/spec-files.js";

// Engines of this machine.

export type { EngineName } from "./emulator/engine.js";
export { type Adapter, type AdapterListing, listAdapters } from "./platform/adapters.js";
export { type ChosenEngine, chooseEngine, type EngineChoice } from "./platform/choose-engine.js";
export { haltDevices } from "./platform/open-devices.js";
export { openTrustedWebGpu, type PrintOptions } from "./platform/trusted-webgpu.js";
export { type NodeWasmHostOptions, nodeWasmHost } from "./platform/wasm-host.js";

// Tensors and tables in files.

export { writeAtomically } from "./io/atomic-write.js";
export { csvText } from "./io/csv.js";
export type { FloatPieces, FloatValues, StoredFloat } from "./io/float-pieces.js";
export { readNpy, writeNpy } from "./io/npy.js";
export { type NpzFile, readNpz, writeNpz } from "./io/npz.js";
export type { ReadAs } from "./io/read-as.js";
export { readSafetensors, type WritableTensor, writeSafetensors } from "./io/safetensors.js";
export type { SafetensorsFile } from "./io/safetensors-format.js";
export type { StoredTensor } from "./io/stored-tensor.js";
export type { Metadata } from "./io/tensor-file.js";
