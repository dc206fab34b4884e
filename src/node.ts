/** The public API with the parts that need Node: files. `fusemax` alone runs in a browser too. */
export * from "./index.js";
export * from "./io/safetensors.js";
