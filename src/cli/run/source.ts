import type { BitPlane } from "../../attention/bit-plane.js";
import type { AttentionInputs } from "../../emulator/operands.js";
import { conflict, needs } from "../conflict.js";
import type { RunModel } from "../onnx/run-model.js";
import { besideNote, numberIn, openBeside } from "./beside.js";
import type { BesideName } from "./beside-names.js";
import { openPast, withPast } from "./cache.js";
import { openInputs } from "./input-files.js";
import { type FileLayout, inAttentionLayout, type LayoutOptions, layoutNote } from "./input-layout.js";
import { type StoredInputs, shapeOfInputs } from "./input-shape.js";
import { planesOf } from "./mask-files.js";
import { planeOfTensor } from "./mask-planes.js";
import type { ModelShape } from "./model-shape.js";
import type { RunOptions } from "./options.js";
import { openScores } from "./score-files.js";
import { leftOutOf, scaleOf, type Workload, workloadOfOptions, workloadOfTensors } from "./workload.js";

/** What is to be computed, whichever options or files say it, before it meets a design. */
export interface RunSource {
  readonly workload: Workload;
  readonly scale: number;
  readonly softcap?: number;
  /** Q, K and V, those of a cache before them; null where they are generated. */
  readonly files: StoredInputs | null;
  /** What is added to scores, as given. */
  readonly addends: Pick<AttentionInputs, "bias" | "sink">;
  /** How the files keep their ranks. */
  readonly file: FileLayout;
  /** How many of the keys are those of a cache; null without one. */
  readonly pastKeys: number | null;
  /** Lines for stderr. */
  readonly notes: readonly string[];
  /** Where a model of ONNX says it. */
  readonly onnx: RunModel | null;
}

/** The inputs, sizes and mask that the options name, or their defaults. @throws UsageError, InputError */
export async function sourceOfOptions(options: RunOptions): Promise<RunSource> {
  const opened = await openInputs(options);
  if (opened !== null) refuseGeneratedOptions(options);
  const known = await layoutOptionsOf(options);
  const { files, file, pastKeys } = await filesOf(opened, options, known);
  const model = await modelOf(options);
  const workload =
    files === null ? workloadOfOptions(options, model) : workloadOfTensors(options, shapeOfInputs(files), model);
  const { scores, shape } = workload;
  const beside = await openBeside(options);
  const { scale = (await numberIn(beside.scale)) ?? scaleOf(workload) } = options;
  const { softcap = (await numberIn(beside.softcap)) ?? scores.softcap } = options;
  const planes = [
    ...(await planesOf(options.mask ?? [], shape)),
    ...(beside.mask === undefined ? [] : [await planeOfTensor(beside.mask, shape)]),
  ];
  const addends = await openScores(options, shape, beside);
  const left = addends.bias === undefined ? leftOutOf(workload) : null;
  const note = opened === null ? null : layoutNote(workload.shape, opened, known);
  return {
    workload: withPlanes(workload, planes, beside.mask === undefined ? [] : ["the file's mask"]),
    scale,
    ...(softcap === undefined ? {} : { softcap }),
    files,
    addends,
    file,
    pastKeys,
    notes: [
      note,
      besideNote(beside, overridden(options)),
      left === null ? null : `${left}: --bias FILE gives its values`,
    ].filter(line => line !== null),
    onnx: null,
  };
}

/** Specs are read only when a model is named: the reader is slow to start. */
async function modelOf({ model }: RunOptions): Promise<ModelShape | null> {
  return model === undefined ? null : (await import("./models.js")).modelShape(model);
}

/** A workload with planes of bits in its mask; `words` name those that no option does. */
function withPlanes(workload: Workload, planes: readonly BitPlane[], words: readonly string[]): Workload {
  const { mask, seen } = workload;
  if (planes.length === 0) return workload;
  return { ...workload, mask: { ...mask, planes }, seen: { ...seen, masks: [...seen.masks, ...words] } };
}

/** What options say in the place of a file. Masks intersect. */
const overridden = ({ bias, sink, scale, softcap }: RunOptions): readonly BesideName[] =>
  (Object.entries({ bias, sink, scale, softcap }) as [BesideName, unknown][]).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );

/** Q, K and V of files, K and V after those of a cache; null where they are generated. */
async function filesOf(opened: StoredInputs | null, options: RunOptions, known: LayoutOptions) {
  const past = await openPast({ ...options, ...known });
  if (opened === null) {
    if (past !== null) {
      throw needs("--past-k", "--q, --k and --v, or --input");
    }
    return { files: null, file: { layout: options.layout ?? "bhsd", ranks: 4 }, pastKeys: null };
  }
  const { inputs, file } = inAttentionLayout(opened, known);
  return { files: withPast(inputs, past), file, pastKeys: past?.k.shape[2] ?? null };
}

/** The layout that is asked for, and the heads that the options or their model say. */
async function layoutOptionsOf({ layout, heads, kvHeads, model }: RunOptions): Promise<LayoutOptions> {
  const named = layout === "bsd" && model !== undefined ? (await import("./models.js")).modelShape(model) : null;
  return {
    ...(layout === undefined ? {} : { layout }),
    heads: heads ?? named?.heads,
    kvHeads: kvHeads ?? (heads === undefined ? named?.kvHeads : undefined),
  };
}

function refuseGeneratedOptions({ seed, spread }: RunOptions): void {
  const where = seed !== undefined ? "--seed" : spread !== undefined ? "--spread" : null;
  if (where === null) return;
  throw conflict(where, "input files", "it is for generated inputs");
}
