import type { AttentionShape } from "../../src/attention/shape.js";
import { parseMask } from "../../src/cli/mask/choice.js";
import type { MaskFile } from "../../src/cli/run/mask-planes.js";
import { type ModelShape, modelShapeIn } from "../../src/cli/run/model-shape.js";
import {
  leftOutOf,
  scaleOf,
  type Workload,
  type WorkloadOptions,
  workloadOfOptions,
  workloadOfTensors,
} from "../../src/cli/run/workload.js";
import { parseWindow } from "../../src/cli/values.js";
import { FusemaxError, UsageError } from "../../src/errors.js";
import { plain } from "../../src/report/units.js";
import { messageOf } from "../message.js";
import { bundledSpecs } from "../specs.js";
import { noModel, type State, writeSize } from "../state.js";

/** A mask that is a file, with the file. */
export interface GivenMask {
  readonly choice: MaskFile;
  readonly file: File;
}

/** The attention that the settings ask for, before it meets an arithmetic. */
export interface AskedAttention {
  readonly workload: Workload;
  readonly scale: number;
  readonly softcap: number | undefined;
  readonly masks: readonly GivenMask[];
  /** What the model would add and the page leaves out; null where there is nothing. */
  readonly leftOut: string | null;
}

/** What the settings ask for, or why there is no such thing, in the page's words. */
export type Asked = AskedAttention | { readonly wrong: string };

/** Files that stand in the place of settings. */
export interface GivenFiles {
  /** The shape of dropped inputs; null where they are generated. */
  readonly shape: AttentionShape | null;
  readonly maskFiles: readonly File[];
}

export function askedAttention(state: State, { shape, maskFiles }: GivenFiles): Asked {
  try {
    const options = workloadOptions(state, shape !== null);
    const model = options.model === undefined ? null : modelOf(options.model);
    const workload = shape === null ? workloadOfOptions(options, model) : workloadOfTensors(options, shape, model);
    return {
      workload,
      scale: scaleOf(workload),
      softcap: options.softcap ?? workload.scores.softcap,
      masks: (options.mask ?? []).flatMap(choice => ("path" in choice ? [givenMask(choice, maskFiles)] : [])),
      leftOut: leftOutOf(workload),
    };
  } catch (error) {
    if (!(error instanceof FusemaxError)) throw error;
    return { wrong: messageOf(error) };
  }
}

export const modelOf = (name: string): ModelShape => modelShapeIn(bundledSpecs, name);

function givenMask(choice: MaskFile, files: readonly File[]): GivenMask {
  const file = files.find(({ name }) => name === choice.path);
  if (file !== undefined) return { choice, file };
  throw new UsageError({
    where: "--mask",
    got: `${choice.path}, which is not here`,
    expected: files.length === 0 ? "the file, chosen below" : `one of ${files.map(({ name }) => name).join(", ")}`,
  });
}

/** The command line's options for the settings. @throws UsageError */
function workloadOptions(state: State, fromFiles: boolean): WorkloadOptions {
  const { runModel, mask, window, masks, softcap, queries, keys } = state;
  const drops = mask === "none" && runModel !== noModel;
  return {
    ...(runModel === noModel ? (fromFiles ? {} : ownSizes(state)) : { model: runModel }),
    ...(fromFiles ? {} : { qLen: queries, kvLen: keys }),
    ...(mask === "causal" ? { causal: true } : drops ? { causal: false, window: { left: -1, right: -1 } } : {}),
    ...(window.trim() === "" ? {} : { window: parseWindow("--window", window) }),
    ...(masks.trim() === ""
      ? {}
      : {
          mask: masks
            .trim()
            .split(/\s+/)
            .map(word => parseMask("--mask", word)),
        }),
    ...(softcap === 0 ? {} : { softcap }),
  };
}

const ownSizes = ({ runHeads, kvHeads, E, F }: State): WorkloadOptions => ({
  heads: runHeads,
  ...(kvHeads === 0 ? {} : { kvHeads }),
  headDim: E,
  valueDim: F,
});

/** The same options as they are typed. @throws UsageError */
export function optionWords(state: State, fromFiles: boolean): string {
  const { model, heads, kvHeads, headDim, valueDim, qLen, kvLen, causal, window, softcap } = workloadOptions(
    state,
    fromFiles,
  );
  return [
    ...(model === undefined ? [] : [`--model ${model}`]),
    ...(qLen === undefined ? [] : [`--q-len ${writeSize(qLen)}`]),
    ...(kvLen === undefined ? [] : [`--kv-len ${writeSize(kvLen)}`]),
    ...(heads === undefined ? [] : [`--heads ${heads}`]),
    ...(kvHeads === undefined ? [] : [`--kv-heads ${kvHeads}`]),
    ...(headDim === undefined ? [] : [`--head-dim ${headDim}`]),
    ...(valueDim === undefined ? [] : [`--value-dim ${valueDim}`]),
    ...(causal === undefined ? [] : [causal ? "--causal" : "--no-causal"]),
    ...(window === undefined ? [] : [`--window ${window.left},${window.right}`]),
    ...state.masks.split(/\s+/).flatMap(word => (word === "" ? [] : [`--mask ${word}`])),
    ...(softcap === undefined ? [] : [`--softcap ${softcap}`]),
  ].join(" ");
}

/** What is seen of all scores: "causal, window 4095,0". */
export function maskWords({ seen: { causal, window, masks } }: Workload): string {
  const [left, right] = window;
  const parts = [
    ...(causal ? ["causal"] : []),
    ...(left === -1 && right === -1 ? [] : [`window ${left},${right}`]),
    ...masks,
  ];
  return parts.length === 0 ? "none" : parts.join(", ");
}

/** The attention in a sentence: heads, widths, mask, and what is done to scores. */
export function attentionWords({ workload, softcap, scale }: AskedAttention): string {
  const { heads, kvHeads, headDim, valueDim } = workload.shape;
  const shared = kvHeads === heads ? "" : ` share ${kvHeads} of keys and values`;
  const values = workload.valuesInKeys ? ", each value the first part of its key" : "";
  const capped = softcap === undefined ? "" : `, capped at ${plain(softcap)}`;
  const kind = workload.layers === null ? "" : `${workload.layers} layers: `;
  return `${kind}${heads} query ${heads === 1 ? "head" : "heads"}${shared}, E ${headDim}, F ${valueDim}${values}; scores times ${plain(scale)}${capped}; mask: ${maskWords(workload)}.`;
}
