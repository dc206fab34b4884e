import { noMask } from "../../attention/mask.js";
import type { AttentionProblem } from "../../attention/problem.js";
import { allRows } from "../../attention/rows.js";
import { axisOrder, type NamedAxes, reorderAxes } from "../../einsum/axes.js";
import type { Cascade } from "../../einsum/cascade.js";
import type { Evaluation } from "../../einsum/evaluate.js";
import { type Roles, rolesOf } from "../../einsum/roles.js";
import { splitOf } from "../../einsum/split.js";
import type { DenseTensor } from "../../einsum/tensor-store.js";
import { emulate } from "../../emulator/emulate.js";
import { isOnePass } from "../../emulator/one-pass.js";
import { InputError, UsageError } from "../../errors.js";
import { formatArithmetics } from "../../numerics/format-of.js";
import { chooseEngine, type EngineChoice } from "../../platform/choose-engine.js";
import { lower } from "../../program/lower.js";
import { startProgress } from "../progress.js";
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
}

/**
 * Whether --engine asks for an engine of `fusemax run`; null for the interpreter. Engines compute cascades that are
 * programs of tiles, in PE arithmetic, and keep nothing but the output.
 * @throws UsageError, InputError for what they do not compute
 */
export function planEngine(
  cascade: Cascade,
  options: EvaluateOptions,
  writes: readonly NamedAxes[],
): EnginePlan | null {
  const { engine, arithmetic, scale = 1 } = options;
  if (engine === "interpreter") return null;
  const refuse = (got: string, expected: string): UsageError =>
    new UsageError({ where: `--engine ${engine}`, got, expected, mend: "take --engine interpreter" });
  if (arithmetic === "float64") throw refuse("float64 arithmetic", "that of the PEs (--arithmetic bf16, …)");
  try {
    const roles = rolesOf(cascade);
    lower(cascade, formatArithmetics[arithmetic], scale);
    const other = writes.find(({ name }) => name !== roles.out);
    if (other === undefined) return { choice: engine, roles };
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
  { choice, roles }: EnginePlan,
  sizes: ReadonlyMap<string, number>,
  inputs: Readonly<Record<string, DenseTensor>>,
  options: EvaluateOptions,
  note: (line: string) => void,
): Promise<{ readonly evaluation: Evaluation; readonly used: UsedEngine }> {
  if (options.arithmetic === "float64") throw new Error("engines compute in PE arithmetic");
  const problem = problemOf(cascade, roles, sizes, formatArithmetics[options.arithmetic], options.scale ?? 1);
  /** A tensor's values with the ranks that attention has it in. */
  const input = (name: string, ...axes: readonly string[]) => {
    const tensor = inputs[name] as DenseTensor;
    const places = axisOrder(cascade, { name, axes }, "--engine");
    const order = axes.map((_, axis) => places.indexOf(axis));
    return reorderAxes(Float64Array.from(tensor.data), tensor.shape, order);
  };
  const given = {
    q: input(roles.q, roles.queries, roles.e),
    k: input(roles.k, roles.keys, roles.e),
    v: input(roles.v, roles.keys, roles.f),
  };
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
    const axes = [roles.queries, roles.f];
    const order = axisOrder(cascade, { name: roles.out, axes }, "--engine");
    const shape = [problem.shape.queries, problem.shape.valueDim];
    const data = reorderAxes(Float64Array.from(run.av), shape, order);
    const output = { shape: order.map(axis => shape[axis] as number), data };
    const used = { name: run.engine.name, adapter: run.engine.adapter, reason };
    if (run.engine !== engine) await run.engine.close();
    return { evaluation: { tensors: new Map([[roles.out, output]]), emptyQuotients: [] }, used };
  } finally {
    progress.stop();
    await engine.close();
  }
}

/** Tiles of as many queries as may be: their number changes no bit. */
const queriesAtOnce = 256;
/** Keys of a tile where the cascade does not split them, which changes no bit either. */
const keysAtOnce = 256;

function problemOf(
  cascade: Cascade,
  roles: Roles,
  sizes: ReadonlyMap<string, number>,
  arithmetic: AttentionProblem["arithmetic"],
  scale: number,
): AttentionProblem {
  const size = (rank: string): number => sizes.get(rank) ?? 1;
  const keys = cascade.ranks.byName(roles.keys);
  const [, inner] = keys === undefined ? [] : splitOf(cascade, keys);
  return {
    shape: {
      ...{ batch: 1, heads: 1, kvHeads: 1, queries: size(roles.queries), keys: size(roles.keys) },
      ...{ headDim: size(roles.e), valueDim: size(roles.f) },
    },
    mask: noMask,
    tile: { m0: inner === undefined ? keysAtOnce : size(inner), p0: queriesAtOnce },
    arithmetic,
    scale,
    ...(isOnePass(cascade) ? {} : { cascade: { name: cascade.name, text: cascade.source.lines.join("\n") } }),
  };
}
