import { rowOfScores, type ScoreTensor } from "../../attention/broadcast.js";
import { headPlace, headsOf, kvHeadOf, kvHeadPlace } from "../../attention/heads.js";
import { maskOf, sequenceOf } from "../../attention/mask.js";
import type { AttentionProblem } from "../../attention/problem.js";
import { allRows, rowAt } from "../../attention/rows.js";
import { type InputName, inputNames, tensorShapes, valuesOf } from "../../attention/shape.js";
import { InputError } from "../../errors.js";
import type { Scale } from "../../numerics/arithmetic.js";
import { amaxOf } from "../../numerics/scales.js";
import { checkGivenScales, scaleReader } from "../given-scales.js";
import type { AttentionInputs } from "../operands.js";
import { withHidden } from "../prepare.js";
import { roundBias, roundSink } from "../score-operands.js";
import type { Matrix, ScaleFacts } from "./encode.js";
import { checkHead, type HeadMatrices, matricesOf, type OneHead, seenKeys } from "./head.js";
import { onePassOf, type Saturated } from "./one-pass.js";

/** An attention by FuseMax's own cascade. */
export interface GoldenProblem extends Omit<AttentionProblem, "cascade" | "kvSplits"> {
  /** Runs of key tiles that are merged at the end; 1: keys are not split. */
  readonly kvSplits: number;
}

export interface GoldenResult {
  /** AV [B, H, P, F]. */
  readonly av: Float32Array;
  /** Operands past the largest value of their type; keys and values count once. */
  readonly saturated: Saturated;
  /** RM and RD of each row at the end, [B, H, P, 2]; NaN where there is neither a key nor a sink. */
  readonly states: Float64Array;
  /** Operands times their scales, as q, k and v lie; keys without their means where the arithmetic smooths them. */
  readonly decoded: Readonly<Record<InputName, Float64Array>>;
}

/** A query head with what it reads. */
interface Prepared {
  /** Numbered through the batches. */
  readonly index: number;
  readonly b: number;
  readonly h: number;
  readonly kvHead: number;
  readonly head: OneHead;
  readonly matrices: HeadMatrices;
}

/**
 * Attention with batches, grouped heads, masks and lengths in any arithmetic (docs/arithmetic.md).
 * @param inputs q [B, H, P, E], k [B, Hkv, M, E], v [B, Hkv, M, F], not yet rounded
 * @throws InputError for values or sizes out of range, NumericsError where a result leaves the accumulator's range
 */
export function goldenAttention(problem: GoldenProblem, inputs: AttentionInputs): GoldenResult {
  const { arithmetic, shape } = problem;
  checkSmoothed(problem, inputs);
  const prepared = preparedHeads(problem, inputs);
  const states = new Float64Array(2 * allRows(problem).end).fill(Number.NaN);
  const av = new Float32Array(valuesOf(tensorShapes(shape).av));
  const saturated = { q: 0, k: 0, v: 0, p: 0 };
  const shapes = tensorShapes(shape);
  const zeros = (name: InputName): Float64Array => new Float64Array(valuesOf(shapes[name]));
  const decoded = { q: zeros("q"), k: zeros("k"), v: zeros("v") };
  const chosen = chosenScales(problem, inputs);
  const amaxFact = (name: InputName, one: Prepared): ScaleFacts => {
    const set = setOf(arithmetic.operands[name].scale, one, prepared);
    return set === null ? {} : { amax: Math.max(0, ...set.map(({ matrices }) => amaxOf(matrices[name].values))) };
  };
  const counted = new Set<number>();
  for (const one of prepared) {
    const facts: Partial<Record<InputName, ScaleFacts>> = {};
    for (const name of inputNames) facts[name] = chosen[name]?.(one) ?? amaxFact(name, one);
    const result = onePassOf(arithmetic, one.head, one.matrices, facts);
    av.set(result.av.values, rowAt(shape, { b: one.b, h: one.h, p: 0 }) * shape.valueDim);
    states.set(result.states, 2 * rowAt(shape, { b: one.b, h: one.h, p: 0 }));
    for (const name of inputNames) {
      const [, , rows, columns] = shapes[name];
      const head = name === "q" ? one.index : one.kvHead;
      decoded[name].set(result.decoded[name].values, head * rows * columns);
    }
    saturated.q += result.saturated.q;
    saturated.p += result.saturated.p;
    if (!counted.has(one.kvHead)) {
      saturated.k += result.saturated.k;
      saturated.v += result.saturated.v;
      counted.add(one.kvHead);
    }
  }
  return { av, saturated, states, decoded };
}

/** The heads whose elements share a scale with this one's; null for scales of parts of a head. */
function setOf(scale: Scale, one: Prepared, all: readonly Prepared[]): readonly Prepared[] | null {
  if (scale === "tensor") return all;
  return scale === "head" ? all.filter(({ kvHead }) => kvHead === one.kvHead) : null;
}

/** The scales that are given beside a tensor, for each of its heads; values of V lie [F, M] there. */
function chosenScales({ arithmetic, shape }: GoldenProblem, { scales = {} }: AttentionInputs) {
  const chosen: Partial<Record<InputName, (one: Prepared) => ScaleFacts>> = {};
  for (const name of inputNames) {
    const values = scales[name];
    if (values === undefined) continue;
    const { scale } = arithmetic.operands[name];
    const at = scaleReader(scale, name, shape, checkGivenScales(arithmetic, name, shape, values));
    chosen[name] = one => {
      const head = name === "q" ? one.index : one.kvHead;
      const place = (row: number, column: number) =>
        name === "v" ? ([column, row] as const) : ([row, column] as const);
      const coordinates = name === "q" ? `${one.b}, ${one.h}` : `${one.b}, ${kvHeadPlace(shape, one.kvHead).g}`;
      return {
        chosen: {
          scale: (row, column) => at(head, ...place(row, column)),
          where: (row, column) => `${name}[${coordinates}, ${place(row, column).join(", ")}]`,
        },
      };
    };
  }
  return chosen;
}

/** @throws InputError where K is smoothed and scores are not softmax's alone: what is left out does not cancel. */
function checkSmoothed({ arithmetic, softcap }: GoldenProblem, { sink }: AttentionInputs): void {
  const got = softcap !== undefined ? "a softcap" : sink !== undefined ? "a sink" : null;
  if (arithmetic.smooth === "none" || got === null) return;
  throw new InputError({
    where: arithmetic.name,
    got: `${got} with smooth: ${arithmetic.smooth}`,
    expected: "scores of which softmax takes only differences",
  });
}

const addendOf =
  ({ sizes, values }: ScoreTensor<Float32Array>, b: number, h: number) =>
  (p: number, m: number): number =>
    values[rowOfScores(sizes, b, h, p) + (sizes[3] === 1 ? 0 : m)] as number;

/** All query heads, batch after batch. */
function preparedHeads(problem: GoldenProblem, inputs: AttentionInputs): readonly Prepared[] {
  const { shape, arithmetic, tile, scale, kvSplits } = problem;
  const shapes = tensorShapes(shape);
  const units = { scale, accumulator: arithmetic.accumulator };
  const bias = inputs.bias === undefined ? null : roundBias(inputs.bias, shape, units);
  const sinks = inputs.sink === undefined ? null : roundSink(inputs.sink, shape, units);
  const mask = maskOf(withHidden(problem, bias?.hidden ?? null));
  /** The first `rows` rows of one head of a tensor; heads are numbered through the batches. */
  const matrix = (name: InputName, head: number, rows: number): Matrix => {
    const [, , most, columns] = shapes[name];
    const first = head * most * columns;
    return { rows, columns, values: Float64Array.from(inputs[name].subarray(first, first + rows * columns)) };
  };
  const heads = Array.from({ length: headsOf(shape) }, (_, index) => {
    const { b, h } = headPlace(shape, index);
    const kvHead = kvHeadOf(shape, index);
    const { queries, keys } = sequenceOf(problem, b);
    const head: OneHead = {
      q: matrix("q", index, queries),
      k: matrix("k", kvHead, keys),
      v: matrix("v", kvHead, keys),
      m0: tile.m0,
      scale,
      sees: (p, m) => mask.sees(rowAt(shape, { b, h, p }), m),
      kvSplits,
      label: `batch ${b}, head ${h}: `,
      ...(problem.softcap === undefined ? {} : { softcap: problem.softcap }),
      ...(bias === null ? {} : { bias: addendOf(bias.addends, b, h) }),
      ...(sinks === null ? {} : { sink: sinks[h] as number }),
    };
    checkHead(head);
    return { index, b, h, kvHead, head };
  });
  // Keys are shared: those count that a query of any head sees.
  const seen = new Map<number, readonly boolean[]>();
  for (const { kvHead, head } of heads) {
    const before = seen.get(kvHead);
    seen.set(kvHead, before === undefined ? seenKeys(head) : seenKeys(head).map((own, m) => own || before[m] === true));
  }
  return heads.map(one => ({ ...one, matrices: matricesOf(arithmetic, one.head, seen.get(one.kvHead)) }));
}
