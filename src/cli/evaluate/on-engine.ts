import { allRows } from "../../attention/rows.js";
import type { ArithmeticChoice } from "../../einsum/arithmetic.js";
import type { NamedAxes } from "../../einsum/axes.js";
import type { Cascade } from "../../einsum/cascade.js";
import type { EvaluatedCascade } from "../../einsum/evaluate.js";
import { type Roles, rolesOf } from "../../einsum/roles.js";
import type { DenseTensor } from "../../einsum/tensor-store.js";
import { emulate } from "../../emulator/emulate.js";
import { isOnePass } from "../../emulator/one-pass.js";
import { InputError, UsageError } from "../../errors.js";
import type { ArithmeticSpec } from "../../numerics/arithmetic.js";
import { formatArithmetics } from "../../numerics/format-of.js";
import { chooseEngine, type EngineChoice } from "../../platform/choose-engine.js";
import { lower } from "../../program/lower.js";
import { startProgress } from "../progress.js";
import { givenInputs, outputOf, problemOf } from "./attention.js";
import type { EvaluateOptions } from "./options.js";

/** What computed an evaluation. */
export interface UsedEngine {
  readonly name: "interpreter" | "cpu" | "wasm" | "webgpu";
  readonly adapter: string | null;
  /** Why this one. */
  readonly reason: string;
}

/** A cascade that an engine of `fusemax run` computes. */
export interface EnginePlan {
  readonly choice: EngineChoice;
  readonly roles: Roles;
  readonly arithmetic: ArithmeticSpec;
}

/**
 * Whether --engine asks for an engine of `fusemax run`; null for the interpreter. Engines compute cascades that are
 * programs of tiles, in PE arithmetic, and keep nothing but the output.
 * @throws UsageError, InputError for what they do not compute
 */
export function planEngine(
  cascade: Cascade,
  choice: ArithmeticChoice,
  options: EvaluateOptions,
  writes: readonly NamedAxes[],
): EnginePlan | null {
  const { engine, scale = 1 } = options;
  if (engine === "interpreter") return null;
  const refuse = (got: string, expected: string): UsageError =>
    new UsageError({ where: `--engine ${engine}`, got, expected, fix: "take --engine interpreter" });
  if (choice === "float64") throw refuse("float64 arithmetic", "that of the PEs (--arithmetic bf16, …)");
  try {
    const roles = rolesOf(cascade);
    const arithmetic = typeof choice === "string" ? formatArithmetics[choice] : choice;
    if (!isOnePass(cascade)) lower(cascade, arithmetic, scale);
    const other = writes.find(({ name }) => name !== roles.out);
    if (other === undefined) return { choice: engine, roles, arithmetic };
    throw refuse(`${other.name} to write`, `${roles.out}, which alone an engine keeps`);
  } catch (error) {
    if (error instanceof UsageError || !(error instanceof InputError)) throw error;
    const { where, got, expected } = error.complaint;
    throw refuse(`${where}: ${got}`, expected);
  }
}

/** Computes the output of a cascade on an engine: the interpreter's bits. @throws what `emulate` throws */
export async function evaluateOnEngine(
  cascade: Cascade,
  { choice, roles, arithmetic }: EnginePlan,
  sizes: ReadonlyMap<string, number>,
  inputs: Readonly<Record<string, DenseTensor>>,
  options: EvaluateOptions,
  note: (line: string) => void,
): Promise<{ readonly evaluation: EvaluatedCascade; readonly used: UsedEngine }> {
  const problem = problemOf(cascade, roles, sizes, arithmetic, options.scale ?? 1);
  const given = givenInputs(cascade, roles, inputs);
  const { engine, reason, notes, fallback } = await chooseEngine(choice, problem.arithmetic);
  for (const line of notes) note(line);
  const rows = allRows(problem).end;
  const progress = await startProgress(`evaluating on ${engine.name}`, "rows", rows, options.json === true);
  try {
    const run = await emulate(problem, given, {
      engine,
      ...(fallback === undefined ? {} : { fallback }),
      onFallback: (lost, next) => note(`${lost.message}; going on with engine ${next.name}`),
      onProgress: ({ rowsDone }) => progress.update(rowsDone),
    });
    const used = { name: run.engine.name, adapter: run.engine.adapter, reason };
    if (run.engine !== engine) await run.engine.close();
    return { evaluation: outputOf(cascade, roles, problem, run.av), used };
  } finally {
    progress.stop();
    await engine.close();
  }
}
