import { unevenGroups } from "../../attention/heads.js";
import { type AttentionMask, noMask, sequenceOf } from "../../attention/mask.js";
import type { AttentionShape } from "../../attention/shape.js";
import { howMany, UsageError } from "../../errors.js";
import { conflict } from "../conflict.js";
import { type Corner, type MaskChoice, maskInWords } from "../mask/choice.js";
import { mergeMasks } from "../mask/merge.js";
import type { ModelShape } from "./model-shape.js";

/** The options that say how large an attention is and which keys its queries see. */
export interface WorkloadOptions {
  readonly model?: string;
  readonly batch?: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly headDim?: number;
  readonly valueDim?: number;
  readonly seq?: number;
  readonly qLen?: number;
  readonly kvLen?: number;
  readonly causal?: boolean;
  readonly window?: { readonly left: number; readonly right: number };
  readonly qLens?: readonly number[];
  readonly kvLens?: readonly number[];
  readonly leftPad?: readonly number[];
  readonly mask?: readonly MaskChoice[];
  readonly softcap?: number;
}

export interface Workload {
  /** The model's name as its spec writes it, or null. */
  readonly model: string | null;
  readonly shape: AttentionShape;
  readonly mask: AttentionMask;
  readonly seen: AskedMask;
  /** The width whose root divides the scores by default. */
  readonly scaleDim: number;
  /** Each value is the first part of its key. */
  readonly valuesInKeys: boolean;
  /** The kind of the model's layers, where it has several; else null. */
  readonly layers: string | null;
  /** The factor and the cap of the model's scores, and what it adds to them that comes by --bias; undefined where it has none. */
  readonly scores: Partial<Pick<ModelShape, "scale" | "softcap" | "bias">>;
}

/** The factor of a workload's scores, where nobody says another. */
export const scaleOf = ({ scores, scaleDim }: Workload): number => scores.scale ?? 1 / Math.sqrt(scaleDim);

/** What to say of a model whose scores get more than is computed; null where there is nothing. */
export const leftOutOf = ({ scores: { bias } }: Workload): string | null =>
  bias === undefined ? null : `the model adds ${bias} to its scores, which is left out`;

/** The mask as asked for or as the model has it; `causal` bounds the window's right to 0. */
export interface AskedMask {
  readonly causal: boolean;
  /** The corner of the scores that patterns about a query's own place are aligned to; null where there are none. */
  readonly corner: Corner | null;
  /** Every --mask in words. */
  readonly masks: readonly string[];
  readonly window: readonly [left: number, right: number];
}

const defaultLength = 1024;

/**
 * The workload that the options name, with the documented defaults.
 * @param model that of the option, or null
 * @throws UsageError when they contradict each other.
 */
export function workloadOfOptions(options: WorkloadOptions, model: ModelShape | null): Workload {
  const { seq, qLen, kvLen, qLens, kvLens } = options;
  const other = qLen === undefined ? "--kv-len" : "--q-len";
  if (seq !== undefined && (qLen ?? kvLen) !== undefined) {
    throw conflict("--seq", other, "give --seq, or --q-len and --kv-len");
  }
  const heads = options.heads ?? model?.heads ?? 1;
  // A model whose heads are overridden keeps its grouping only where that still makes sense: else one K and V a head.
  const grouped = model !== null && model.kvHeads !== model.heads;
  const headDim = options.headDim ?? model?.headDim ?? 64;
  const shape: AttentionShape = {
    batch: options.batch ?? (kvLens ?? qLens)?.length ?? 1,
    heads,
    kvHeads: options.kvHeads ?? (grouped ? model.kvHeads : heads),
    queries: qLen ?? seq ?? longest(qLens) ?? defaultLength,
    keys: kvLen ?? model?.crossKeys ?? seq ?? longest(kvLens) ?? defaultLength,
    headDim,
    valueDim: options.valueDim ?? (options.headDim === undefined ? model?.valueDim : undefined) ?? headDim,
  };
  return {
    model: model?.name ?? null,
    shape,
    ...maskOf(options, shape, model),
    scaleDim: options.headDim ?? model?.scaleDim ?? headDim,
    valuesInKeys: model?.valuesInKeys === true && shape.valueDim <= shape.headDim,
    layers: model?.layers ?? null,
    scores: { scale: model?.scale, softcap: model?.softcap, bias: model?.bias },
  };
}

const longest = (lengths: readonly number[] | undefined): number | undefined =>
  lengths === undefined ? undefined : Math.max(1, ...lengths);

/** The workload of given tensors: their shapes win. @throws UsageError when an option says otherwise. */
export function workloadOfTensors(options: WorkloadOptions, shape: AttentionShape, model: ModelShape | null): Workload {
  const claims: readonly (readonly [option: string, claimed: number | undefined, size: keyof AttentionShape])[] = [
    ["--batch", options.batch, "batch"],
    ["--heads", options.heads, "heads"],
    ["--kv-heads", options.kvHeads, "kvHeads"],
    ["--head-dim", options.headDim, "headDim"],
    ["--value-dim", options.valueDim, "valueDim"],
    ["--seq", options.seq, "queries"],
    ["--seq", options.seq, "keys"],
    ["--q-len", options.qLen, "queries"],
    ["--kv-len", options.kvLen, "keys"],
    [`--model ${model?.name}`, model?.heads, "heads"],
    [`--model ${model?.name}`, model?.kvHeads, "kvHeads"],
    [`--model ${model?.name}`, model?.headDim, "headDim"],
    [`--model ${model?.name}`, model?.valueDim, "valueDim"],
  ];
  for (const [option, claimed, size] of claims) {
    if (claimed === undefined || claimed === shape[size]) continue;
    throw new UsageError({
      where: option,
      got: `${claimed} ${sizeNames[size]}`,
      expected: `${shape[size]}, as in the files`,
      fix: `leave ${option.split(" ")[0]} out: the files' shapes are used`,
    });
  }
  return {
    model: model?.name ?? null,
    shape,
    ...maskOf(options, shape, model),
    scaleDim: model?.scaleDim ?? shape.headDim,
    valuesInKeys: model?.valuesInKeys ?? false,
    layers: model?.layers ?? null,
    scores: { scale: model?.scale, softcap: model?.softcap, bias: model?.bias },
  };
}

const sizeNames: Readonly<Record<keyof AttentionShape, string>> = {
  batch: "batches",
  heads: "query heads",
  kvHeads: "key/value heads",
  queries: "queries",
  keys: "keys",
  headDim: "values in a query and key",
  valueDim: "values in a value row",
};

/** What the options say, else the model's own mask. */
function maskOf(
  options: WorkloadOptions,
  shape: AttentionShape,
  model: ModelShape | null,
): Pick<Workload, "mask" | "seen"> {
  const uneven = unevenGroups(shape);
  if (uneven !== null) throw new UsageError({ where: "--kv-heads", ...uneven });
  const { left, right } = options.window ?? model?.window ?? { left: -1, right: -1 };
  const causal = options.causal ?? model?.causal ?? false;
  const causalOf = options.causal === true ? "--causal" : `the causal mask of --model ${model?.name}`;
  const windowOf = options.window === undefined ? `the window of --model ${model?.name}` : "--window";
  const { mask: masks = [] } = options;
  const each = {
    qLens: lengths("--q-lens", options.qLens, shape.batch, shape.queries),
    kvLens: lengths("--kv-lens", options.kvLens, shape.batch, shape.keys),
  };
  const leftPad = lengths("--left-pad", options.leftPad, shape.batch, shape.keys);
  // Without lengths all sequences are one; there may be more than fit an array.
  const different = (each.qLens ?? each.kvLens) !== null;
  const sequences = Array.from({ length: different ? shape.batch : 1 }, (_, b) =>
    sequenceOf({ shape, mask: { ...noMask, ...each } }, b),
  );
  const asked = { causal: causal ? causalOf : null, window: { left, right, option: windowOf }, masks };
  const { corner, ...window } = mergeMasks(asked, sequences);
  return {
    mask: { ...window, ...each, ...(leftPad === null ? {} : { leftPad }) },
    seen: { causal, window: [left, right], corner, masks: masks.map(maskInWords) },
  };
}

function lengths(
  option: string,
  given: readonly number[] | undefined,
  batch: number,
  most: number,
): readonly number[] | null {
  if (given === undefined) return null;
  if (given.length !== batch) {
    throw new UsageError({
      where: option,
      got: howMany(given.length, "length"),
      expected: `${batch}, one for each batch`,
    });
  }
  for (const [b, length] of given.entries()) {
    if (length > most) {
      throw new UsageError({
        where: option,
        got: `${length} in batch ${b}`,
        expected: `at most ${most}, as in the tensors`,
      });
    }
  }
  return given;
}
