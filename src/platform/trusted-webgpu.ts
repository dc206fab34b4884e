import { type SelfTestFailure, selfTest } from "../emulator/self-test.js";
import { trusted } from "../emulator/trusted.js";
import { type WebGpuEngine, webGpuEngine } from "../emulator/webgpu/engine.js";
import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import type { Adapter } from "./adapters.js";
import { collectGarbage } from "./collect-garbage.js";
import { gentleWait } from "./gentle-wait.js";
import { noteEngine } from "./open-devices.js";
import { readShader } from "./shaders.js";

/** What the self-test said of an adapter in an arithmetic: once a process for each adapter, driver and arithmetic. */
const verdicts = new Map<string, Promise<SelfTestFailure | null>>();

/** Whether FuseMax's own cascade has its kernels, or is printed as any other. */
export interface PrintOptions {
  readonly specialize?: boolean;
}

/** Opens the engine on an adapter, untested. */
export async function openWebGpu(adapter: Adapter, options: PrintOptions = {}): Promise<WebGpuEngine> {
  const device = await adapter.requestDevice();
  const { name, kind } = adapter;
  const engine = webGpuEngine({
    ...{ device, adapter: name, kind, shaders: readShader, hostWait: gentleWait },
    ...options,
  });
  const forget = noteEngine(engine);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= engine.close().then(forget).then(collectGarbage);
    return closing;
  };
  return { ...engine, close };
}

/** The first failing case of the self-test on an adapter, or null when it can be trusted with an arithmetic. */
export function selfTestOf(
  adapter: Adapter,
  engine: WebGpuEngine,
  arithmetic: ArithmeticSpec,
): Promise<SelfTestFailure | null> {
  const key = [adapter.name, adapter.info.device, adapter.bundled, JSON.stringify(arithmetic)].join(" | ");
  const known = verdicts.get(key);
  if (known !== undefined) return known;
  const verdict = selfTest({ engine, runOps: engine.runOps }, arithmetic);
  verdicts.set(key, verdict);
  verdict.catch(() => verdicts.delete(key)); // a lost device says nothing about the next
  return verdict;
}

/**
 * Opens the engine on an adapter that gives the contract's bits.
 * @throws DeviceError naming the adapter and the first failing case.
 * @example
 * ```ts
 * import { formatArithmetics, listAdapters, openTrustedWebGpu } from "fusemax/node";
 *
 * const [adapter] = (await listAdapters({ bundled: false })).adapters;
 * if (adapter !== undefined) {
 *   const engine = await openTrustedWebGpu(adapter, formatArithmetics.bf16);
 *   await engine.close();
 * }
 * ```
 */
export async function openTrustedWebGpu(
  adapter: Adapter,
  arithmetic: ArithmeticSpec,
  options: PrintOptions = {},
): Promise<WebGpuEngine> {
  const engine = await openWebGpu(adapter, options);
  return trusted(engine, selfTestOf(adapter, engine, arithmetic), "use --engine cpu");
}
