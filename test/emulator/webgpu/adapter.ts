import type { AttentionProblem } from "../../../src/attention/problem.js";
import type { Engine, Session } from "../../../src/emulator/engine.js";
import { DeviceGuard } from "../../../src/emulator/webgpu/device-guard.js";
import { type WebGpuEngine, webGpuEngine } from "../../../src/emulator/webgpu/engine.js";
import { KernelCache } from "../../../src/emulator/webgpu/kernel.js";
import { openSession } from "../../../src/emulator/webgpu/session.js";
import { traitsOf, type Variant, variantFor } from "../../../src/emulator/webgpu/variant.js";
import { type Adapter, listAdapters } from "../../../src/platform/adapters.js";
import { gentleWait } from "../../../src/platform/gentle-wait.js";
import { readShader } from "../../../src/platform/shaders.js";
import { sawWgsl } from "../../wgsl-witness.js";

/** The adapter that WGSL is tested on: a GPU where there is one, else what VK_ICD_FILENAMES names, else SwiftShader. */
export async function testAdapter(): Promise<Adapter> {
  const { adapters, notes } = await listAdapters();
  const adapter = adapters.find(({ hardware }) => hardware) ?? adapters[0];
  if (adapter === undefined) throw new Error(`no WebGPU adapter to test WGSL on: ${notes.join("; ")}`);
  return adapter;
}

export interface TestEngineOptions {
  /** Changes to the variant of the adapter's kind. */
  readonly variant?: Partial<Variant>;
  readonly shaders?: (name: string) => string;
  readonly specialize?: boolean;
}

/** The WebGPU engine on the test adapter; every session that gives results is witnessed. */
export async function openTestEngine(options: TestEngineOptions = {}): Promise<WebGpuEngine> {
  const adapter = await testAdapter();
  const engine = webGpuEngine({
    device: await adapter.requestDevice(),
    adapter: adapter.name,
    kind: adapter.kind,
    shaders: options.shaders ?? readShader,
    hostWait: gentleWait,
    ...(options.specialize === undefined ? {} : { specialize: options.specialize }),
    ...(options.variant === undefined ? {} : { variant: options.variant }),
  });
  return { ...engine, open: async (...problem) => witnessed(engine, await engine.open(...problem)) };
}

/** The kernels for GPUs, which no software adapter would choose, with so many rows to a workgroup. */
export const tilesVariant = (rows: 64 | 128): Partial<Variant> => ({
  kernel: "attention-tiles",
  workgroupSize: rows,
  blockRows: rows,
});

/** A device whose compiled kernels several engines share. */
export interface TestContext {
  readonly adapter: Adapter;
  readonly guard: DeviceGuard;
  readonly kernels: KernelCache;
}

export async function openTestContext(): Promise<TestContext> {
  const adapter = await testAdapter();
  const guard = new DeviceGuard(await adapter.requestDevice(), adapter.name, gentleWait);
  return { adapter, guard, kernels: new KernelCache(guard.device, readShader) };
}

/** An engine on the device of a context, with changes to the variant. */
export function engineOf({ adapter, guard, kernels }: TestContext, variant: Partial<Variant>): Engine {
  const traits = traitsOf(guard.device, adapter.kind);
  const context = {
    ...{ guard, kernels, paces: new Map(), traits, specialize: true },
    variantFor: (problem: AttentionProblem) => ({ ...variantFor(traits, problem), ...variant }),
  };
  const engine: Engine = {
    name: "webgpu",
    adapter: adapter.name,
    open: async (...problem) => witnessed(engine, await openSession(context, ...problem)),
    close: async () => {},
  };
  return engine;
}

function witnessed(engine: Engine, session: Session): Session {
  let seen = false;
  const see = <T>(result: T): T => {
    if (!seen) sawWgsl(engine.adapter ?? "no adapter");
    seen = true;
    return result;
  };
  return {
    get rowsPerRequest() {
      return session.rowsPerRequest;
    },
    concurrency: session.concurrency,
    run: async (...range) => see(await session.run(...range)),
    dump: async at => see(await session.dump(at)),
    close: () => session.close(),
  };
}
