import { cpuEngine } from "../../src/emulator/cpu.js";
import type { Engine } from "../../src/emulator/engine.js";
import { wasmEngine } from "../../src/emulator/wasm/engine.js";
import { nodeWasmHost } from "../../src/platform/wasm-host.js";
import { openTestEngine } from "./webgpu/adapter.js";

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
];

/** All engines, or the one that FUSEMAX_TEST_ENGINES names (`npm run test:lavapipe`). */
export const engines = all.filter(({ name }) => (process.env["FUSEMAX_TEST_ENGINES"] ?? name) === name);
