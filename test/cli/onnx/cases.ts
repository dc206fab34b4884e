import type { DataType, NodeParts, TensorParts } from "../../io/onnx-files.js";
import { type AttentionNode, type AttentionResult, onnxAttention, type Tensor } from "../../oracle/onnx-attention.js";

/** What a case asks of the operator: sizes, the optional inputs, and attributes by their names in ONNX. */
export interface Case {
  readonly name: string;
  readonly opset?: 23 | 24 | 25;
  readonly type?: DataType;
  /** [B, H, Hkv, P, M, E, F]; M are the keys that K has. */
  readonly sizes?: readonly [number, number, number, number, number, number, number];
  /** Inputs of three ranks. */
  readonly flat?: boolean;
  /** Keys of the past. */
  readonly past?: number;
  readonly lengths?: readonly number[];
  /** The shape of attn_mask; a float one where it is `bias`. */
  readonly mask?: readonly number[];
  readonly bias?: readonly number[];
  /** A bias hides what is at these places of its last rank. */
  readonly hidden?: readonly number[];
  /** All keys of this query are masked. */
  readonly maskedQuery?: number;
  readonly attributes?: Omit<
    AttentionNode,
    "Q" | "K" | "V" | "attn_mask" | "past_key" | "past_value" | "nonpad_kv_seqlen"
  >;
  readonly precision?: number;
  /** Which optional outputs the model has. */
  readonly outputs?: readonly ("present" | "qk")[];
}

export interface MadeCase {
  readonly node: NodeParts;
  readonly inputs: readonly (TensorParts & { readonly name: string })[];
  readonly outputs: readonly (TensorParts & { readonly name: string })[];
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** Values from -1 to 1 of few bits, which every type holds. */
function values(seed: number, count: number): number[] {
  let state = seed * 2654435761;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 16) % 65) / 32 - 1;
  });
}

/** A node with its inputs, and what float64 says that it gives. */
export function make(of: Case): MadeCase {
  const { sizes = [2, 2, 2, 4, 6, 8, 8], flat = false, type = "float32", attributes = {} } = of;
  const [B, H, G, P, M, E, F] = sizes;
  // Those of 16 bits from 0 to 1, as in ONNX's own tests: its tolerance is relative, and what cancels has none.
  const half = type === "float16" || type === "bfloat16";
  const tensor = (seed: number, shape: readonly number[]): Tensor => ({
    shape,
    values: values(seed, product(shape)).map(x => (half ? (x + 1) / 2 : x)),
  });
  const rows = (seed: number, heads: number, count: number, width: number): Tensor =>
    tensor(seed, flat ? [B, count, heads * width] : [B, heads, count, width]);
  const mask = maskOf(of);
  const heads = flat ? { q_num_heads: H, kv_num_heads: G } : {};
  const node: AttentionNode = {
    Q: rows(1, H, P, E),
    K: rows(2, G, M, E),
    V: rows(3, G, M, F),
    ...(mask === undefined ? {} : { attn_mask: mask }),
    ...(of.past === undefined
      ? {}
      : { past_key: tensor(5, [B, G, of.past, E]), past_value: tensor(6, [B, G, of.past, F]) }),
    ...(of.lengths === undefined ? {} : { nonpad_kv_seqlen: of.lengths }),
    ...heads,
    ...attributes,
  };
  const result = onnxAttention(node);
  const given: readonly (readonly [name: string, tensor: Tensor | undefined, type: DataType])[] = [
    ["Q", node.Q, type],
    ["K", node.K, type],
    ["V", node.V, type],
    ["attn_mask", mask, mask?.boolean === true ? "bool" : type],
    ["past_key", node.past_key, type],
    ["past_value", node.past_value, type],
    ["nonpad_kv_seqlen", of.lengths === undefined ? undefined : { shape: [B], values: of.lengths }, "int64"],
  ];
  const last = given.findLastIndex(([, one]) => one !== undefined);
  const { outputs = [] } = of;
  const wanted: readonly (readonly [name: keyof AttentionResult, there: boolean])[] = [
    ["Y", true],
    ["present_key", outputs.includes("present")],
    ["present_value", outputs.includes("present")],
    ["qk_matmul_output", outputs.includes("qk")],
  ];
  const lastOutput = wanted.findLastIndex(([, there]) => there);
  return {
    node: {
      inputs: given.slice(0, last + 1).map(([name, one]) => (one === undefined ? "" : name)),
      outputs: wanted.slice(0, lastOutput + 1).map(([name, there]) => (there ? name : "")),
      attributes: attributesOf(of, heads),
    },
    inputs: given.flatMap(([name, one, own]) => (one === undefined ? [] : [{ name, type: own, ...one }])),
    outputs: wanted.flatMap(([name, there]) => (there ? [{ name, type, ...result[name] }] : [])),
  };
}

function maskOf({ mask, bias, hidden = [], maskedQuery }: Case): (Tensor & { readonly boolean: boolean }) | undefined {
  const shape = mask ?? bias;
  if (shape === undefined) return undefined;
  const boolean = mask !== undefined;
  const [queries = 1, keys = 1] = [1, ...shape].slice(-2);
  const shown = values(4, product(shape)).map((x, i) => {
    const masked = hidden.includes(i % keys) || Math.floor(i / keys) % queries === maskedQuery;
    if (boolean) return masked || x < -0.5 ? 0 : 1;
    return masked ? Number.NEGATIVE_INFINITY : x;
  });
  return { shape, values: shown, boolean };
}

function attributesOf({ attributes = {}, precision }: Case, heads: Readonly<Record<string, number>>) {
  const { scale, softcap, is_causal: causal, ...integers } = attributes;
  return {
    ...heads,
    ...Object.fromEntries(Object.entries(integers).map(([name, value]) => [name, Number(value)])),
    ...(causal === undefined ? {} : { is_causal: Number(causal) }),
    ...(scale === undefined ? {} : { scale: { float: scale } }),
    ...(softcap === undefined ? {} : { softcap: { float: softcap } }),
    ...(precision === undefined ? {} : { softmax_precision: precision }),
  };
}

const grouped = [2, 6, 2, 4, 6, 8, 8] as const;
const wide = [2, 2, 2, 4, 6, 8, 10] as const;
const both = [2, 6, 2, 4, 6, 8, 10] as const;

/** The operator's definition, a line for each of its parts and for what they do together. */
export const cases: readonly Case[] = [
  { name: "plain" },
  { name: "3-D", flat: true },
  ...[grouped, wide, both].flatMap((sizes, i): readonly Case[] => [
    { name: `grouped heads and widths ${i}`, sizes },
    { name: `grouped heads and widths ${i}, 3-D`, sizes, flat: true },
  ]),
  { name: "one head of keys", sizes: [1, 4, 1, 3, 5, 8, 6], flat: true },
  ...(["float16", "bfloat16", "float64"] as const).flatMap((type): readonly Case[] => [
    { name: type, type, sizes: both },
    { name: `${type} with a past and a bias`, type, past: 3, bias: [4, 9], outputs: ["present"], flat: true },
    { name: `${type} with lengths`, type, opset: 24, lengths: [6, 3], attributes: { is_causal: true } },
  ]),
  { name: "a scale", attributes: { scale: 0.0625 } },
  { name: "a soft-cap", attributes: { softcap: 2 } },
  { name: "a small soft-cap with a bias that hides", attributes: { softcap: 0.5 }, bias: [4, 6], hidden: [4, 5] },
  // Top-left: as many keys before the queries as there are none.
  { name: "causal, more keys than queries", attributes: { is_causal: true } },
  { name: "causal, more queries than keys", sizes: [1, 2, 1, 6, 4, 8, 8], attributes: { is_causal: true } },
  { name: "causal after a past", past: 5, attributes: { is_causal: true }, outputs: ["present"] },
  { name: "an empty past", past: 0, attributes: { is_causal: true }, outputs: ["present"] },
  ...[[6], [4, 6], [1, 6], [2, 4, 6], [2, 1, 4, 6], [2, 2, 4, 6], [4, 1], [4, 3], [2, 1, 1, 5]].flatMap(
    (shape): readonly Case[] => [
      { name: `a mask [${shape}]`, mask: shape },
      { name: `a bias [${shape}], causal`, bias: shape, attributes: { is_causal: true } },
    ],
  ),
  { name: "a mask that hides all from a query", mask: [4, 6], maskedQuery: 1, outputs: ["qk"] },
  { name: "a bias that hides all from a query, causal", bias: [4, 6], maskedQuery: 0, attributes: { is_causal: true } },
  ...[0, 1, 2, 3].flatMap((mode): readonly Case[] => [
    { name: `scores of mode ${mode}`, outputs: ["qk"], attributes: { qk_matmul_output_mode: mode } },
    {
      name: `scores of mode ${mode} of all at once`,
      ...{ opset: 25, sizes: both, flat: true, past: 3, bias: [2, 1, 4, 9], hidden: [2] },
      outputs: ["present", "qk"],
      attributes: {
        ...{ qk_matmul_output_mode: mode, softcap: 2, is_causal: true, left_window_size: 4 },
      },
    },
  ]),
  {
    name: "shares of a softmax in float16, one row masked",
    ...{ type: "float16", mask: [4, 6], maskedQuery: 2, precision: 1, outputs: ["qk"] },
    attributes: { qk_matmul_output_mode: 3 },
  },
  { name: "lengths", opset: 24, lengths: [4, 6], sizes: grouped },
  {
    name: "lengths, causal, one query",
    opset: 24,
    lengths: [6, 2],
    sizes: [2, 4, 2, 1, 6, 8, 8],
    attributes: { is_causal: true },
  },
  { name: "fewer keys than queries, causal", opset: 24, lengths: [2, 0], attributes: { is_causal: true } },
  {
    name: "lengths and a mask of fewer keys",
    opset: 24,
    lengths: [3, 4],
    mask: [2, 2, 4, 4],
    attributes: { is_causal: true },
  },
  { name: "a window to the left, causal", opset: 25, attributes: { is_causal: true, left_window_size: 2 } },
  { name: "a window to both sides", opset: 25, attributes: { left_window_size: 1, right_window_size: 2 } },
  { name: "a window to the right", opset: 25, attributes: { right_window_size: 1 }, mask: [6] },
  { name: "windows that are none", opset: 25, attributes: { left_window_size: -1, right_window_size: -1 } },
  { name: "a window after a past", opset: 25, past: 4, attributes: { left_window_size: 2, right_window_size: 0 } },
  {
    name: "a window with lengths and a bias",
    ...{ opset: 25, lengths: [5, 6], bias: [2, 4, 6] },
    attributes: { is_causal: true, left_window_size: 2 },
  },
  {
    name: "windows, grouped heads, a cap and a precision",
    ...{ opset: 25, sizes: both, mask: [2, 6, 4, 6], maskedQuery: 0, precision: 11, outputs: ["qk"] },
    attributes: { is_causal: true, left_window_size: 2, softcap: 2, qk_matmul_output_mode: 3 },
  },
];
