import { rmSync } from "node:fs";
import { rowsOfShare } from "../../attention/row-shares.js";
import { allRows, type RowRange } from "../../attention/rows.js";
import type { Engine } from "../../emulator/engine.js";
import type { RowError } from "../../emulator/error-statistics.js";
import { withFileLock } from "../../io/file-lock.js";
import { programIdentity } from "../../io/program-identity.js";
import { runIdentity } from "../../io/run-identity.js";
import { isFinishedShard, type Shard, type ShardHeader, shardSchema, writeShardFile } from "../../io/shard-file.js";
import type { ChosenEngine } from "../../platform/choose-engine.js";
import type { RunResult } from "../../report/run-result.js";
import { conflict } from "../conflict.js";
import { requireOwnPaths } from "../output-files.js";
import { noteWait, partOf, requireShardOutput, shardInWords } from "../shard/choice.js";
import { digest, partsOf } from "../shard/digest.js";
import { comparedWithInputs, comparedWithOperands, rowsToCheck } from "./check-plan.js";
import { emulatePlan, type FinishedRun } from "./emulate-plan.js";
import { ErrorRecords } from "./error-records.js";
import { hashedInputs } from "./hashed-inputs.js";
import type { RunOptions } from "./options.js";
import { planRun, type RunPlan } from "./plan.js";
import { type LoadedRun, noteOnStderr, resultOf, saturatedOf, withOperands } from "./run-attention.js";
import type { RunShardHeader } from "./shard-header.js";

/** Does the rows of one part of a run and keeps them in the file of --output. Returns the exit code. */
export async function runShard(options: RunOptions, shard: Shard): Promise<number> {
  const path = requireShardOutput("--output", options.output);
  refuseOfAll(options);
  const began = performance.now();
  const planned = await planRun(options);
  const part = partOf(path);
  requireOwnPaths([], { "--output": path, "--resume": part });
  const inputs = hashedInputs(planned.pieces);
  const plan: RunPlan = { ...planned, pieces: inputs.pieces };
  return withFileLock(
    part,
    async () => {
      const rows = rowsOfShare(plan.problem, shard.index, shard.count);
      const checked = rowsToCheck(plan.problem, options).filter(row => rows.start <= row && row < rows.end);
      const work: ShardWork = { plan, options, shard, path, part, rows, checked, hashes: inputs.hashes, began };
      const emulated = await withOperands(plan, options, (loaded, uses) => emulateShard(work, loaded, uses));
      // The operands are garbage by now: inputs and operands of a long sequence need not fit side by side.
      if (emulated !== null) await finishShard(work, emulated);
      return 0;
    },
    noteWait,
  );
}

/** @throws UsageError for what needs all rows, or none */
function refuseOfAll(options: RunOptions): void {
  const given = {
    ...{
      "--resume": options.resume,
      "--json": options.json,
      "--every-layer": options.everyLayer,
      "--onnx": options.onnx,
    },
    ...{ "--lse": options.lse, "--scores": options.scores, "--dump": options.dump },
    ...{ "--present-k": options.presentK, "--present-v": options.presentV },
  };
  const [where] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (where === undefined) return;
  const fixes: Readonly<Record<string, string>> = {
    "--resume": "finished rows are kept beside the shard",
    "--json": "fusemax merge has it",
  };
  const fix = fixes[where] ?? "run it once without --shard";
  throw conflict(where, "--shard", fix);
}

interface ShardWork {
  readonly plan: RunPlan;
  readonly options: RunOptions;
  readonly shard: Shard;
  readonly path: string;
  readonly part: string;
  readonly rows: RowRange;
  /** The rows of --check that are among them. */
  readonly checked: readonly number[];
  /** Of the inputs as given, once they are loaded. */
  readonly hashes: () => readonly string[];
  readonly began: number;
}

/** The rows of a shard, checked on their operands. */
interface EmulatedShard {
  readonly common: ShardHeader;
  /** The result, but for how long it took. */
  readonly result: RunResult;
  readonly run: FinishedRun;
  /** Whether inputs and operands are the same values. */
  readonly exact: boolean;
  readonly records: ErrorRecords;
  readonly hasBaseline: boolean;
  readonly checkSeconds: number;
}

/** All that needs the operands; null where the shard is there already. */
async function emulateShard(
  work: ShardWork,
  loaded: LoadedRun,
  uses: (engine: Engine) => void,
): Promise<EmulatedShard | null> {
  const { plan, options, shard, path, part, rows, checked } = work;
  const { operands, chosen, exact } = loaded;
  const template = await templateOf(work, chosen);
  const common = await commonHeader(work, loaded, template);
  if (await isFinishedShard(path, common)) {
    process.stdout.write(`${inWords(work)} were finished before; in ${path}\n`);
    return null;
  }
  const run = await emulatePlan(plan, operands, chosen, options, noteOnStderr, {
    ...{ range: rows, file: part, part: `${shard.index}/${shard.count}` },
  });
  uses(run.engine);
  for (const line of [...plan.notes, ...chosen.notes]) noteOnStderr(line);
  // Its threads hold on to the operands.
  await run.engine.close();
  const began = performance.now();
  const records = new ErrorRecords(checked.length);
  const found =
    options.check === "none"
      ? null
      : await comparedWithOperands(plan, operands, run.av, checked, options, {
          firstRow: rows.start,
          onError: (error, ofBaseline) => records.onOperands(error, ofBaseline),
        });
  const engine = { ...template.engine, name: run.engine.name, adapter: run.engine.adapter };
  return {
    ...{ common, run, exact, records },
    result: { ...template, saturated: saturatedOf(operands, run), engine },
    hasBaseline: (found?.baseline ?? null) !== null,
    checkSeconds: (performance.now() - began) / 1000,
  };
}

/** Checks the rows on the inputs as given, and writes the shard. */
async function finishShard(work: ShardWork, emulated: EmulatedShard): Promise<void> {
  const { plan, options, path, part, rows, checked } = work;
  const { common, result, run, exact, records, hasBaseline } = emulated;
  const began = performance.now();
  if (exact) records.inputsAreOperands();
  else if (options.check !== "none") {
    const onError = (error: RowError): void => records.onInputs(error);
    await comparedWithInputs(plan, run.av, checked, options, { firstRow: rows.start, onError });
  }
  const checkSeconds = emulated.checkSeconds + (performance.now() - began) / 1000;
  const totalSeconds = (performance.now() - work.began) / 1000;
  const { seconds: emulateSeconds, gflops, resumedRows } = run;
  const header: RunShardHeader = {
    ...common,
    command: "run",
    rows,
    width: plan.problem.shape.valueDim,
    checkedRows: options.check === "none" ? null : checked.length,
    hasBaseline,
    maxError: options.maxError ?? null,
    layout: plan.output,
    result: { ...result, time: { totalSeconds, emulateSeconds, gflops, checkSeconds, resumedRows } },
  };
  await writeShardFile(path, header, [bytesOf(run.av), bytesOf(records.values)]);
  rmSync(part, { force: true });
  process.stdout.write(`${inWords(work)}; in ${path}\n`);
}

const inWords = ({ plan, shard, rows }: ShardWork): string =>
  `${shardInWords(shard)}: rows ${rows.start} to ${rows.end} of ${allRows(plan.problem).end}`;

const bytesOf = (values: Float32Array | Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** The result without what comes of computing. */
async function templateOf({ plan, options }: ShardWork, { engine, reason }: ChosenEngine): Promise<RunResult> {
  const { costOfPlan } = await import("./cost.js");
  const { output: _, ...rest } = options;
  const emulated = { run: { engine }, reason, saturated: { q: 0, k: 0, v: 0, p: 0 }, onnx: null };
  const time = { totalSeconds: 0, emulateSeconds: 0, gflops: 0, checkSeconds: 0, resumedRows: 0 };
  return resultOf(plan, rest, emulated, "", null, costOfPlan(plan, options), time);
}

async function commonHeader(
  { plan, options, shard, hashes }: ShardWork,
  { operands }: LoadedRun,
  { engine: _, ...result }: RunResult,
): Promise<ShardHeader> {
  const { check, maxError } = options;
  const identity = await runIdentity(plan.problem, operands);
  return {
    schema: shardSchema,
    command: "run",
    program: programIdentity(),
    specs: digest(partsOf(plan.design.design)),
    work: digest([identity, hashes(), result, plan.output, check, maxError ?? null, shard.count]),
    shard,
  };
}
