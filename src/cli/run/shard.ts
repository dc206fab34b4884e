import { rmSync } from "node:fs";
import { rowsOfShare } from "../../attention/row-shares.js";
import { allRows, type RowRange } from "../../attention/rows.js";
import type { Engine } from "../../emulator/engine.js";
import { UsageError } from "../../errors.js";
import { patienceMilliseconds, withFileLock } from "../../io/file-lock.js";
import { programIdentity } from "../../io/program-identity.js";
import { runIdentity } from "../../io/run-identity.js";
import { isFinishedShard, type Shard, type ShardHeader, shardSchema, writeShardFile } from "../../io/shard-file.js";
import type { ChosenEngine } from "../../platform/choose-engine.js";
import type { RunResult } from "../../report/run-result.js";
import { requireOwnPaths } from "../output-files.js";
import { partOf, requireShardOutput, shardInWords } from "../shard/choice.js";
import { digest, partsOf } from "../shard/digest.js";
import { comparedWithInputs, comparedWithOperands, rowsToCheck } from "./check-plan.js";
import { emulatePlan } from "./emulate-plan.js";
import { ErrorRecords } from "./error-records.js";
import { hashedInputs } from "./hashed-inputs.js";
import type { FileLayout } from "./input-layout.js";
import type { RunOptions } from "./options.js";
import { planRun, type RunPlan } from "./plan.js";
import { type LoadedRun, noteOnStderr, resultOf, saturatedOf, withOperands } from "./run-attention.js";

/** The first line of a shard of a run; then come the values of its rows in fp32, and the errors of those that were checked. */
export interface RunShardHeader extends ShardHeader {
  readonly command: "run";
  readonly rows: RowRange;
  /** Values in a row. */
  readonly width: number;
  /** How many of its rows were checked; null with --check none. */
  readonly checkedRows: number | null;
  /** Whether the arithmetic has a baseline. */
  readonly hasBaseline: boolean;
  readonly maxError: number | null;
  /** How the output keeps its ranks. */
  readonly layout: FileLayout;
  /** The result, but for what is known only of all rows: error, hash of the output, numerators that saturated. */
  readonly result: RunResult;
}

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
      await withOperands(plan, options, (loaded, uses) => finishShard(work, loaded, uses));
      return 0;
    },
    patienceMilliseconds,
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
  const mends: Readonly<Record<string, string>> = {
    "--resume": "finished rows are kept beside the shard",
    "--json": "fusemax merge has it",
  };
  const mend = mends[where] ?? "run it once without --shard";
  throw new UsageError({ where, got: "--shard beside it", expected: "a run of all rows", mend });
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

async function finishShard(work: ShardWork, loaded: LoadedRun, uses: (engine: Engine) => void): Promise<void> {
  const { plan, options, shard, path, part, rows, checked } = work;
  const { operands, chosen } = loaded;
  const template = await templateOf(work, chosen);
  const common = await commonHeader(work, loaded, template);
  const said = `${shardInWords(shard)}: rows ${rows.start} to ${rows.end} of ${allRows(plan.problem).end}`;
  if (await isFinishedShard(path, common)) {
    process.stdout.write(`${said} were finished before; in ${path}\n`);
    return;
  }
  const run = await emulatePlan(plan, operands, chosen, options, noteOnStderr, {
    ...{ range: rows, file: part, part: `${shard.index}/${shard.count}` },
  });
  uses(run.engine);
  for (const line of [...plan.notes, ...chosen.notes]) noteOnStderr(line);
  // Its threads hold on to the operands.
  await run.engine.close();
  const checkBegan = performance.now();
  const { records, hasBaseline } = await checkRows(work, loaded, run.av);
  const checkSeconds = (performance.now() - checkBegan) / 1000;
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
    result: {
      ...template,
      saturated: saturatedOf(operands, run),
      engine: { ...template.engine, name: run.engine.name, adapter: run.engine.adapter },
      time: { totalSeconds, emulateSeconds, gflops, checkSeconds, resumedRows },
    },
  };
  await writeShardFile(path, header, [bytesOf(run.av), bytesOf(records.values)]);
  rmSync(part, { force: true });
  process.stdout.write(`${said}; in ${path}\n`);
}

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

/** Compares the rows that are to be checked, of those of the shard. */
async function checkRows(
  { plan, options, rows, checked }: ShardWork,
  { operands, exact }: LoadedRun,
  av: Float32Array,
): Promise<{ readonly records: ErrorRecords; readonly hasBaseline: boolean }> {
  const records = new ErrorRecords(checked.length);
  if (options.check === "none") return { records, hasBaseline: false };
  const firstRow = rows.start;
  const { baseline } = await comparedWithOperands(plan, operands, av, checked, options, {
    firstRow,
    onError: (error, ofBaseline) => {
      records.onOperands(error, ofBaseline);
      if (exact) records.onInputs(error);
    },
  });
  if (!exact) {
    await comparedWithInputs(plan, av, checked, options, { firstRow, onError: error => records.onInputs(error) });
  }
  return { records, hasBaseline: baseline !== null };
}
