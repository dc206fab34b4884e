import type { Adapter } from "#fusemax/platform/adapters";

/** What a step works on and within. */
export interface Setting {
  readonly adapter: Adapter;
  /** Short lengths and few repetitions, for adapters that compute on the processor. */
  readonly rehearsal: boolean;
  /** The card's fp32 peak in TFLOP/s as its maker states it; WebGPU does not tell. */
  readonly peakTflops: number | null;
}

/** A table of a report, with what it shows in a sentence. */
export interface Section {
  readonly title: string;
  readonly says: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** A part of the report that runs in a process of its own: a device that is lost takes nothing else with it. */
export interface Step {
  readonly name: string;
  /** Seconds after which the process is ended. */
  readonly limitSeconds: number;
  readonly run: (setting: Setting) => Promise<Section>;
}
