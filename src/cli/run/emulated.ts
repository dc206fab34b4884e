import type { OperandCheck } from "../../emulator/check.js";
import type { Saturated } from "../../emulator/golden/one-pass.js";
import type { OnnxComparison } from "../../report/onnx-comparison.js";
import type { FinishedRun } from "./emulate-plan.js";

/** A run that is computed, written and checked on its operands. */
export interface Emulated {
  readonly run: Pick<FinishedRun, "engine" | "seconds" | "gflops" | "av" | "resumedRows">;
  readonly saturated: Saturated;
  /** Why this engine. */
  readonly reason: string;
  /** Null with --check none. */
  readonly onOperands: OperandCheck | null;
  /** Whether inputs and operands are the same values. */
  readonly exact: boolean;
  /** Null without --onnx. */
  readonly onnx: OnnxComparison | null;
  readonly checkSeconds: number;
}
