import type { Objective } from "../../model/mapper/goal.js";
import type { Patch } from "../../model/patch.js";
import type { AccountingOptions, PhaseOptions } from "../model/options.js";

/** What `fusemax map` was asked for. */
export interface MapOptions extends AccountingOptions, PhaseOptions {
  readonly design: string;
  readonly model: string;
  readonly seq: number;
  readonly batch?: number;
  readonly layers?: string;
  readonly mask: boolean;
  readonly objective: Objective;
  readonly budget?: number;
  readonly exhaustive?: boolean;
  readonly schedulable?: boolean;
  readonly seed?: number;
  readonly set?: readonly Patch[];
  readonly resume?: string;
  readonly out?: string;
  readonly json?: boolean;
}
