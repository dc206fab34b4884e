import { type BitPlane, bitPlane } from "../../attention/bit-plane.js";
import { scoreSizes } from "../../attention/broadcast.js";
import type { Layout } from "../../attention/layout.js";
import type { AttentionMask } from "../../attention/mask.js";
import type { AttentionShape } from "../../attention/shape.js";
import type { GivenBias } from "../../emulator/score-operands.js";
import { InputError } from "../../errors.js";
import type { ElementType } from "../../io/element-types.js";
import { type AttentionInput, type AttentionModel, softmaxPrecisions } from "../../io/onnx/attention-node.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import { withPast } from "../run/cache.js";
import { asFourRanks, type FileLayout } from "../run/input-layout.js";
import { type StoredInputs, shapeOfInputs } from "../run/input-shape.js";

/** An Attention node with its inputs, in the emulator's terms. */
export interface TranslatedAttention {
  readonly shape: AttentionShape;
  readonly mask: AttentionMask;
  readonly scale: number;
  /** Undefined: none. */
  readonly softcap: number | undefined;
  /** K and V are present_key and present_value: with those of the past before them. */
  readonly files: StoredInputs;
  readonly bias: GivenBias | undefined;
  /** How Y keeps its ranks: as Q does. */
  readonly file: FileLayout;
  /** The type of Q, K and Y. */
  readonly type: ElementType;
  readonly pastKeys: number | null;
  readonly causal: boolean;
  readonly window: AttentionModel["attributes"]["window"];
  /** What qk_matmul_output holds. */
  readonly outputMode: number;
  readonly notes: readonly string[];
}

type Tensors = ReadonlyMap<AttentionInput, StoredTensor>;

/**
 * The attention that a node computes on its inputs. Where ONNX aligns causal masks and windows to a count of keys before
 * the queries (the past's, or nonpad_kv_seqlen - P in each batch, or none), that is the origin of the window.
 * @throws InputError for inputs that do not fit the operator's definition
 */
export async function translate({ attributes, opset }: AttentionModel, tensors: Tensors): Promise<TranslatedAttention> {
  const given = (name: AttentionInput): StoredTensor => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new InputError({ where: name, got: "no tensor", expected: "one for each input" });
    return tensor;
  };
  const [q, k, v] = [given("Q"), given("K"), given("V")];
  const layout = layoutOf(q);
  const { heads, kvHeads } = headsOf(attributes, q, opset);
  const past = pastOf(tensors);
  const files = withPast(
    {
      q: asFourRanks(q, layout, heads),
      k: asFourRanks(k, layout, kvHeads),
      v: asFourRanks(v, layout, kvHeads),
    },
    past,
  );
  const shape = shapeOfInputs(files);
  const pastKeys = past?.k.shape[2] ?? null;
  const kvLens = await lengthsOf(tensors.get("nonpad_kv_seqlen"), past !== null, shape);
  const attnMask = await scoresOf(tensors.get("attn_mask"), shape);
  const { left, right } = attributes.window;
  const bounded = attributes.isCausal || left >= 0 || right >= 0;
  const origin = bounded && kvLens === null ? { origin: pastKeys ?? 0 } : {};
  const planes = attnMask?.plane === undefined ? {} : { planes: [attnMask.plane] };
  const { softcap, scale, outputMode, softmaxPrecision } = attributes;
  return {
    shape,
    mask: { left, right: attributes.isCausal ? 0 : right, kvLens, qLens: null, ...origin, ...planes },
    scale: scale ?? 1 / Math.sqrt(shape.headDim),
    softcap: softcap === 0 ? undefined : softcap,
    files,
    bias: attnMask?.bias,
    file: { layout, ranks: q.shape.length },
    type: q.dtype,
    pastKeys,
    causal: attributes.isCausal,
    window: attributes.window,
    outputMode,
    notes:
      softmaxPrecision === null
        ? []
        : [`softmax_precision ${softmaxPrecisions.get(softmaxPrecision)}: the softmax is that of the arithmetic`],
  };
}

function layoutOf({ where, shape }: StoredTensor): Layout {
  if (shape.length === 4) return "bhsd";
  if (shape.length === 3) return "bsd";
  throw new InputError({ where, got: `shape [${shape.join(", ")}]`, expected: "three or four ranks" });
}

/** H and Hkv of 3-D inputs; those of 4-D inputs have their ranks. */
function headsOf(
  { heads, kvHeads }: AttentionModel["attributes"],
  { where, shape }: StoredTensor,
  opset: number,
): { readonly heads?: number; readonly kvHeads?: number } {
  if (shape.length === 4) {
    // Versions before 25 let them be; they say what the shape says.
    if (opset >= 25 && (heads ?? kvHeads) !== null) {
      const expected = "them with 3-D inputs only";
      throw new InputError({ where, got: "q_num_heads or kv_num_heads with 4-D inputs", expected });
    }
    return {};
  }
  if (heads === null || kvHeads === null) {
    const got = `3-D inputs without ${heads === null ? "q_num_heads" : "kv_num_heads"}`;
    throw new InputError({ where, got, expected: "q_num_heads and kv_num_heads" });
  }
  return { heads, kvHeads };
}

function pastOf(tensors: Tensors): { readonly k: StoredTensor; readonly v: StoredTensor } | null {
  const [k, v] = [tensors.get("past_key"), tensors.get("past_value")];
  if (k === undefined && v === undefined) return null;
  if (k === undefined || v === undefined) {
    const [got, missing] = k === undefined ? ["past_value", "past_key"] : ["past_key", "past_value"];
    throw new InputError({ where: got, got: `no ${missing}`, expected: "both or none" });
  }
  for (const { where, shape } of [k, v]) {
    // An empty past is one: the first step of a loop has it.
    if (shape.length === 4) continue;
    throw new InputError({ where, got: `shape [${shape.join(", ")}]`, expected: "[B, Hkv, Mp, D]" });
  }
  return { k, v };
}

async function lengthsOf(
  tensor: StoredTensor | undefined,
  hasPast: boolean,
  { batch, keys }: AttentionShape,
): Promise<readonly number[] | null> {
  if (tensor === undefined) return null;
  const { where, shape } = tensor;
  if (hasPast) {
    throw new InputError({
      where,
      got: "past_key",
      expected: "one of the two",
      problem: "cannot be given with past_key",
    });
  }
  if (shape.length !== 1 || shape[0] !== batch) {
    throw new InputError({
      where,
      got: `shape [${shape.join(", ")}]`,
      expected: `[${batch}], a length for each batch`,
    });
  }
  const lengths = [...(await tensor.load())];
  const wrong = lengths.findIndex(length => !Number.isInteger(length) || length < 0 || length > keys);
  if (wrong < 0) return lengths;
  const got = `${lengths[wrong]} in batch ${wrong}`;
  throw new InputError({ where, got, expected: `a whole number of at most ${keys}, the keys that there are` });
}

/** What attn_mask shows or adds: a plane of booleans, or a bias. */
async function scoresOf(
  tensor: StoredTensor | undefined,
  shape: AttentionShape,
): Promise<{ readonly plane?: BitPlane; readonly bias?: GivenBias } | null> {
  if (tensor === undefined) return null;
  const boolean = tensor.dtype === "BOOL";
  const last = tensor.shape.at(-1) ?? 0;
  let values = await tensor.load();
  let sizes = tensor.shape;
  // ONNX pads the last rank before it broadcasts: one key is one key, and the others are hidden.
  if (last === 1 && shape.keys > 1) {
    const padded = new Float64Array(values.length * 2).fill(boolean ? 0 : Number.NEGATIVE_INFINITY);
    for (const [i, value] of values.entries()) padded[2 * i] = value;
    values = padded;
    sizes = [...sizes.slice(0, -1), 2];
  }
  const fitting = scoreSizes(sizes, shape, tensor.where);
  return boolean ? { plane: bitPlane(fitting, values) } : { bias: { shape: sizes, values } };
}
