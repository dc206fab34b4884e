import type { AttentionProblem } from "../../attention/problem.js";
import type { DeviceGuard } from "./device-guard.js";
import type { KernelCache } from "./kernel.js";
import type { Pace } from "./pace.js";
import type { AdapterTraits, Variant } from "./variant.js";

/** What an engine keeps from one problem to the next. */
export interface EngineContext {
  readonly guard: DeviceGuard;
  readonly kernels: KernelCache;
  readonly variantFor: (problem: AttentionProblem) => Variant;
  readonly traits: AdapterTraits;
  /** False to print FuseMax's own cascade as well. */
  readonly specialize: boolean;
  /** The speed measured, by format. */
  readonly paces: Map<string, Pace>;
}
