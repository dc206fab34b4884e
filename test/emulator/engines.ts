import { cpuEngine } from "../../src/emulator/cpu.js";
import type { Engine } from "../../src/emulator/engine.js";
import { wasmEngine } from "../../src/emulator/wasm/engine.js";
import { nodeWasmHost } from "../../src/platform/wasm-host.js";
import { openTestEngine, tilesVariant } from "./webgpu/adapter.js";

/** An engine that the laws of test/properties are run on. */
export interface TestedEngine {
  readonly name: string;
  /** How many random cases a law is tried on: fewer where a case is slow. */
  readonly runs: number;
  /** Opens the engine. One that a machine cannot have is left out of the list with a visible line, never passed in silence. */
  readonly open: () => Promise<Engine>;
}

const all: readonly TestedEngine[] = [
  { name: "cpu", runs: 150, open: async () => cpuEngine() },
  { name: "wasm", runs: 100, open: async () => wasmEngine(await nodeWasmHost()) },
  { name: "webgpu", runs: 60, open: () => openTestEngine() },
  // What a GPU would run; a software adapter takes long over it.
  { name: "webgpu with workgroup memory", runs: 15, open: () => openTestEngine({ variant: tilesVariant(64) }) },
];

/** All engines, or those whose name begins with FUSEMAX_TEST_ENGINES (`npm run test:lavapipe`). */
export const engines = all.filter(({ name }) => name.startsWith(process.env["FUSEMAX_TEST_ENGINES"] ?? ""));

/** Engines that print every program, FuseMax's own cascade too, in place of running a kernel written by hand. */
const allPrinting: readonly TestedEngine[] = [
  { name: "cpu", runs: 25, open: async () => cpuEngine({ specialize: false }) },
  { name: "cpu, closures", runs: 10, open: async () => cpuEngine({ specialize: false, form: "closures" }) },
  { name: "wasm", runs: 25, open: async () => wasmEngine(await nodeWasmHost(), { specialize: false }) },
  { name: "webgpu", runs: 8, open: () => openTestEngine({ specialize: false }) },
];

export const printingEngines = allPrinting.filter(({ name }) =>
  name.startsWith(process.env["FUSEMAX_TEST_ENGINES"] ?? ""),
);
