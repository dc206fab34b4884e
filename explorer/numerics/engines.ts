import { cpuEngine } from "../../src/emulator/cpu.js";
import type { Engine } from "../../src/emulator/engine.js";
import { selfTest } from "../../src/emulator/self-test.js";
import { trusted } from "../../src/emulator/trusted.js";
import { wasmEngine } from "../../src/emulator/wasm/engine.js";
import { webWasmHost } from "../../src/emulator/wasm/web-host.js";
import { webGpuEngine } from "../../src/emulator/webgpu/engine.js";
import { DeviceError, FusemaxError } from "../../src/errors.js";
import type { ArithmeticSpec } from "../../src/numerics/arithmetic.js";
import { messageOf } from "../message.js";
import type { State } from "../state.js";

export interface ChosenEngine {
  readonly engine: Engine;
  /** Why this one. */
  readonly reason: string;
  readonly notes: readonly string[];
}

/**
 * The engine asked for; `auto` is a hardware adapter that passes the self-test, else WebAssembly, else the plain twin.
 * @throws DeviceError when the one asked for by name cannot be had.
 */
export async function chooseEngine(choice: State["engine"], arithmetic: ArithmeticSpec): Promise<ChosenEngine> {
  if (choice === "cpu") return { engine: cpuEngine(), reason: "asked for", notes: [] };
  if (choice === "wasm") return { engine: await openWasm(arithmetic), reason: "asked for", notes: [] };
  if (choice === "webgpu") return { engine: await openGpu(arithmetic, true), reason: "asked for", notes: [] };
  try {
    return { engine: await openGpu(arithmetic, false), reason: "a GPU that passes the self-test", notes: [] };
  } catch (error) {
    if (!(error instanceof FusemaxError)) throw error;
    const notes = [`No GPU is used: ${messageOf(error)}.`];
    return { engine: await openProcessor(arithmetic, notes), reason: "no GPU can be used", notes };
  }
}

/** The engine that needs no GPU. Why it is not WebAssembly is added to the notes. */
export async function openProcessor(arithmetic: ArithmeticSpec, notes: string[]): Promise<Engine> {
  try {
    return await openWasm(arithmetic);
  } catch (error) {
    if (!(error instanceof FusemaxError)) throw error;
    notes.push(`WebAssembly cannot be used: ${messageOf(error)}.`);
    return cpuEngine();
  }
}

const shaders = import.meta.glob<string>("../../shaders/**/*.wgsl", { query: "?raw", import: "default", eager: true });

function readShader(name: string): string {
  const text = shaders[`../../shaders/${name}.wgsl`];
  if (text === undefined) throw new Error(`no shader ${name}`);
  return text;
}

/** The limits that the kernels gain from. */
const wantedLimits = ["maxStorageBufferBindingSize", "maxBufferSize", "maxComputeWorkgroupStorageSize"] as const;

async function openGpu(arithmetic: ArithmeticSpec, software: boolean): Promise<Engine> {
  const missing = (problem: string, fix: string) =>
    new DeviceError({ where: "WebGPU", got: "no GPU", expected: "a GPU", problem, fix });
  if (navigator.gpu === undefined) {
    const page = globalThis.isSecureContext ? "" : "; it is given to pages on https or localhost only";
    throw missing(`this browser does not offer it${page}`, "a recent Chrome, Edge, Safari or Firefox does");
  }
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) throw missing("the browser offers no GPU", "it found no driver that it trusts");
  const { vendor, architecture, description, device, isFallbackAdapter } = adapter.info;
  const isSoftware = isFallbackAdapter === true || architecture === "swiftshader";
  const name = [vendor, architecture, description || device].filter(word => word !== "").join(" ");
  if (isSoftware && !software)
    throw missing(`the browser has a GPU in software only, ${name}`, "WebAssembly is faster on the processor");
  const requiredLimits = Object.fromEntries(wantedLimits.map(limit => [limit, adapter.limits[limit]]));
  const engine = webGpuEngine({
    device: await adapter.requestDevice({ requiredLimits }),
    adapter: name,
    kind: isSoftware ? "software" : "discrete",
    shaders: readShader,
  });
  return trusted(engine, selfTest({ engine, runOps: engine.runOps }, arithmetic));
}

async function openWasm(arithmetic: ArithmeticSpec): Promise<Engine> {
  // Only their folder is asked for; both imports put their files there.
  const [{ default: plain }] = await Promise.all([
    import("../../dist/wasm/attention.wasm?url&no-inline"),
    import("../../dist/wasm/attention-fused.wasm?url&no-inline"),
  ]);
  const startWorker = () =>
    new Worker(new URL("../../src/emulator/wasm/web-worker.ts", import.meta.url), { type: "module" });
  const engine = wasmEngine(await webWasmHost({ kernels: new URL("./", new URL(plain, location.href)), startWorker }));
  return trusted(engine, selfTest({ engine, runOps: null }, arithmetic));
}
