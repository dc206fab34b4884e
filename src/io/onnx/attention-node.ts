import { InputError } from "../../errors.js";
import { listed } from "../listed.js";
import { readBytes } from "../read-bytes.js";
import type { StoredTensor } from "../stored-tensor.js";
import { decodeModel, type OnnxAttribute, type OnnxNode } from "./messages.js";
import { tensorOfMessage } from "./tensor.js";

/** The inputs of the operator, https://onnx.ai/onnx/operators/onnx__Attention.html, in their order. */
export const attentionInputs = ["Q", "K", "V", "attn_mask", "past_key", "past_value", "nonpad_kv_seqlen"] as const;
export type AttentionInput = (typeof attentionInputs)[number];

/** Its outputs. */
export const attentionOutputs = ["Y", "present_key", "present_value", "qk_matmul_output"] as const;
export type AttentionOutput = (typeof attentionOutputs)[number];

/** Its attributes, with their defaults. */
export interface AttentionAttributes {
  readonly isCausal: boolean;
  /** Null: 1 / sqrt(head size). */
  readonly scale: number | null;
  /** H and Hkv of 3-D inputs. */
  readonly heads: number | null;
  readonly kvHeads: number | null;
  /** 0: none. */
  readonly softcap: number;
  /** What the output qk_matmul_output holds: 0 raw, 1 capped, 2 biased, 3 after the softmax. */
  readonly outputMode: number;
  /** A TensorProto.DataType, or null. */
  readonly softmaxPrecision: number | null;
  /** -1: unbounded. */
  readonly window: { readonly left: number; readonly right: number };
}

/** A model that is one Attention node. */
export interface AttentionModel {
  readonly opset: number;
  readonly attributes: AttentionAttributes;
  /** What the graph calls the node's inputs and outputs; those that are left out are absent. */
  readonly inputs: ReadonlyMap<AttentionInput, string>;
  readonly outputs: ReadonlyMap<AttentionOutput, string>;
  /** What the graph asks to be given, and gives, in the order of test data. */
  readonly graphInputs: readonly string[];
  readonly graphOutputs: readonly string[];
  /** Tensors that the model holds itself. */
  readonly held: ReadonlyMap<string, StoredTensor>;
}

const firstOpset = 23;
/** Of the windows. */
const windowOpset = 25;
const mostModelBytes = 2 ** 31 - 1;

/** Reads a model of ONNX that is one Attention node. @throws InputError; the first other node is named. */
export async function readAttentionModel(path: string): Promise<AttentionModel> {
  const { graph, opsetImport } = decodeModel(path, await readBytes(path, mostModelBytes, "a model of ONNX"));
  const expected = "a model of one Attention node";
  if (graph === undefined || graph.node.length === 0) {
    throw new InputError({ where: path, got: "no node", expected });
  }
  const other = graph.node.find(node => !isAttention(node));
  if (other !== undefined) {
    const fix = other.domain === "" ? {} : { fix: `operators of ${other.domain} are not read` };
    throw new InputError({ where: path, got: nodeInWords(other), expected, ...fix });
  }
  const [node, second] = graph.node;
  if (node === undefined || second !== undefined) {
    throw new InputError({ where: path, got: `${graph.node.length} Attention nodes`, expected });
  }
  const opset = Number(opsetImport.find(({ domain }) => isStandard(domain))?.version ?? 0);
  if (opset < firstOpset) {
    throw new InputError({ where: path, got: `opset ${opset}`, expected: `opset ${firstOpset} or later` });
  }
  const held = new Map(
    graph.initializer.map(message => [message.name, tensorOfMessage(`${path} ${message.name}`, message)]),
  );
  return {
    opset,
    attributes: attributesOf(path, opset, node),
    inputs: named(path, "inputs", attentionInputs, node.input),
    outputs: named(path, "outputs", attentionOutputs, node.output),
    graphInputs: graph.input.map(({ name }) => name).filter(name => !held.has(name)),
    graphOutputs: graph.output.map(({ name }) => name),
    held,
  };
}

const isStandard = (domain: string): boolean => domain === "" || domain === "ai.onnx";
const isAttention = ({ opType, domain }: OnnxNode): boolean => opType === "Attention" && isStandard(domain);

const nodeInWords = ({ opType, domain, name }: OnnxNode): string =>
  `a node ${isStandard(domain) ? "" : `${domain}.`}${opType}${name === "" ? "" : ` (${name})`}`;

/** An empty name leaves an optional input or output out. */
function named<Name extends string>(
  where: string,
  what: string,
  names: readonly Name[],
  given: readonly string[],
): ReadonlyMap<Name, string> {
  if (given.length > names.length) {
    throw new InputError({ where, got: `${given.length} ${what} of Attention`, expected: `at most ${names.length}` });
  }
  const found = new Map<Name, string>();
  for (const [i, name] of names.entries()) {
    const own = given[i] ?? "";
    if (own !== "") found.set(name, own);
  }
  const required = what === "inputs" ? names.slice(0, 3) : names.slice(0, 1);
  const missing = required.filter(name => !found.has(name));
  if (missing.length > 0) {
    throw new InputError({
      where,
      got: `no ${what.slice(0, -1)} ${missing.join(", ")}`,
      expected: required.join(", "),
    });
  }
  return found;
}

const attributeNames = [
  "is_causal",
  "kv_num_heads",
  "left_window_size",
  "q_num_heads",
  "qk_matmul_output_mode",
  "right_window_size",
  "scale",
  "softcap",
  "softmax_precision",
];

function attributesOf(path: string, opset: number, { attribute }: OnnxNode): AttentionAttributes {
  const given = new Map(attribute.map(one => [one.name, one]));
  const where = (name: string): string => `${path} attribute ${name}`;
  const unknown = [...given.keys()].find(
    name => !attributeNames.includes(name) || (opset < windowOpset && name.endsWith("_window_size")),
  );
  if (unknown !== undefined) {
    const known = attributeNames.filter(name => opset >= windowOpset || !name.endsWith("_window_size"));
    throw new InputError({
      where: path,
      got: `attribute ${unknown}`,
      expected: `those of opset ${opset}: ${listed(known)}`,
    });
  }
  const integer = (name: string, least: number, most = Number.MAX_SAFE_INTEGER): number | null => {
    const one = given.get(name);
    if (one === undefined) return null;
    const value = Number(requireType(where(name), one, 2).i);
    if (value >= least && value <= most) return value;
    const expected = most === Number.MAX_SAFE_INTEGER ? `at least ${least}` : `${least} to ${most}`;
    throw new InputError({ where: where(name), got: String(value), expected });
  };
  const float = (name: string): number | null => {
    const one = given.get(name);
    return one === undefined ? null : requireType(where(name), one, 1).f;
  };
  return {
    isCausal: integer("is_causal", 0, 1) === 1,
    scale: float("scale"),
    heads: integer("q_num_heads", 1),
    kvHeads: integer("kv_num_heads", 1),
    softcap: softcapOf(where("softcap"), float("softcap") ?? 0),
    outputMode: integer("qk_matmul_output_mode", 0, 3) ?? 0,
    softmaxPrecision: precisionOf(where("softmax_precision"), integer("softmax_precision", 0)),
    window: { left: integer("left_window_size", -1) ?? -1, right: integer("right_window_size", -1) ?? -1 },
  };
}

/** @param type 1 of a float, 2 of an integer */
function requireType(where: string, attribute: OnnxAttribute, type: 1 | 2): OnnxAttribute {
  const { type: given } = attribute;
  if (given === type || given === 0) return attribute;
  const words: Readonly<Record<number, string>> = { 1: "a float", 2: "an integer" };
  throw new InputError({ where, got: words[given] ?? `an attribute of type ${given}`, expected: words[type] ?? "" });
}

function softcapOf(where: string, softcap: number): number {
  if (softcap >= 0 && softcap < Number.POSITIVE_INFINITY) return softcap;
  throw new InputError({ where, got: String(softcap), expected: "a number above 0, or 0 for none" });
}

/** FLOAT, FLOAT16, DOUBLE, BFLOAT16. */
export const softmaxPrecisions: ReadonlyMap<number, string> = new Map([
  [1, "float"],
  [10, "float16"],
  [11, "double"],
  [16, "bfloat16"],
]);

function precisionOf(where: string, precision: number | null): number | null {
  if (precision === null || softmaxPrecisions.has(precision)) return precision;
  const expected = [...softmaxPrecisions].map(([number, name]) => `${number} (${name})`).join(", ");
  throw new InputError({ where, got: String(precision), expected });
}
