import type { BitPlane } from "../attention/bit-plane.js";
import { groupOf } from "../attention/heads.js";
import { noScoreTerms, type ScoreChoice, type ScoreTerms, scoreTermsOf } from "../attention/score-terms.js";
import { classesOf, hidesAny, type KeyMask, planeMaskOf, type SequenceClass } from "../attention/sequences.js";
import type { AttentionShape } from "../attention/shape.js";
import type { Sequence, Window } from "../attention/window.js";
import { howMany, UsageError } from "../errors.js";
import type { LayerKind, Phase, Workload } from "../spec/workload.js";
import { attentionSizes, type Sizes } from "./sizes.js";

/** What is asked of a workload's attention. */
export interface PointRequest {
  readonly phase: Phase;
  /** Tokens so far: the keys, and in prefill the queries; in cross attention the queries. */
  readonly seq: number;
  readonly batch: number;
  /** Queries at once in decode. */
  readonly decodeQueries: number;
  /** Keys of each sequence in place of `seq`, one for each of the batch. */
  readonly kvLens?: readonly number[];
  /** Keys of each sequence that are padding in front, one for each of the batch. */
  readonly leftPad?: readonly number[];
  /** Other masks, which intersect with the workload's; its own where absent. */
  readonly masking?: Masking;
  /** What is charged of a soft-cap and a bias; nothing where absent. */
  readonly scores?: ScoreChoice;
}

/** An attention whose mask is asked for. */
export interface MaskedPoint {
  readonly workload: Pick<Workload, "name" | "causal">;
  /** The window of its layers. */
  readonly window: readonly [left: number, right: number];
  readonly shape: AttentionShape;
  /** Of each batch. */
  readonly sequences: readonly Sequence[];
}

/** The whole mask of an attention, the workload's own included. */
export type Masking = (point: MaskedPoint) => Window & { readonly planes?: readonly BitPlane[] };

/** A workload's attention in one kind of its layers, ready to be evaluated. */
export interface AttentionPoint {
  readonly kind: LayerKind;
  readonly phase: Phase;
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
  /** Query heads that share a key/value head. */
  readonly group: number;
  readonly sizes: Sizes;
  /** What the mask leaves; undefined where every score exists. */
  readonly mask: KeyMask | undefined;
  /** What is done to its scores (designWithTerms lays it over a design). */
  readonly terms: ScoreTerms;
}

/** A workload whose queries see every key. */
export const unmasked = (workload: Workload): Workload => ({
  ...workload,
  causal: false,
  kinds: workload.kinds.map(kind => ({ ...kind, window: [-1, -1] })),
});

/** Throws UsageError for a phase that the workload does not have. */
export function checkPhase(workload: Workload, phase: Phase): void {
  if (workload.phases.includes(phase)) return;
  const got = `${phase} of ${workload.name}`;
  throw new UsageError({ where: "--phase", got, expected: `one of its phases: ${workload.phases.join(", ")}` });
}

/** The attention of each kind of a workload's layers. Throws UsageError for a phase that the workload does not have. */
export function attentionPoints(workload: Workload, request: PointRequest): readonly AttentionPoint[] {
  const { phase, decodeQueries } = request;
  checkPhase(workload, phase);
  const keysOf = (length: number): number => workload.crossKeys ?? length;
  const queriesOf = (length: number): number => (phase === "decode" ? decodeQueries : length);
  const lengths = lengthsOf(request);
  const inOrder = lengths.map(({ count, length, leftPad }): SequenceClass => {
    checkPadding(leftPad, keysOf(length));
    return { count, queries: queriesOf(length), keys: keysOf(length), ...(leftPad === 0 ? {} : { leftPad }) };
  });
  const batch = inOrder.reduce((sum, { count }) => sum + count, 0);
  const sequences = classesOf(inOrder);
  const queries = Math.max(...sequences.map(s => s.queries));
  const keys = Math.max(...sequences.map(s => s.keys));
  const sizes = attentionSizes(workload, { batch, queries, keys });
  const group = groupOf(workload);
  const { scores } = request;
  const terms = scores === undefined ? noScoreTerms : scoreTermsOf(scores, workload, queries);
  return workload.kinds.map(kind => {
    const [left, right] = kind.window;
    const point = { kind, phase, batch, queries, keys, group, sizes, terms };
    const own = { left, right: workload.causal ? 0 : right };
    if (request.masking === undefined) return { ...point, mask: thatHides({ ...own, sequences }, group) };
    const each = inOrder.flatMap(sequence => Array<Sequence>(sequence.count).fill(sequence));
    const shape = { ...workload, batch, queries, keys };
    const { planes = [], ...window } = request.masking({ workload, window: kind.window, shape, sequences: each });
    if (planes.length === 0) return { ...point, mask: thatHides({ ...window, sequences }, group) };
    const ofBatch = {
      qLens: each.map(s => s.queries),
      kvLens: each.map(s => s.keys),
      ...(request.leftPad === undefined ? {} : { leftPad: request.leftPad }),
    };
    const mask = planeMaskOf(shape, { ...window, ...ofBatch, planes });
    if (mask === null) throw new UsageError({ where: "--mask", got: "no sequences", expected: "queries and keys" });
    // Each head is a sequence of its own, whose keys may be others.
    return { ...point, sizes: { ...sizes, B: sizes.B * sizes.H, H: 1 }, mask: thatHides(mask, group) };
  });
}

interface Length {
  readonly count: number;
  readonly length: number;
  readonly leftPad: number;
}

/** The sequences that are asked for, in their order; all alike as one. @throws UsageError for paddings of another batch */
function lengthsOf({ seq, batch, kvLens, leftPad }: PointRequest): readonly Length[] {
  if (kvLens === undefined && leftPad === undefined) return [{ count: batch, length: seq, leftPad: 0 }];
  const lengths = kvLens ?? (leftPad ?? []).map(() => seq);
  if (leftPad !== undefined && leftPad.length !== lengths.length) {
    const expected = `${lengths.length}, one for each of --kv-lens`;
    throw new UsageError({ where: "--left-pad", got: howMany(leftPad.length, "length"), expected });
  }
  return lengths.map((length, b) => ({ count: 1, length, leftPad: leftPad?.[b] ?? 0 }));
}

function checkPadding(leftPad: number, keys: number): void {
  if (leftPad <= keys) return;
  const expected = `at most the ${howMany(keys, "key")} of its sequence`;
  throw new UsageError({ where: "--left-pad", got: String(leftPad), expected });
}

const thatHides = (mask: KeyMask, group: number): KeyMask | undefined => (hidesSome(mask, group) ? mask : undefined);

/** Scores up to here are counted exactly; no machine has the sequence for more. */
const mostScores = 2 ** 53;

/**
 * Whether a mask leaves any score out. Throws UsageError for one that leaves no score, or is too large for exact counts.
 */
export function hidesSome(mask: KeyMask, group: number): boolean {
  if (!hidesAny(mask)) return false;
  const { sequences } = mask;
  const scores = Math.max(...sequences.map(({ queries, keys }) => group * queries * keys));
  if (scores > mostScores) {
    throw new UsageError({
      where: "--seq",
      got: `a masked attention of ${scores.toExponential(1)} scores for each key head`,
      expected: "at most 2^53",
    });
  }
  if (!sequences.some(({ queries, keys, leftPad = 0 }) => queries > 0 && keys > leftPad)) {
    throw new UsageError({ where: "lengths", got: "a batch in which no query sees a key", expected: "one that does" });
  }
  return true;
}
