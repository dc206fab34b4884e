import type { Operands } from "../../attention/problem.js";
import { tensorShapes } from "../../attention/shape.js";
import { rowsWithoutKeys, visibleScores } from "../../attention/visible.js";
import { type CheckResult, joinChecks } from "../../emulator/check.js";
import type { Engine } from "../../emulator/engine.js";
import type { Saturated } from "../../emulator/golden/one-pass.js";
import { dumpProgram } from "../../emulator/javascript/dump.js";
import { structureOf } from "../../emulator/one-pass.js";
import { programOf } from "../../emulator/program-of.js";
import { sharedFloats } from "../../emulator/wasm/shared-floats.js";
import { hashOfValues } from "../../io/hash-of-values.js";
import { formatOf } from "../../numerics/format-of.js";
import { type ChosenEngine, chooseEngine } from "../../platform/choose-engine.js";
import { writtenArithmetic } from "../../report/arithmetic.js";
import { agrees } from "../../report/onnx-comparison.js";
import type { RunResult } from "../../report/run-result.js";
import { comparedWithInputs, comparedWithOperands, rowsToCheck } from "./check-plan.js";
import { emulatePlan, type FinishedRun } from "./emulate-plan.js";
import type { Emulated } from "./emulated.js";
import { loadOperands } from "./inputs.js";
import type { RunOptions } from "./options.js";
import { writeDump, writeOutputs, writeTensors } from "./outputs.js";
import type { RunPlan } from "./plan.js";
import { writeLse, writeScores } from "./score-output.js";
import { comparedWithTestData } from "./test-data.js";
import { judge, noteRowsWithoutKeys } from "./verdict.js";
import { withLoadingProgress } from "./with-progress.js";

/** What a run gave, and the exit code that it asks for. */
export interface Ran {
  readonly result: RunResult;
  readonly code: number;
}

/** A line on standard error. */
export const noteOnStderr = (line: string): void => void process.stderr.write(`fusemax: ${line}\n`);

/** Emulates, writes, checks and costs. @param began when, for the time in all */
export async function runPlan(plan: RunPlan, options: RunOptions, began: number, note = noteOnStderr): Promise<Ran> {
  // Before the long part, so that a design that can't be had costs nobody a finished run.
  const { costOfPlan } = await import("./cost.js");
  const cost = costOfPlan(plan, options);
  const rows = rowsToCheck(plan.problem, options);
  const emulated = await emulateAndCheck(plan, rows, options, note);
  const { run, onOperands, exact } = emulated;
  const inputsBegan = performance.now();
  // The operands are garbage by now: inputs and operands of a long sequence need not fit side by side.
  const error =
    onOperands === null
      ? null
      : joinChecks(onOperands, exact ? onOperands : await comparedWithInputs(plan, run.av, rows, options));
  const time = {
    totalSeconds: (performance.now() - began) / 1000,
    emulateSeconds: run.seconds,
    gflops: run.gflops,
    checkSeconds: emulated.checkSeconds + (performance.now() - inputsBegan) / 1000,
    resumedRows: run.resumedRows,
  };
  const sha256 = await hashOfValues(run.av);
  const result = resultOf(plan, options, emulated, sha256, error, cost, time);
  noteRowsWithoutKeys(result.output.rowsWithoutKeys, note);
  const asExpected = emulated.onnx === null || agrees(emulated.onnx);
  return { result, code: Math.max(judge(options, error, note), asExpected ? 0 : 1) };
}

/** All that needs the operands, output files included. */
const emulateAndCheck = (
  plan: RunPlan,
  rows: readonly number[],
  options: RunOptions,
  note: (line: string) => void,
): Promise<Emulated> =>
  withOperands(plan, options, async ({ operands, exact, chosen }, uses) => {
    const { problem } = plan;
    const run = await emulatePlan(plan, operands, chosen, options, note);
    uses(run.engine);
    // Said now, so that a run that fails says its one line only; the progress bar names the engine before.
    for (const line of [...plan.notes, ...chosen.notes]) note(line);
    if (plan.dump !== null) await dumpTile(plan, plan.dump, operands, run);
    await writeOutputs(plan, options, run.av);
    const { lse, scores } = options;
    if (lse !== undefined) await writeLse(lse, problem, operands, run.states ?? []);
    if (scores !== undefined) await writeScores(scores, problem, operands);
    const onnx = plan.onnx === null ? null : await comparedWithTestData(plan, plan.onnx, operands, run.av);
    // Its threads hold on to the operands.
    await run.engine.close();
    const began = performance.now();
    const onOperands =
      options.check === "none" ? null : await comparedWithOperands(plan, operands, run.av, rows, options);
    return {
      run,
      saturated: saturatedOf(operands, run),
      reason: chosen.reason,
      onOperands,
      exact,
      onnx,
      checkSeconds: (performance.now() - began) / 1000,
    };
  });

/** The engine of a run, with the operands in arrays of its making. */
export interface LoadedRun {
  readonly operands: Operands;
  /** Whether inputs and operands are the same values. */
  readonly exact: boolean;
  readonly chosen: ChosenEngine;
}

/** Opens an engine, loads the operands for it, and closes it, and the one that took over from it, after the work. */
export async function withOperands<T>(
  plan: RunPlan,
  options: RunOptions,
  work: (loaded: LoadedRun, uses: (engine: Engine) => void) => Promise<T>,
): Promise<T> {
  const { problem } = plan;
  const chosen = await chooseEngine(options.engine, problem.arithmetic);
  const { engine } = chosen;
  let used: Engine = engine;
  try {
    const loaded = await withLoadingProgress(problem.shape, options, onValues =>
      loadOperands(plan.pieces, problem, { allocate: sharedFloats, ...engine }, onValues, plan.scales),
    );
    const operands: Operands = { ...loaded.operands, ...plan.scoreOperands };
    // Biases and sinks are rounded in score units.
    const exact = loaded.exact && (plan.addends.bias ?? plan.addends.sink) === undefined;
    return await work({ operands, exact, chosen }, next => {
      used = next;
    });
  } finally {
    await used.close();
    if (used !== engine) await engine.close();
  }
}

export const saturatedOf = (operands: Operands, run: Pick<FinishedRun, "saturated">): Saturated => ({
  ...(operands.saturated ?? noneSaturated),
  p: run.saturated,
});

/** The types of the five formats keep their range errors. */
const noneSaturated = { q: 0, k: 0, v: 0 } as const;

async function dumpTile(
  { problem }: RunPlan,
  { at, path }: NonNullable<RunPlan["dump"]>,
  operands: Operands,
  { engine }: FinishedRun,
): Promise<void> {
  if (programOf(problem) !== null) {
    await writeTensors(path, dumpProgram(problem, operands, at));
    return;
  }
  const session = await engine.open(problem, operands);
  try {
    await writeDump(path, problem.shape.valueDim, await session.dump(at));
  } finally {
    await session.close();
  }
}

/** The result of a run. @param sha256 of AV */
export function resultOf(
  { problem, model, layers, seen, valuesInKeys, alibi, seed, pastKeys, design }: RunPlan,
  options: RunOptions,
  {
    run: { engine },
    reason,
    saturated,
    onnx,
  }: Pick<Emulated, "reason" | "saturated" | "onnx"> & { readonly run: { readonly engine: Engine } },
  sha256: string,
  error: CheckResult | null,
  cost: RunResult["cost"],
  time: RunResult["time"],
): RunResult {
  const { shape, mask, tile, arithmetic, scale } = problem;
  return {
    schema: "fusemax.run/1",
    workload: {
      model,
      layers,
      ...shape,
      valuesInKeys,
      headDim: shape.headDim - (alibi?.elements ?? 0),
      scale,
      seed,
      spread: seed === null ? null : (options.spread ?? 1),
      ...seen,
      pastKeys,
      kvLens: mask.kvLens,
      leftPad: mask.leftPad ?? null,
      scores: visibleScores(problem),
      softcap: problem.softcap ?? null,
      bias: problem.bias ?? null,
      sink: problem.sink === true,
      qLens: mask.qLens,
      alibi: alibi === null ? null : { elements: alibi.elements },
    },
    design: design.design.name,
    cascade: design.cascade.name,
    costOfCascade: costedInstead(design),
    tile,
    arithmetic: writtenArithmetic(arithmetic),
    format: formatOf(arithmetic)?.name ?? null,
    kvSplits: problem.kvSplits ?? 1,
    saturated,
    engine: { name: engine.name, adapter: engine.adapter, reason },
    output: {
      shape: tensorShapes(shape).av,
      sha256,
      rowsWithoutKeys: rowsWithoutKeys(problem),
      file: options.output ?? null,
    },
    error,
    ...(onnx === null ? {} : { onnx }),
    cost,
    time,
  };
}

/** The design's own cascade where another one was emulated. */
function costedInstead({ design, cascade }: RunPlan["design"]): string | null {
  const own = design.cascade;
  return own === undefined || structureOf(own) === structureOf(cascade) ? null : own.name;
}
