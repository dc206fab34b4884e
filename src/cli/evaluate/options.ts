import type { ArithmeticName } from "../../einsum/arithmetic.js";
import type { EngineChoice } from "../../platform/choose-engine.js";

/** What `fusemax evaluate` is asked for. */
export interface EvaluateOptions {
  readonly input?: string;
  readonly tensor?: readonly string[];
  readonly seed?: number;
  readonly shape?: string;
  readonly arithmetic: ArithmeticName;
  readonly scale?: number;
  readonly engine: "interpreter" | EngineChoice;
  readonly write?: string;
  readonly output?: string;
  readonly json?: true;
}
