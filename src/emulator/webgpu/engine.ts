import type { AttentionProblem, Operands } from "../../attention/problem.js";
import type { Engine, Session } from "../engine.js";
import type { OpCase } from "../self-test-ops.js";
import { DeviceGuard, type HostWait } from "./device-guard.js";
import { KernelCache, type ShaderSource } from "./kernel.js";
import { runOperations } from "./operations.js";
import type { Pace } from "./pace.js";
import { openSession } from "./session.js";
import { type AdapterKind, traitsOf, type Variant, variantFor } from "./variant.js";

export interface WebGpuEngineOptions {
  readonly device: GPUDevice;
  /** The adapter's description, for reports and errors. */
  readonly adapter: string;
  readonly kind: AdapterKind;
  readonly shaders: ShaderSource;
  /** How this host waits for a device; plain awaiting by default, as a browser does. */
  readonly hostWait?: HostWait;
  /** False to print FuseMax's own cascade as well; the bits are the same. */
  readonly specialize?: boolean;
  /** Changes to the table's choice: for measurements and tests. */
  readonly variant?: Partial<Variant>;
}

export interface WebGpuEngine extends Engine {
  readonly adapter: string;
  readonly device: GPUDevice;
  /** The operations of the self-test. */
  runOps(test: OpCase): Promise<Uint32Array>;
  /** For a process about to exit: begins nothing more, answers nobody, and settles when the device is idle. */
  halt(): Promise<void>;
}

/**
 * The contract in WGSL on one device; the engine owns the device from here on. Run the self-test before it is trusted.
 * @example
 * ```ts
 * import { webGpuEngine } from "fusemax";
 *
 * const adapter = await navigator.gpu.requestAdapter();
 * if (adapter === null) throw new Error("no WebGPU adapter");
 * const shaders = new Map<string, string>(); // the package's shaders, by file name
 * const engine = webGpuEngine({
 *   device: await adapter.requestDevice(),
 *   adapter: adapter.info.description,
 *   kind: "discrete",
 *   shaders: name => shaders.get(name) ?? "",
 * });
 * await engine.close();
 * ```
 */
export function webGpuEngine(options: WebGpuEngineOptions): WebGpuEngine {
  const guard = new DeviceGuard(options.device, options.adapter, options.hostWait ?? (work => work));
  const kernels = new KernelCache(options.device, options.shaders);
  const traits = traitsOf(options.device, options.kind);
  const paces = new Map<string, Pace>();
  return {
    name: "webgpu",
    adapter: options.adapter,
    device: options.device,
    open: async (problem: AttentionProblem, operands: Operands): Promise<Session> => {
      return openSession(
        {
          ...{ guard, kernels, paces, traits, specialize: options.specialize ?? true },
          variantFor: problem => ({ ...variantFor(traits, problem), ...options.variant }),
        },
        problem,
        operands,
      );
    },
    runOps: test => runOperations(guard, kernels, test),
    halt: () => guard.halt(),
    close: async () => guard.close(),
  };
}
