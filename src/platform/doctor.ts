import { cpuEngine } from "../emulator/cpu.js";
import type { Engine, EngineName } from "../emulator/engine.js";
import { describeFailure, type SelfTestFailure, selfTest } from "../emulator/self-test.js";
import { wasmEngine } from "../emulator/wasm/engine.js";
import type { AdapterKind } from "../emulator/webgpu/variant.js";
import { DeviceError } from "../errors.js";
import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import { type Adapter, listAdapters } from "./adapters.js";
import { openWebGpu, selfTestOf } from "./trusted-webgpu.js";
import { nodeWasmHost } from "./wasm-host.js";

/** An engine, on an adapter where it needs one, and what the self-test says of it. */
export interface Diagnosis {
  readonly engine: EngineName;
  readonly adapter: { readonly name: string; readonly kind: AdapterKind; readonly bundled: boolean } | null;
  /** By arithmetic: "pass", the first failing case in bits, or why the engine could not run. */
  readonly arithmetics: Readonly<Record<string, string>>;
  /** Whether every arithmetic passes. */
  readonly trusted: boolean;
  readonly seconds: number;
}

export interface DoctorReport {
  readonly schema: "fusemax.doctor/2";
  readonly engines: readonly Diagnosis[];
  /** What was not found, and what to install. */
  readonly notes: readonly string[];
  /** Whether at least one engine is trusted. */
  readonly trusted: boolean;
}

type ArithmeticTest = (arithmetic: ArithmeticSpec) => Promise<SelfTestFailure | null>;

/** Runs the self-test on every engine and adapter of this machine; tells `onDiagnosis` as each is done. */
export async function examine(
  arithmetics: readonly ArithmeticSpec[],
  onDiagnosis: (diagnosis: Diagnosis) => void = () => {},
): Promise<DoctorReport> {
  const diagnose = diagnosisOf(arithmetics);
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
  for (const adapter of adapters) await add(examineAdapter(adapter, diagnose));
  await add(examineEngine("wasm", async () => wasmEngine(await nodeWasmHost()), diagnose));
  await add(examineEngine("cpu", async () => cpuEngine(), diagnose));
  return { schema: "fusemax.doctor/2", engines, notes, trusted: engines.some(({ trusted }) => trusted) };
}

type Diagnose = (
  engine: EngineName,
  adapter: Diagnosis["adapter"],
  run: (test: (testOf: ArithmeticTest) => Promise<void>) => Promise<void>,
) => Promise<Diagnosis>;

async function examineAdapter(adapter: Adapter, diagnose: Diagnose): Promise<Diagnosis> {
  const { name, kind, bundled } = adapter;
  return diagnose("webgpu", { name, kind, bundled }, async test => {
    const engine = await openWebGpu(adapter);
    await test(arithmetic => selfTestOf(adapter, engine, arithmetic)).finally(() => engine.close());
  });
}

async function examineEngine(name: EngineName, open: () => Promise<Engine>, diagnose: Diagnose): Promise<Diagnosis> {
  return diagnose(name, null, async test => {
    const engine = await open();
    await test(arithmetic => selfTest({ engine, runOps: null }, arithmetic)).finally(() => engine.close());
  });
}

const diagnosisOf =
  (arithmetics: readonly ArithmeticSpec[]): Diagnose =>
  async (engine, adapter, run) => {
    const startedAt = performance.now();
    const verdicts: Record<string, string> = {};
    try {
      await run(async testOf => {
        for (const arithmetic of arithmetics) {
          const failure = await testOf(arithmetic);
          verdicts[arithmetic.name] = failure === null ? "pass" : describeFailure(failure);
        }
      });
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      for (const { name } of arithmetics) verdicts[name] ??= error.message;
    }
    const trusted = Object.values(verdicts).every(verdict => verdict === "pass");
    return { engine, adapter, arithmetics: verdicts, trusted, seconds: (performance.now() - startedAt) / 1000 };
  };
