import type { EinsumMapping } from "../../spec/mapping.js";
import { type EntryOperations, operationsOf } from "./entry.js";
import type { MapArray } from "./machine.js";
import type { MapEinsum, MapperProblem } from "./problem.js";

/** Parts of a rank's tile over the instances of a fan-out; parts by their places, outermost first. */
export interface LaidParts {
  readonly rank: number;
  readonly parts: readonly number[];
}

/** Where and how one Einsum is done: its array, what lies over each fan-out, and whether loops within a tile are outside. */
export interface Place {
  readonly array: MapArray;
  /** Per fan-out of the array what lies over it; undefined for nothing. */
  readonly over: readonly (LaidParts | undefined)[];
  /** The ranks of more than one element whose tiles may lie over fan-outs. */
  readonly ranks: readonly number[];
  /** False: the loops within a tile are innermost; true: they are outside those over tiles, so that operands stay. */
  readonly stationary: boolean;
}

/** The order of loops that the Einsums of a block share: over blocks, and over the tiles of a block; ranks by their places. */
export interface LoopOrder {
  readonly outer: readonly number[];
  readonly inner: readonly number[];
  /** Ranks whose blocks are dealt to the cores, where there are several. */
  readonly dealt: readonly number[];
}

/** What an Einsum takes on an array; undefined where the array lacks an operation. */
export const operationsOn = (
  { compiled }: Pick<MapperProblem, "compiled">,
  { entry }: MapEinsum,
  { name }: MapArray,
): EntryOperations | undefined => operationsOf(entry, name, compiled.architecture.arrays);

/**
 * Every place of an Einsum: each array that has its operations, and over its fan-outs any of its ranks, or parts of their tiles. Which of
 * them a tiling has use for, `suits` says.
 */
export function placesOf(problem: MapperProblem, einsum: MapEinsum): readonly Place[] {
  return problem.arrays.flatMap(array => {
    if (operationsOn(problem, einsum, array) === undefined) return [];
    const fits = (rank: number): boolean => einsum.ranks.some(own => own.rank === rank && own.inner);
    const ranks = problem.ranks.flatMap(({ size }, rank) => (fits(rank) && size > 1 ? [rank] : []));
    // Ranks of a single element: one over instances says that they are meant to idle (`checkInstances`).
    const singles = problem.ranks.flatMap(({ size }, rank) => (fits(rank) && size === 1 ? [rank] : []));
    return laidOver(problem, array, 0, ranks, [], singles).flatMap((over): readonly Place[] => {
      const place = { array, over, ranks };
      const isWhole = (rank: number): boolean => partsInTime(problem, over, rank).length === 0;
      return [false, true].flatMap(stationary =>
        stationary && ranks.every(isWhole) ? [] : [{ ...place, stationary }],
      );
    });
  });
}

/**
 * Every way to lay ranks over the fan-outs of an array from `depth` inwards.
 * @param left ranks of which nothing is laid
 * @param begun ranks whose outer parts are laid, and whose innermost has to follow
 * @param singles ranks of one element
 */
function laidOver(
  problem: MapperProblem,
  array: MapArray,
  depth: number,
  left: readonly number[],
  begun: readonly number[],
  singles: readonly number[],
): readonly Place["over"][] {
  const { tileParts, ranks } = problem;
  const [fanout, ...within] = array.fanouts.slice(depth);
  if (fanout === undefined) return begun.length === 0 ? [[]] : [];
  const all = (rank: number): readonly number[] => (ranks[rank]?.tile ?? []).map((_, part) => part);
  const rest = (
    own: LaidParts | undefined,
    leaving = left,
    beginning = begun,
    idle = singles,
  ): readonly Place["over"][] =>
    laidOver(problem, array, depth + 1, leaving, beginning, idle).map(others => [own, ...others]);
  // One instance needs no loop over it.
  if (fanout.size === 1) return rest(undefined);
  const [single] = singles;
  const without = (rank: number, list: readonly number[]): readonly number[] => list.filter(r => r !== rank);
  const whole = left.flatMap(rank => rest({ rank, parts: all(rank) }, without(rank, left)));
  const ends = begun.flatMap(rank => rest({ rank, parts: [1] }, left, without(rank, begun)));
  const parts =
    tileParts === 1
      ? []
      : left.flatMap(rank => [
          ...rest({ rank, parts: [1] }, without(rank, left)),
          ...rest({ rank, parts: [0] }, without(rank, left), [...begun, rank]),
        ]);
  // With more fan-outs than ranks, or of several sizes, any of them may stay empty.
  const several = within.filter(({ size }) => size > 1).length;
  const mayIdle = tileParts > 1 || several >= left.length;
  const idle = single === undefined ? undefined : { rank: single, parts: all(single) };
  return [...whole, ...parts, ...ends, ...(mayIdle ? rest(idle, left, begun, singles.slice(1)) : [])];
}

/** The parts of a rank's tile that lie over no fan-out, by their places. */
export function partsInTime({ ranks }: MapperProblem, over: Place["over"], rank: number): readonly number[] {
  const laid = over.flatMap(own => (own?.rank === rank ? own.parts : []));
  return (ranks[rank]?.tile ?? []).flatMap((_, part) => (laid.includes(part) ? [] : [part]));
}

/** The loops of an Einsum at a place, over the parts of its ranks; `keep` is what it keeps. */
export function nestOf(
  problem: MapperProblem,
  einsum: MapEinsum,
  { array, over, stationary }: Place,
  { outer, inner, dealt: free }: LoopOrder,
  keep: EinsumMapping["keep"],
): EinsumMapping {
  const { ranks, dram, cores, shared, compiled } = problem;
  const { buffer, blocksAt } = array;
  const own = new Map(einsum.ranks.map(r => [r.rank, r]));
  const isLooped = (rank: number): boolean => own.get(rank)?.middle === true && ranks[rank]?.atOnce !== true;
  const middle = inner.flatMap(rank => (isLooped(rank) ? [ranks[rank]?.middle as string] : []));
  // Sums go on as long as they can: what is reduced is innermost.
  const inTime = (rank: number): readonly string[] =>
    partsInTime(problem, over, rank).map(part => ranks[rank]?.tile[part] as string);
  const within = einsum.ranks.flatMap(({ rank, inner }) => (inner && inTime(rank).length > 0 ? [rank] : []));
  const ordered = [...within.filter(r => !einsum.reduced.has(r)), ...within.filter(r => einsum.reduced.has(r))];
  const tile = ordered.flatMap(inTime);
  const outside = outer.filter(isLooped);
  const blocksOf = (list: readonly number[]): readonly string[] => list.map(rank => ranks[rank]?.outer as string);
  // A rank's tiles are around what is within them.
  const around = ordered.flatMap(rank => (isLooped(rank) ? [ranks[rank]?.middle as string] : []));
  // Of the batch as many as are worked on at once are looped over where blocks are.
  const units = ranks.flatMap((rank, r) => (rank.atOnce === true && own.has(r) ? [rank] : []));
  // What is of one element is dealt with them: cores that work on nothing else are meant to idle.
  const atOnce = [...(shared === undefined ? [] : einsum.batch), ...units.map(rank => rank.middle)];
  const batch = [...(shared === undefined ? einsum.batch : []), ...units.map(rank => rank.outer)];
  // What is dealt are loops of the memory around the cores.
  const dealsBlocks = blocksAt === (shared ?? dram);
  const dealt = [
    ...(shared === undefined ? einsum.batch : atOnce),
    ...(dealsBlocks ? blocksOf(outside.filter(rank => free.includes(rank))) : []),
  ];
  const entry = compiled.mapping.einsums[einsum.name] as EinsumMapping;
  return {
    array: array.name,
    inputs: entry.inputs,
    output: entry.output,
    operations: operationsOn(problem, einsum, array)?.operations ?? {},
    ...(entry.tensors === undefined ? {} : { tensors: entry.tensors }),
    loops: {
      // A shared level around the buffer holds what those of a batch need that are worked on at once, or nothing.
      ...(blocksAt === dram
        ? { [dram]: [...batch, ...blocksOf(outside)] }
        : { [dram]: batch, [blocksAt]: [...atOnce, ...blocksOf(outside)] }),
      [buffer]: stationary
        ? [...around, ...tile, ...middle.filter(part => !around.includes(part))]
        : [...middle, ...tile],
      ...Object.fromEntries(
        array.fanouts.map(({ level }, i) => {
          const own = over[i];
          return [level, own === undefined ? [] : own.parts.map(part => ranks[own.rank]?.tile[part] as string)];
        }),
      ),
    },
    ...(cores === undefined || dealt.length === 0 ? {} : { spread: { [cores]: dealt } }),
    keep,
  };
}

/**
 * The ranks over which no Einsum of a block sums, and along which none goes step by step: blocks of them are work of their own for all,
 * and the same core has what one Einsum hands to another. Where DRAM is around the cores, Einsums that go step by step along any rank keep
 * blocks of all theirs to one core, which finds there what the block before left.
 */
export const dealtRanks = (
  { ranks, shared }: Pick<MapperProblem, "ranks" | "shared">,
  einsums: readonly MapEinsum[],
): readonly number[] =>
  ranks.flatMap(({ outer, middle, atOnce }, rank) => {
    const own = einsums.filter(({ ranks: its }) => its.some(r => r.rank === rank && r.middle));
    const isStep = ({ placed: { iterates } }: MapEinsum): boolean =>
      iterates !== null && (shared === undefined || iterates === outer || iterates === middle);
    const isFree = own.every(einsum => !einsum.reduced.has(rank) && !isStep(einsum));
    return isFree && atOnce !== true ? [rank] : [];
  });
