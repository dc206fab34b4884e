import type { SequenceClass } from "../attention/sequences.js";
import type { MaskRole } from "./mask-ranks.js";
import type { NestShape } from "./nest.js";
import type { RankCount } from "./partition.js";
import type { Grain, VisibleRegion } from "./region.js";
import { touched, touchedUpTo, withinTouched } from "./visible-region.js";

/** The ranks that a mask couples, as one rank of a nest: batch, rows (queries) and keys. */
export interface CoupledRanks {
  readonly shape: NestShape;
  readonly batch: CoupledRank | undefined;
  readonly rows: CoupledRank | undefined;
  readonly keys: CoupledRank | undefined;
}

/** A nest's ranks by themselves, and as a mask couples them. */
export interface MaskedNest {
  readonly shape: NestShape;
  readonly ranksAlone: readonly RankCount[];
  readonly coupled: CoupledRanks;
}

/** Where a rank's parts are in the shared table, and which of the nest's ranks it was. */
export interface CoupledRank {
  readonly rank: number;
  readonly shift: number;
  readonly parts: number;
}

/** A nest in which the first ranks, those with a role, are one. They must be the first, bits and all. */
export function coupleRanks(shape: NestShape, roles: readonly MaskRole[]): CoupledRanks | undefined {
  const coupled = roles.filter(role => role !== undefined).length;
  if (!roles.includes("queries") && !roles.includes("keys")) return undefined;
  const own = (role: MaskRole): CoupledRank | undefined => {
    const rank = roles.indexOf(role);
    return rank < 0 ? undefined : { rank, ...(shape.ranks[rank] as NestShape["ranks"][number]) };
  };
  const parts = shape.ranks.slice(0, coupled).reduce((sum, rank) => sum + rank.parts, 0);
  const ranks = [{ shift: 0, parts }, ...shape.ranks.slice(coupled)];
  return { shape: { ...shape, ranks }, batch: own("batch"), rows: own("queries"), keys: own("keys") };
}

/**
 * How many distinct tuples of loop indices the existing scores reach, for any subset of the coupled ranks' loops. `boxes`
 * and `bounds` are the ranks' own tables and loop bounds, as if nothing were masked.
 *
 * Exact where `isClosed` holds of the subset; of others a bound from above.
 */
export function coupledCount(
  { batch, rows, keys }: CoupledRanks,
  region: VisibleRegion,
  boxes: readonly Float64Array[],
  bounds: readonly Float64Array[],
  subset: number,
): number {
  const [ofRows, ofKeys] = [rows, keys].map(own => side(own, bitsOf(own, subset), boxes, bounds)) as [Side, Side];
  return overBatch(batch, region, boxes, subset, sequence => pairs(region, sequence, ofRows, ofKeys));
}

/**
 * Whether a subset's count has a closed form: its row loops are the outermost ones (or none) and its key loops neighbours,
 * and it tells sequences that differ apart.
 */
export function isClosed({ batch, rows, keys }: CoupledRanks, region: VisibleRegion, subset: number): boolean {
  const [ofRows, ofKeys] = [bitsOf(rows, subset), bitsOf(keys, subset)];
  const areNeighbours = (bits: number): boolean => (bits & (bits + (bits & -bits))) === 0;
  const sequencesApart = batch !== undefined && bitsOf(batch, subset) === (1 << batch.parts) - 1;
  return (ofRows & (ofRows + 1)) === 0 && areNeighbours(ofKeys) && (sequencesApart || isUniform(region));
}

/**
 * The same over all that touched tiles hold, masked or not; a tile is what the loops of `temporal` step over. Undefined
 * for a nest in which those are not the outermost loops of their ranks, for sequences that they do not tell apart, and for a
 * subset that takes spatial loops in part.
 */
export function touchedCount(
  { batch, rows, keys }: CoupledRanks,
  region: VisibleRegion,
  boxes: readonly Float64Array[],
  bounds: readonly Float64Array[],
  temporal: number,
  subset: number,
): number | undefined {
  const sides = [rows, keys].map(own => {
    const [steps, wanted] = [bitsOf(own, temporal), bitsOf(own, subset)];
    const all = own === undefined ? 0 : (1 << own.parts) - 1;
    const prefix = (steps & (steps + 1)) === 0;
    const { chunk } = side(own, steps, boxes, bounds);
    const grain = own === undefined ? 0 : chunk(31 - Math.clz32(steps));
    return { usable: prefix && (wanted === steps || wanted === all), counted: wanted === all && all !== 0, grain };
  });
  const [ofRows, ofKeys] = sides as [(typeof sides)[number], (typeof sides)[number]];
  const sequencesApart = batch !== undefined && bitsOf(batch, temporal) === (1 << batch.parts) - 1;
  const isUsable = ofRows.usable && ofKeys.usable && (sequencesApart || (batch === undefined && isUniform(region)));
  if (!isUsable) return undefined;
  const grain = { rows: ofRows.grain, keys: ofKeys.grain };
  return overBatch(batch, region, boxes, subset, sequence =>
    withinTouched(region, sequence, grain, { rows: ofRows.counted, keys: ofKeys.counted }),
  );
}

const isUniform = ({ sequences }: VisibleRegion): boolean => sequences.length === 1;

const bitsOf = (own: CoupledRank | undefined, subset: number): number =>
  own === undefined ? 0 : (subset >>> own.shift) & ((1 << own.parts) - 1);

/**
 * The sum over the batch, or less where the subset does not tell all sequences apart: at most all classes of them together, for each
 * index of the batch's loops that it has.
 */
function overBatch(
  batch: CoupledRank | undefined,
  region: VisibleRegion,
  boxes: readonly Float64Array[],
  subset: number,
  perSequence: (sequence: SequenceClass) => number,
): number {
  let [all, together] = [0, 0];
  for (const sequence of region.sequences) {
    const own = perSequence(sequence);
    all += sequence.count * own;
    together += own;
  }
  return batch === undefined
    ? Math.min(all, together)
    : Math.min(all, together * (boxes[batch.rank]?.[bitsOf(batch, subset)] as number));
}

/** One side's subset of loops. */
interface Side {
  /** The first and the last of its parts; -1 for none. */
  readonly first: number;
  readonly last: number;
  /** Whether no part between them is missing. */
  readonly whole: boolean;
  /** The count as if nothing were masked. */
  readonly box: number;
  /** Coordinates that each index of a part stands for. */
  readonly chunk: (part: number) => number;
}

function side(
  own: CoupledRank | undefined,
  bits: number,
  boxes: readonly Float64Array[],
  bounds: readonly Float64Array[],
): Side {
  const inner = own === undefined ? [] : [...(bounds[own.rank] as Float64Array)];
  const first = 31 - Math.clz32(bits & -bits);
  const last = 31 - Math.clz32(bits);
  return {
    first,
    last,
    whole: bits === 0 || bits === (1 << (last + 1)) - 1 - ((1 << first) - 1),
    box: own === undefined ? 1 : (boxes[own.rank]?.[bits] as number),
    chunk: part => inner.slice(part + 1).reduce((product, bound) => product * bound, 1),
  };
}

function pairs(region: VisibleRegion, sequence: SequenceClass, rows: Side, keys: Side): number {
  const grain: Grain = { rows: grainOf(rows), keys: grainOf(keys) };
  if (rows.first > 0 || !rows.whole) {
    // Rows of one place in every block: at most all of them, at most all keys for each.
    const all = { ...grain, rows: 0 };
    return Math.min(touchedBy(region, sequence, grain, keys), rows.box * touchedBy(region, sequence, all, keys));
  }
  return touchedBy(region, sequence, grain, keys);
}

const grainOf = ({ last, chunk }: Side): number => (last < 0 ? 0 : chunk(last));

function touchedBy(region: VisibleRegion, sequence: SequenceClass, grain: Grain, keys: Side): number {
  if (keys.first <= 0 && keys.whole) return touched(region, sequence, grain);
  if (keys.whole) return touchedUpTo(region, sequence, grain, keys.chunk(keys.first - 1) / grain.keys);
  return Math.min(touched(region, sequence, grain), keys.box * touched(region, sequence, { ...grain, keys: 0 }));
}
