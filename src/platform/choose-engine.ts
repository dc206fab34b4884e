import { cpuEngine } from "../emulator/cpu.js";
import type { Engine, EngineName } from "../emulator/engine.js";
import { selfTest } from "../emulator/self-test.js";
import { trusted } from "../emulator/trusted.js";
import { wasmEngine } from "../emulator/wasm/engine.js";
import { DeviceError } from "../errors.js";
import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import { type Adapter, listAdapters } from "./adapters.js";
import { openTrustedWebGpu } from "./trusted-webgpu.js";
import { nodeWasmHost } from "./wasm-host.js";

export type EngineChoice = "auto" | EngineName;

export interface ChosenEngine {
  readonly engine: Engine;
  /** Why this one, in a sentence. */
  readonly reason: string;
  /** Lines for stderr: what was found and what was not. */
  readonly notes: readonly string[];
  /** What `auto` goes on with when the engine is lost. */
  readonly fallback?: () => Promise<Engine>;
}

/**
 * Opens the engine asked for. `auto`: a hardware adapter that passes the self-test in this arithmetic, else WebAssembly, else
 * the plain twin. `webgpu`: a hardware adapter, else a software one. `cpu`: the plain twin.
 * @throws DeviceError when the engine asked for by name is not there or does not pass the self-test.
 * @example
 * ```ts
 * import { chooseEngine, formatArithmetics } from "fusemax/node";
 *
 * const { engine } = await chooseEngine("wasm", formatArithmetics.bf16);
 * console.log(engine.name); // wasm
 * await engine.close();
 * ```
 */
export async function chooseEngine(choice: EngineChoice, arithmetic: ArithmeticSpec): Promise<ChosenEngine> {
  if (choice === "webgpu") return chooseWebGpu(arithmetic);
  if (choice === "auto") return chooseAny(arithmetic);
  const engine = choice === "wasm" ? await openTrustedWasm(arithmetic) : cpuEngine();
  return { engine, reason: "asked for", notes: [] };
}

/** The engine that needs no adapter; `refused` gets why it is not WebAssembly. */
async function openProcessor(arithmetic: ArithmeticSpec, refused: string[] = []): Promise<Engine> {
  try {
    return await openTrustedWasm(arithmetic);
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    refused.push(error.message);
    return cpuEngine();
  }
}

/** @throws DeviceError when the kernels are not built or do not give the contract's bits here. */
async function openTrustedWasm(arithmetic: ArithmeticSpec): Promise<Engine> {
  const engine = wasmEngine(await nodeWasmHost());
  return trusted(engine, selfTest({ engine, runOps: null }, arithmetic), "use --engine cpu");
}

async function chooseWebGpu(arithmetic: ArithmeticSpec): Promise<ChosenEngine> {
  const { adapters, notes } = await listAdapters();
  const adapter = adapters.find(({ hardware }) => hardware) ?? adapters[0];
  if (adapter === undefined) {
    throw new DeviceError({
      where: "--engine webgpu",
      got: "no WebGPU adapter",
      expected: "a GPU with a Vulkan, Metal or Direct3D 12 driver, or a software adapter",
      fix: notes.join("; "),
    });
  }
  const engine = await openTrustedWebGpu(adapter, arithmetic);
  const reason = adapter.hardware ? "asked for" : `asked for; no hardware adapter, so ${describe(adapter)}`;
  return { engine, reason, notes: [`engine webgpu on ${adapter.name}: ${reason}`] };
}

async function chooseAny(arithmetic: ArithmeticSpec): Promise<ChosenEngine> {
  const refused: string[] = [];
  /** What `open` gives; a DeviceError is noted. */
  const unlessRefused = async <T>(open: Promise<T>): Promise<T | null> => {
    try {
      return await open;
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      refused.push(error.message);
      return null;
    }
  };
  const listing = await unlessRefused(listAdapters({ bundled: false }));
  const hardware = (listing?.adapters ?? []).filter(adapter => adapter.hardware);
  for (const adapter of hardware) {
    const engine = await unlessRefused(openTrustedWebGpu(adapter, arithmetic));
    if (engine === null) continue;
    const reason = "a hardware adapter that passes the self-test";
    return {
      engine,
      reason,
      notes: [`engine webgpu on ${adapter.name}: ${reason}`],
      fallback: () => openProcessor(arithmetic),
    };
  }
  const reason =
    listing === null
      ? refused.join("; ")
      : hardware.length === 0
        ? "no hardware adapter"
        : "no hardware adapter that passes the self-test";
  const notes = listing === null ? [] : refused;
  const engine = await openProcessor(arithmetic, notes);
  return {
    engine,
    reason,
    notes: [...notes, `engine ${engine.name}: ${reason}`],
    // Memory may run out in the middle.
    ...(engine.name === "wasm" ? { fallback: async () => cpuEngine() } : {}),
  };
}

function describe({ bundled }: Adapter): string {
  return bundled ? "the installed SwiftShader, which computes on the processor" : "a software adapter";
}
