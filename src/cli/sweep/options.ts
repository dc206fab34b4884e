import type { Shard } from "../../io/shard-file.js";
import type { ArithmeticOptions } from "../arithmetic.js";
import type { AccountingOptions, PhaseOptions } from "../model/options.js";
import type { ScoreOptions } from "../model/score-terms.js";
import type { SweepOutputOptions } from "./outputs.js";

/** What `fusemax sweep` was asked for. */
export interface SweepOptions
  extends AccountingOptions,
    ArithmeticOptions,
    PhaseOptions,
    ScoreOptions,
    SweepOutputOptions {
  readonly design?: readonly string[];
  readonly model?: readonly string[];
  readonly seq?: readonly string[];
  readonly batch?: number;
  readonly set: readonly string[];
  readonly pareto: string;
  readonly resume?: string;
  readonly shard?: Shard;
}
