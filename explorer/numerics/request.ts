import type { AttentionProblem } from "../../src/attention/problem.js";
import type { OperandCheck } from "../../src/emulator/check.js";
import type { EngineName } from "../../src/emulator/engine.js";
import type { ArithmeticSpec } from "../../src/numerics/arithmetic.js";
import type { OwnDesign } from "../design/own.js";
import type { State } from "../state.js";
import type { AskedAttention, GivenMask } from "./attention.js";

/** Output rows compared with float64 attention: the command line's default. */
export const checkedRows = 64;

/** One run, as the page asks the worker for it. */
export interface RunRequest {
  readonly problem: AttentionProblem;
  readonly engine: State["engine"];
  readonly seed: number;
  readonly spread: number;
  /** The design whose cascade, tile and arithmetic are in the place of the problem's; null for the problem as it is. */
  readonly design: RunOfDesign | null;
  /** Dropped files in the place of generated inputs. */
  readonly files: readonly File[] | null;
  /** Masks of the problem that are files still. */
  readonly masks: readonly GivenMask[];
  /** Each generated value is the first part of its key. */
  readonly valuesInKeys: boolean;
  /** What the settings say that is not computed; null where there is nothing. */
  readonly leftOut: string | null;
}

/** A shipped design, or the visitor's. */
export interface RunOfDesign {
  readonly name: string;
  readonly own: OwnDesign | null;
}

export interface RunOutcome {
  /** The name of the arithmetic. */
  readonly arithmetic: string;
  readonly engine: { readonly name: EngineName; readonly adapter: string | null; readonly reason: string };
  /** What was found and what was not on the way to that engine. */
  readonly notes: readonly string[];
  readonly sha256: string;
  readonly seconds: number;
  readonly gflops: number;
  readonly error: OperandCheck;
  /** The rows compared, and of each the absolute errors by feature: [rows, F]. */
  readonly rows: readonly number[];
  readonly errors: Float32Array<ArrayBuffer>;
  readonly shape: AttentionProblem["shape"];
  /** AV [B,H,P,F] in accumulator values. */
  readonly av: Float32Array<ArrayBuffer>;
}

export interface Step {
  readonly what: string;
  /** From 0 to 1. */
  readonly share: number;
  /** The engine at work, once it is known. */
  readonly engine?: string;
}

export type FromRun =
  | { readonly type: "step"; readonly step: Step }
  | { readonly type: "done"; readonly outcome: RunOutcome }
  | { readonly type: "failed"; readonly message: string };

/** An attention in an arithmetic. */
export function problemOf(
  { m0 }: State,
  { workload: { shape, mask }, scale, softcap }: AskedAttention,
  arithmetic: ArithmeticSpec,
): AttentionProblem {
  return { shape, mask, tile: { m0, p0: 256 }, arithmetic, scale, ...(softcap === undefined ? {} : { softcap }) };
}

/** Tensors beyond this do not fit a tab. */
export const mostTensorBytes = 2 ** 30;
