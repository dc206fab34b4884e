import type { EngineChoice } from "../../platform/choose-engine.js";

/** What `fusemax evaluate` is asked for. */
export interface EvaluateOptions {
  readonly input?: string;
  readonly tensor?: readonly string[];
  readonly seed?: number;
  readonly shape?: string;
  /** float64, a name or a file. */
  readonly arithmetic: string;
  readonly scale?: number;
  readonly engine: "interpreter" | EngineChoice;
  readonly write?: string;
  readonly output?: string;
  readonly json?: true;
}
