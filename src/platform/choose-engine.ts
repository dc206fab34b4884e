import { cpuEngine } from "../emulator/cpu.js";
import type { Engine, EngineName } from "../emulator/engine.js";
import { DeviceError } from "../errors.js";
import type { FormatName } from "../numerics/format.js";
import { type Adapter, listAdapters } from "./adapters.js";
import { openTrustedWebGpu } from "./trusted-webgpu.js";

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
 * Opens the engine asked for. `auto`: a hardware adapter that passes the self-test in this format, else the processor's
 * engine. `webgpu`: a hardware adapter, else a software one.
 * @throws DeviceError when `webgpu` is asked for and there is no adapter, or none that passes the self-test.
 */
export async function chooseEngine(choice: EngineChoice, format: FormatName): Promise<ChosenEngine> {
  if (choice === "webgpu") return chooseWebGpu(format);
  if (choice === "auto") return chooseAny(format);
  return { engine: await openProcessor(), reason: "asked for", notes: [] };
}

/** The engine that needs no adapter. */
async function openProcessor(): Promise<Engine> {
  return cpuEngine();
}

async function chooseWebGpu(format: FormatName): Promise<ChosenEngine> {
  const { adapters, notes } = await listAdapters();
  const adapter = adapters.find(({ hardware }) => hardware) ?? adapters[0];
  if (adapter === undefined) {
    throw new DeviceError({
      where: "--engine webgpu",
      got: "no WebGPU adapter",
      expected: "a GPU with a Vulkan, Metal or Direct3D 12 driver, or a software adapter",
      mend: notes.join("; "),
    });
  }
  const engine = await openTrustedWebGpu(adapter, format);
  const reason = adapter.hardware ? "asked for" : `asked for; no hardware adapter, so ${describe(adapter)}`;
  return { engine, reason, notes: [`engine webgpu on ${adapter.name}: ${reason}`] };
}

async function chooseAny(format: FormatName): Promise<ChosenEngine> {
  const { adapters } = await listAdapters();
  const refused: string[] = [];
  for (const adapter of adapters.filter(({ hardware }) => hardware)) {
    try {
      const engine = await openTrustedWebGpu(adapter, format);
      const reason = "a hardware adapter that passes the self-test";
      return { engine, reason, notes: [`engine webgpu on ${adapter.name}: ${reason}`], fallback: openProcessor };
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      refused.push(error.message);
    }
  }
  const engine = await openProcessor();
  const reason = refused.length === 0 ? "no hardware adapter" : "no hardware adapter that passes the self-test";
  return { engine, reason, notes: [...refused, `engine ${engine.name}: ${reason}`] };
}

function describe({ bundled }: Adapter): string {
  return bundled ? "the installed SwiftShader, which computes on the processor" : "a software adapter";
}
