import { type AttentionMask, sequenceOf } from "../../attention/mask.js";
import type { AttentionProblem, Operands } from "../../attention/problem.js";
import { type AttentionShape, inputNames } from "../../attention/shape.js";
import type { TileCoordinates } from "../../attention/tile.js";
import { type Alibi, alibiOf } from "../../emulator/alibi.js";
import { requireLogSumExp as requireStates } from "../../emulator/log-sum-exp.js";
import { isOnePass } from "../../emulator/one-pass.js";
import { prepareScores } from "../../emulator/prepare.js";
import { programOf } from "../../emulator/program-of.js";
import { requireScores } from "../../emulator/score-matrix.js";
import { validateProblem } from "../../emulator/validate.js";
import { UsageError } from "../../errors.js";
import { formatOf } from "../../numerics/format-of.js";
import { generateOnThreads } from "../../platform/generate-on-threads.js";
import { numeratorNote } from "../../report/arithmetic.js";
import { conflict, needs } from "../conflict.js";
import type { RunModel } from "../onnx/run-model.js";
import { requireEnding, requireOwnPaths } from "../output-files.js";
import { refuseOnOtherCascades } from "./arithmetic.js";
import { designOfRun, tileOfRun } from "./design.js";
import { type RunDesign, sourceOf } from "./emulated-design.js";
import type { FileLayout } from "./input-layout.js";
import { fromFiles, fromSeed, type InputPieces, remembering, withBiases, withValuesInKeys } from "./inputs.js";
import { requireMemory } from "./memory.js";
import type { RunOptions } from "./options.js";
import { checkScaleFiles, narrowNotes, openScales, type StoredScales } from "./scale-files.js";
import { alibiBias, slopesOf } from "./score-files.js";
import { type RunSource, sourceOfOptions } from "./source.js";
import type { AskedMask } from "./workload.js";

/** A run that can be begun: every option checked, every input file's header read, every output path tried. */
export interface RunPlan {
  readonly model: string | null;
  /** The kind of the model's layers, where it has several; else null. */
  readonly layers: string | null;
  readonly seen: AskedMask;
  readonly design: RunDesign;
  /** Each value is the first part of its key. */
  readonly valuesInKeys: boolean;
  /** The problem without what its biases and sinks make of it. */
  readonly asked: AttentionProblem;
  readonly problem: AttentionProblem;
  /** What made E of the problem larger; null without --alibi. */
  readonly alibi: Alibi | null;
  /** Null when the inputs come from files. */
  readonly seed: number | null;
  readonly pieces: InputPieces;
  /** What is added to scores, as given and as the array has it. */
  readonly addends: RunSource["addends"];
  readonly scoreOperands: Pick<Operands, "addends" | "sinks">;
  /** The model that the run is of, and what it is to give; null without --onnx. */
  readonly onnx: RunModel | null;
  /** Scales beside input files, whose values are operands. */
  readonly scales: StoredScales;
  /** The inputs without what ALiBi adds to them. */
  readonly given: InputPieces;
  readonly givenShape: AttentionShape;
  /** How many of the keys are those of a cache; null without one. */
  readonly pastKeys: number | null;
  readonly dump: { readonly at: TileCoordinates; readonly path: string } | null;
  /** How the files keep their ranks. */
  readonly file: FileLayout;
  /** How --output keeps them. */
  readonly output: FileLayout;
  /** Lines for stderr. */
  readonly notes: readonly string[];
}

/** Refuses what can be refused before anything is computed. @throws UsageError, InputError */
export async function planRun(options: RunOptions): Promise<RunPlan> {
  const dump = dumpOf(options);
  if (options.onnxData !== undefined && options.onnx === undefined) throw needs("--onnx-data", "--onnx FILE");
  if (options.outputLayout !== undefined && options.output === undefined)
    throw needs("--output-layout", "--output FILE");
  if (options.maxError !== undefined && options.check === "none") {
    throw conflict("--max-error", "--check none");
  }
  const source = options.onnx === undefined ? await sourceOfOptions(options) : await sourceOfModel(options);
  const { files, file, scale, softcap, pastKeys } = source;
  const { model, layers, shape, mask, seen, valuesInKeys } = source.workload;
  const design = designOfRun(withFormatOf(source, options));
  const { kvSplits = 1 } = options;
  refuseOnOtherCascades(design, options);
  const arithmetic = design.design.arithmetic.data;
  const format = formatOf(arithmetic);
  const scales = await scalesOf(options, files !== null);
  checkScaleFiles(scales, arithmetic, shape);
  const slopes = await slopesOf(options, shape);
  // Elements of a dot product know only one direction, and 16 bits.
  const byElements =
    slopes !== null && mask.right === 0 && mask.prefix === undefined && format !== null && softcap === undefined;
  const alibi = byElements ? alibiOf({ shape, mask }, format, scale, slopes) : null;
  const addends =
    slopes === null || byElements
      ? source.addends
      : { ...source.addends, bias: alibiBias(slopes, { shape, mask }, source.addends.bias) };
  const tile = tileOfRun(design, options, shape);
  const asked: AttentionProblem = {
    ...{ shape: alibi?.shape ?? shape, mask, tile, arithmetic, scale },
    ...(softcap === undefined ? {} : { softcap }),
    ...(kvSplits === 1 ? {} : { kvSplits }),
    ...(options.lse === undefined ? {} : { states: true }),
    ...sourceOf(design),
  };
  const { problem, operands: scoreOperands } = prepareScores(asked, addends);
  if (options.lse !== undefined) requireLogSumExp(problem, design);
  if (options.scores !== undefined) requireScores(problem, options.scores.stage);
  programOf(problem);
  requireMemory(problem.shape, files === null ? "the workload" : "the input files", file.layout);
  validateProblem(problem);
  if (dump !== null) refuseOutsideGrid(problem, dump.at);
  await checkOutputs(options);
  const seed = files === null ? (options.seed ?? 0) : null;
  const generated = (): InputPieces => {
    const all = fromSeed(shape, seed ?? 0, options.spread ?? 1, generateOnThreads);
    return valuesInKeys ? withValuesInKeys(all, shape) : all;
  };
  const given = files === null ? generated() : fromFiles(files);
  const pieces = remembering(alibi === null ? given : withBiases(given, alibi));
  const narrow = files === null ? [] : narrowNotes(files, scales, arithmetic);
  const more = scoreNotes(options, mask, slopes !== null && !byElements);
  const notes = [...source.notes, ...narrow, numeratorNote(arithmetic), ...more].filter(line => line !== null);
  const output = options.outputLayout === undefined ? file : { layout: options.outputLayout, ranks: 4 };
  return {
    model,
    layers,
    seen,
    design,
    asked,
    problem,
    valuesInKeys,
    alibi,
    seed,
    pieces,
    scales,
    addends,
    scoreOperands,
    onnx: source.onnx,
    given,
    givenShape: shape,
    pastKeys,
    dump,
    file,
    output,
    notes,
  };
}

async function scalesOf(options: RunOptions, fromFiles: boolean): Promise<StoredScales> {
  if (fromFiles) return openScales(options);
  const where = inputNames.find(name => options[`${name}Scale`] !== undefined);
  if (where === undefined) return {};
  throw needs(`--${where}-scale`, "input files of operands");
}

async function sourceOfModel(options: RunOptions): Promise<RunSource> {
  return (await import("../onnx/source.js")).sourceOfOnnx(options);
}

/** A model of ONNX computes in its own type, where the options name none. */
function withFormatOf({ onnx }: RunSource, options: RunOptions): RunOptions {
  const named = (options.arithmetic ?? options.format) !== undefined;
  return onnx === null || named ? options : { ...options, format: onnx.format };
}

function dumpOf({ dump: path, dumpTile: at }: RunOptions): RunPlan["dump"] {
  if (path === undefined && at === undefined) return null;
  if (path === undefined) {
    throw needs("--dump-tile", "--dump FILE.safetensors");
  }
  if (at === undefined) {
    throw needs("--dump", "--dump-tile b,h,m1,p1");
  }
  return { at, path };
}

/** Lines about what is done to scores. */
function scoreNotes({ mask = [] }: RunOptions, { right }: AttentionMask, alibiAdded: boolean): readonly string[] {
  const prefix = mask.some(({ kind }) => kind === "prefix") && right === 0;
  return [
    ...(prefix ? ["--mask prefix shows nothing that a causal mask hides: all masks intersect; --no-causal"] : []),
    ...(alibiAdded ? ["ALiBi is added to scores as a bias, -slope |i - m|"] : []),
  ];
}

/** @throws UsageError, InputError where rows leave no log-sum-exp behind, or not all of them do */
function requireLogSumExp(problem: AttentionProblem, { cascade }: RunDesign): void {
  requireStates(problem);
  if (isOnePass(cascade)) return;
  throw new UsageError({
    where: "--lse",
    got: `the cascade ${cascade.name}`,
    expected: "FuseMax's own, which carries a row's maximum and denominator",
  });
}

function refuseOutsideGrid(problem: AttentionProblem, at: TileCoordinates): void {
  const { shape, tile } = problem;
  const sizes = { b: shape.batch, h: shape.heads, m1: 0, p1: 0 };
  if (at.b < shape.batch) {
    const { queries, keys } = sequenceOf(problem, at.b);
    sizes.m1 = Math.ceil(keys / tile.m0);
    sizes.p1 = Math.ceil(queries / tile.p0);
  }
  for (const [name, size] of Object.entries(sizes) as [keyof TileCoordinates, number][]) {
    if (at[name] < size) continue;
    const expected = size === 0 ? "a batch that has tiles" : `0 to ${size - 1}`;
    throw new UsageError({ where: "--dump-tile", got: `${name} = ${at[name]}`, expected });
  }
}

/** Every output has a known type, a path of its own and can be written. */
async function checkOutputs(options: RunOptions): Promise<void> {
  const { shard, dump, resume, q, k, v, input, pastK, pastV, presentK, presentV, lse, scores } = options;
  if (resume !== undefined && lse !== undefined) {
    throw conflict("--resume", "--lse");
  }
  const scales = { "q-scale": options.qScale, "k-scale": options.kScale, "v-scale": options.vScale };
  const tensors = {
    // A shard's is none of these, and its own to check.
    "--output": shard === undefined ? options.output : undefined,
    "--present-k": presentK,
    "--present-v": presentV,
    "--lse": lse,
    "--scores": scores?.path,
  };
  for (const [option, path] of Object.entries(tensors)) requireEnding(option, path, [".npy", ".safetensors"]);
  requireEnding("--dump", dump, [".safetensors"]);
  const inputs = Object.entries({ q, k, v, input, "past-k": pastK, "past-v": pastV, ...scales }).flatMap(
    ([option, path]): [string, string][] => (path === undefined ? [] : [[`--${option}`, path]]),
  );
  requireOwnPaths(inputs, { ...tensors, "--dump": dump, "--resume": resume });
}
