import { type ScoreSizes, scoreSizes } from "../../attention/broadcast.js";
import { type Masked, placeOfQuery } from "../../attention/mask.js";
import type { AttentionShape } from "../../attention/shape.js";
import { alibiSlopes } from "../../emulator/alibi.js";
import type { AttentionInputs } from "../../emulator/operands.js";
import type { GivenBias } from "../../emulator/score-operands.js";
import { InputError, UsageError } from "../../errors.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import { requireFreeMemory } from "../free-memory.js";
import { parseNumber } from "../values.js";
import type { Beside } from "./beside.js";
import { openOneTensor } from "./one-tensor.js";

/** The options that say what is added to scores. */
export interface ScoreOptions {
  readonly bias?: string;
  readonly sink?: string;
  readonly alibi?: boolean;
  /** A slope for each query head, or a file of them. */
  readonly alibiSlopes?: readonly number[] | string;
}

/** `0.5,0.25`, or the path of a file. @throws UsageError */
export function parseSlopes(option: string, text: string): readonly number[] | string {
  if (!/^[-+.\d]/.test(text) || /\.(npy|npz|safetensors)$/i.test(text)) return text;
  return text.split(",").map(part => parseNumber(option, part, "a number for each query head", -(2 ** 40), 2 ** 40));
}

/** The slopes of ALiBi, one per query head; null without ALiBi. @throws UsageError, InputError */
export async function slopesOf({ alibi, alibiSlopes: given }: ScoreOptions, { heads }: Pick<AttentionShape, "heads">) {
  if (given === undefined) return alibi === true ? alibiSlopes(heads) : null;
  const slopes =
    typeof given === "string" ? await valuesIn("--alibi-slopes", given, ["alibi_slopes", "slopes"]) : given;
  requireHeads("--alibi-slopes", slopes, heads, "slopes");
  return slopes;
}

/** What files say of scores: those that the options name, else what lies beside q, k and v. @throws UsageError, InputError */
export async function openScores(
  { bias, sink }: ScoreOptions,
  shape: AttentionShape,
  beside: Beside = {},
): Promise<Pick<AttentionInputs, "bias" | "sink">> {
  const stored = bias === undefined ? beside.bias : await openOneTensor("--bias", bias, biasNames);
  const loaded = stored === undefined ? null : await loadBias(stored, shape);
  const logits = sink === undefined ? beside.sink : await openOneTensor("--sink", sink, ["sink", "sinks"]);
  const sinks = logits === undefined ? null : [...(await logits.load())];
  if (sinks !== null) requireHeads(sink === undefined ? (logits?.where ?? "") : "--sink", sinks, shape.heads, "logits");
  return { ...(loaded === null ? {} : { bias: loaded }), ...(sinks === null ? {} : { sink: sinks }) };
}

const biasNames = ["bias", "attn_bias", "attn_mask", "attention_bias"];

async function loadBias(stored: StoredTensor, shape: AttentionShape): Promise<GivenBias> {
  if (stored.dtype === "BOOL") {
    throw new InputError({
      where: stored.where,
      got: "truth values",
      expected: "numbers that are added to scores",
      fix: "--mask takes truth values",
    });
  }
  const sizes = scoreSizes(stored.shape, shape, stored.where);
  requireScoreMemory(sizes, "--bias");
  return { shape: stored.shape, values: await stored.load() };
}

const requireScoreMemory = (sizes: ScoreSizes, where: string): void =>
  requireFreeMemory(
    12 * sizes.reduce((a, b) => a * b, 1),
    where,
    "a bias of fewer sizes is taken once for all that share it",
  );

async function valuesIn(option: string, path: string, names: readonly string[]): Promise<readonly number[]> {
  return [...(await (await openOneTensor(option, path, names)).load())];
}

function requireHeads(where: string, values: readonly number[], heads: number, what: string): void {
  if (values.length !== heads) {
    throw new UsageError({ where, got: `${values.length} ${what}`, expected: `${heads}, one for each query head` });
  }
  const odd = values.findIndex(value => !Number.isFinite(value));
  if (odd >= 0) throw new UsageError({ where, got: `${values[odd]} for head ${odd}`, expected: "finite numbers" });
}

/** A bias of ALiBi by distance, either way: -slope |i - m|, i the query's place among its keys; added to another. */
export function alibiBias(slopes: readonly number[], problem: Masked, beside: GivenBias | undefined): GivenBias {
  const { batch, heads, queries, keys } = problem.shape;
  const other = beside === undefined ? null : scoreSizes(beside.shape, problem.shape, "--bias");
  const sizes = [other?.[0] === batch || placesDiffer(problem) ? batch : 1, heads, queries, keys] as const;
  requireScoreMemory(sizes, "--alibi");
  const values = new Float64Array(sizes.reduce((a, b) => a * b, 1));
  let at = 0;
  for (let b = 0; b < sizes[0]; b += 1) {
    for (let h = 0; h < heads; h += 1) {
      for (let p = 0; p < queries; p += 1) {
        const i = placeOfQuery(problem, { b, p });
        for (let m = 0; m < keys; m += 1, at += 1) values[at] = -(slopes[h] as number) * Math.abs(i - m);
      }
    }
  }
  if (beside !== undefined && other !== null) addTo(values, sizes, beside, other);
  return { shape: sizes, values };
}

/** Whether the first queries of two sequences of the batch are at different places among their keys. */
function placesDiffer(problem: Masked): boolean {
  const places = Array.from({ length: problem.shape.batch }, (_, b) => placeOfQuery(problem, { b, p: 0 }));
  return places.some(place => place !== places[0]);
}

/** Adds a bias that broadcasts to another; keys past its last are hidden. */
function addTo(values: Float64Array, sizes: ScoreSizes, { values: more }: GivenBias, own: ScoreSizes): void {
  const [batch, heads, queries, keys] = sizes;
  for (let at = 0; at < values.length; at += 1) {
    const m = at % keys;
    const p = Math.floor(at / keys) % queries;
    const h = Math.floor(at / (keys * queries)) % heads;
    const b = Math.floor(at / (keys * queries * heads)) % batch;
    const row = ((own[0] === 1 ? 0 : b) * own[1] + (own[1] === 1 ? 0 : h)) * own[2] + (own[2] === 1 ? 0 : p);
    const hidden = own[3] !== 1 && m >= own[3];
    values[at] = hidden
      ? Number.NEGATIVE_INFINITY
      : (values[at] as number) + (more[row * own[3] + (own[3] === 1 ? 0 : m)] as number);
  }
}
