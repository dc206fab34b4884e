import type { EinsumMapping } from "../../spec/mapping.js";
import { peOperations } from "../../spec/pe-operations.js";
import type { MapArray } from "./machine.js";
import type { MapEinsum, MapperProblem } from "./problem.js";

/** Where and how one Einsum is done: its array, the rank over each fan-out, and whether loops within a tile are outside. */
export interface Place {
  readonly array: MapArray;
  /** Per fan-out of the array the rank whose tile lies over it, by its place; undefined for none. */
  readonly over: readonly (number | undefined)[];
  /** False: the loops within a tile are innermost; true: they are outside those over tiles, so that operands stay. */
  readonly stationary: boolean;
}

/** The order of loops that the Einsums of a block share: over blocks, and over the tiles of a block; ranks by their places. */
export interface LoopOrder {
  readonly outer: readonly number[];
  readonly inner: readonly number[];
}

/** What an Einsum takes on an array; undefined where the array lacks an operation. */
export function operationsOn(
  { compiled }: MapperProblem,
  { placed }: MapEinsum,
  array: MapArray,
): EinsumMapping["operations"] | undefined {
  const units = compiled.architecture.arrays[array.name]?.operations ?? {};
  const operations = peOperations(placed.einsum, operation => Object.hasOwn(units, operation));
  return Object.keys(operations).every(operation => Object.hasOwn(units, operation)) ? operations : undefined;
}

/**
 * Every place of an Einsum: each array that has its operations, and over its fan-outs any of its ranks, one each, none left
 * empty while a rank is left.
 */
export function placesOf(problem: MapperProblem, einsum: MapEinsum): readonly Place[] {
  return problem.arrays.flatMap(array => {
    if (operationsOn(problem, einsum, array) === undefined) return [];
    const fits = (rank: number): boolean => einsum.ranks.some(own => own.rank === rank && own.inner);
    const ranks = problem.ranks.flatMap(({ size }, rank) => (fits(rank) && size > 1 ? [rank] : []));
    // Ranks of a single element: one over instances says that they are meant to idle (`checkInstances`).
    const singles = problem.ranks.flatMap(({ size }, rank) => (fits(rank) && size === 1 ? [rank] : []));
    const overs = (
      depth: number,
      left: readonly number[],
      [idle, ...others]: readonly number[] = singles,
    ): readonly (readonly (number | undefined)[])[] => {
      const [fanout, ...within] = array.fanouts.slice(depth);
      if (fanout === undefined) return [[]];
      // One instance needs no loop over it.
      if (fanout.size === 1) return overs(depth + 1, left, singlesOf(idle, others)).map(rest => [undefined, ...rest]);
      // With more fan-outs than ranks any of them may stay empty.
      const several = within.filter(({ size }) => size > 1).length;
      const open = several >= left.length ? overs(depth + 1, left, others).map(rest => [idle, ...rest]) : [];
      const taken = left.flatMap(rank =>
        overs(
          depth + 1,
          left.filter(r => r !== rank),
          singlesOf(idle, others),
        ).map(rest => [rank, ...rest]),
      );
      return [...taken, ...open];
    };
    return overs(0, ranks).flatMap((over): readonly Place[] => {
      const within = ranks.some(rank => !over.includes(rank));
      return within
        ? [
            { array, over, stationary: false },
            { array, over, stationary: true },
          ]
        : [{ array, over, stationary: false }];
    });
  });
}

const singlesOf = (first: number | undefined, others: readonly number[]): readonly number[] =>
  first === undefined ? others : [first, ...others];

/** The loops of an Einsum at a place, over the parts of its ranks; `keep` is what it keeps. */
export function nestOf(
  problem: MapperProblem,
  einsum: MapEinsum,
  { array, over, stationary }: Place,
  { outer, inner }: LoopOrder,
  keep: EinsumMapping["keep"],
): EinsumMapping {
  const { ranks, dram, buffer, cores, compiled } = problem;
  const own = new Map(einsum.ranks.map(r => [r.rank, r]));
  const middle = inner.flatMap(rank => (own.get(rank)?.middle === true ? [ranks[rank]?.middle as string] : []));
  // Sums go on as long as they can: what is reduced is innermost.
  const within = einsum.ranks.filter(({ rank, inner }) => inner && !over.includes(rank)).map(({ rank }) => rank);
  const ordered = [...within.filter(r => !einsum.reduced.has(r)), ...within.filter(r => einsum.reduced.has(r))];
  const tile = ordered.flatMap(rank => ranks[rank]?.inner ?? []);
  // A rank's tiles are around what is within them.
  const around = ordered.flatMap(rank => (own.get(rank)?.middle === true ? [ranks[rank]?.middle as string] : []));
  const blocks = outer.flatMap(rank => (own.get(rank)?.middle === true ? [ranks[rank]?.outer as string] : []));
  const dealt = [
    ...einsum.batch,
    ...blocks.filter((_, i) => isFree(einsum, outer.filter(r => own.get(r)?.middle === true)[i] as number)),
  ];
  const entry = compiled.mapping.einsums[einsum.name] as EinsumMapping;
  return {
    array: array.name,
    inputs: entry.inputs,
    output: entry.output,
    operations: operationsOn(problem, einsum, array) ?? {},
    ...(entry.tensors === undefined ? {} : { tensors: entry.tensors }),
    loops: {
      [dram]: [...einsum.batch, ...blocks],
      [buffer]: stationary
        ? [...around, ...tile, ...middle.filter(part => !around.includes(part))]
        : [...middle, ...tile],
      ...Object.fromEntries(
        array.fanouts.map(({ level }, i) => {
          const rank = over[i];
          return [level, rank === undefined ? [] : [ranks[rank]?.inner as string]];
        }),
      ),
    },
    ...(cores === undefined || dealt.length === 0 ? {} : { spread: { [cores]: dealt } }),
    keep,
  };
}

/** Whether an Einsum neither sums over a rank nor goes along it step by step: blocks of it are work of their own. */
const isFree = ({ reduced, placed }: MapEinsum, rank: number): boolean =>
  !reduced.has(rank) && placed.iterates === null;
