import type { Engine, Session } from "../engine.js";
import type { AttentionProblem, Operands } from "../problem.js";
import type { OpCase } from "../self-test-ops.js";
import { DeviceGuard } from "./device-guard.js";
import { KernelCache, type ShaderSource } from "./kernel.js";
import { runOperations } from "./operations.js";
import type { Pace } from "./pace.js";
import { WebGpuSession } from "./session.js";
import { type AdapterKind, type Variant, variantFor } from "./variant.js";

export interface WebGpuEngineOptions {
  readonly device: GPUDevice;
  /** The adapter's description, for reports and errors. */
  readonly adapter: string;
  readonly kind: AdapterKind;
  readonly shaders: ShaderSource;
  /** Instead of the table's choice for the kind of adapter: for measurements and tests. */
  readonly variant?: Variant;
}

export interface WebGpuEngine extends Engine {
  readonly adapter: string;
  /** The operations of the self-test. */
  runOps(test: OpCase): Promise<Uint32Array>;
}

/** The contract in WGSL on one device; the engine owns the device from here on. Run the self-test before it is trusted. */
export function webGpuEngine(options: WebGpuEngineOptions): WebGpuEngine {
  const guard = new DeviceGuard(options.device, options.adapter);
  const kernels = new KernelCache(options.device, options.shaders);
  const variant = options.variant ?? variantFor(options.kind);
  const paces = new Map<string, Pace>();
  return {
    name: "webgpu",
    adapter: options.adapter,
    open: (problem: AttentionProblem, operands: Operands): Promise<Session> =>
      WebGpuSession.open(guard, kernels, variant, paces, problem, operands),
    runOps: test => runOperations(guard, kernels, test),
    close: async () => guard.close(),
  };
}
