import { cpuEngine } from "../emulator/cpu.js";
import type { Engine, EngineName } from "../emulator/engine.js";
import { describeFailure, type SelfTestFailure, selfTest } from "../emulator/self-test.js";
import { wasmEngine } from "../emulator/wasm/engine.js";
import type { AdapterKind } from "../emulator/webgpu/variant.js";
import { DeviceError } from "../errors.js";
import { type FormatName, formatNames } from "../numerics/format.js";
import { type Adapter, listAdapters } from "./adapters.js";
import { openWebGpu, selfTestOf } from "./trusted-webgpu.js";
import { nodeWasmHost } from "./wasm-host.js";

/** An engine, on an adapter where it needs one, and what the self-test says of it. */
export interface Diagnosis {
  readonly engine: EngineName;
  readonly adapter: { readonly name: string; readonly kind: AdapterKind; readonly bundled: boolean } | null;
  /** By format: "pass", the first failing case in bits, or why the engine could not run. */
  readonly formats: Readonly<Record<FormatName, string>>;
  /** Whether every format passes. */
  readonly trusted: boolean;
  readonly seconds: number;
}

export interface DoctorReport {
  readonly schema: "fusemax.doctor/1";
  readonly engines: readonly Diagnosis[];
  /** What was not found, and what to install. */
  readonly notes: readonly string[];
  /** Whether at least one engine is trusted. */
  readonly trusted: boolean;
}

type FormatTest = (format: FormatName) => Promise<SelfTestFailure | null>;

/** Runs the self-test on every engine and adapter of this machine; tells `onDiagnosis` as each is done. */
export async function examine(onDiagnosis: (diagnosis: Diagnosis) => void = () => {}): Promise<DoctorReport> {
  const engines: Diagnosis[] = [];
  const add = async (diagnosis: Promise<Diagnosis>): Promise<void> => {
    engines.push(await diagnosis);
    onDiagnosis(engines.at(-1) as Diagnosis);
  };
  const { adapters, notes } = await listAdapters().catch(async (error: unknown) => {
    if (!(error instanceof DeviceError)) throw error;
    await add(diagnose("webgpu", null, async () => Promise.reject(error)));
    return { adapters: [], notes: [] };
  });
  for (const adapter of adapters) await add(examineAdapter(adapter));
  await add(examineEngine("wasm", async () => wasmEngine(await nodeWasmHost())));
  await add(examineEngine("cpu", async () => cpuEngine()));
  return { schema: "fusemax.doctor/1", engines, notes, trusted: engines.some(({ trusted }) => trusted) };
}

async function examineAdapter(adapter: Adapter): Promise<Diagnosis> {
  const { name, kind, bundled } = adapter;
  return diagnose("webgpu", { name, kind, bundled }, async test => {
    const engine = await openWebGpu(adapter);
    await test(format => selfTestOf(adapter, engine, [format])).finally(() => engine.close());
  });
}

async function examineEngine(name: EngineName, open: () => Promise<Engine>): Promise<Diagnosis> {
  return diagnose(name, null, async test => {
    const engine = await open();
    await test(format => selfTest({ engine, runOps: null }, [format])).finally(() => engine.close());
  });
}

async function diagnose(
  engine: EngineName,
  adapter: Diagnosis["adapter"],
  run: (test: (testOf: FormatTest) => Promise<void>) => Promise<void>,
): Promise<Diagnosis> {
  const startedAt = performance.now();
  const formats: Partial<Record<FormatName, string>> = {};
  try {
    await run(async testOf => {
      for (const format of formatNames) {
        const failure = await testOf(format);
        formats[format] = failure === null ? "pass" : describeFailure(failure);
      }
    });
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    for (const format of formatNames) formats[format] ??= error.message;
  }
  const all = formats as Record<FormatName, string>;
  const trusted = formatNames.every(format => all[format] === "pass");
  return { engine, adapter, formats: all, trusted, seconds: (performance.now() - startedAt) / 1000 };
}
