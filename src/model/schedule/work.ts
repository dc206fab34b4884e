import type { KeyMask } from "../../attention/sequences.js";
import { windowOf } from "../../attention/window.js";
import { SpecError } from "../../errors.js";
import type { TileWork } from "../../spec/schedule/machine.js";
import { rankCounts } from "../action-counts.js";
import type { CompiledDesign } from "../compile.js";
import type { CompiledEinsum } from "../compile-einsum.js";
import { tuples } from "../loop-nest.js";
import type { Sizes } from "../sizes.js";
import type { TileNest, TimeLoop } from "./tile-nest.js";

/**
 * The loop nest that a design walks tile by tile. Loops outside the one over key tiles make heads and blocks; those inside it
 * make the query tiles that share a key tile. Throws SpecError for a nest that is none of that kind.
 */
export function tileWork(
  compiled: CompiledDesign,
  nest: TileNest,
  sizes: Sizes,
  values: Float64Array,
  mask: KeyMask | undefined,
): TileWork {
  const work = workOf(compiled, nest, sizes, values, mask);
  const { heads, headTiles, blockTiles, tileRows, tileKeys } = work;
  // Loops over what is no tile would never end.
  const wrong = [heads, ...headTiles, blockTiles, tileRows, tileKeys].find(n => !(Number.isInteger(n) && n >= 1));
  if (wrong === undefined) return work;
  throw new SpecError({
    where: compiled.design.mapping.at(["partitions"]),
    got: `tiles of ${wrong}`,
    expected: "whole numbers from 1 up",
  });
}

function workOf(
  compiled: CompiledDesign,
  nest: TileNest,
  sizes: Sizes,
  values: Float64Array,
  mask: KeyMask | undefined,
): TileWork {
  const { loops, iterative } = nest;
  // The Einsum that has every loop says how large they are.
  const einsum =
    nest.einsums.find(own => loops.every(({ name }) => partOf(own, name) !== undefined)) ?? nest.einsums[0];
  if (einsum === undefined) throw noWork(compiled, "no Einsum with all loops of the tiles");
  const boxes = rankCounts(einsum, values);
  const countOf = (chosen: readonly TimeLoop[]): number =>
    tuples(
      einsum.shape,
      boxes,
      chosen.reduce((bits, { name }) => bits | (1 << (partOf(einsum, name) as number)), 0),
    );
  const chunk = (rank: string, side: "rows" | "keys"): number => {
    const own = einsum.ranks.find(({ name }) => name === rank);
    const inNest = loops.filter(loop => loop.rank === rank);
    const last = inNest.at(-1);
    if (own === undefined || last === undefined) throw noWork(compiled, `no loop in time over tiles of ${side}`);
    if (own.bounds.length === 0) return 1;
    return own.bounds
      .slice(own.parts.indexOf(last.name) + 1)
      .reduce((product, slot) => product * (values[slot] as number), 1);
  };
  const at = loops.findIndex(({ name }) => name === iterative.name);
  const [outside, inside] = [loops.slice(0, at), loops.slice(at + 1)];
  if (loops.filter(({ side }) => side === "keys").length > 1) throw noWork(compiled, "keys that are cut twice in time");
  const queries = loops.find(({ side }) => side === "rows");
  const shared = inside.filter(({ side }) => side === "other" || side === "batch");
  if (shared.some(({ side }) => side === "batch") && mask !== undefined) {
    throw noWork(compiled, "sequences of a batch that share a block of queries, and a mask");
  }
  // Without a loop over tiles of queries all of them are one tile.
  const rank = queries?.rank ?? einsum.ranks[einsum.coupled?.rows?.rank ?? -1]?.name;
  const rows = rank === undefined ? 1 : (values[einsum.ranks.find(({ name }) => name === rank)?.size ?? -1] as number);
  const group = rows / sizes.queries;
  const batchLoops = outside.filter(({ side }) => side === "batch");
  const batch = countOf(batchLoops);
  const lengths = mask?.sequences ?? [{ count: batch, queries: sizes.queries, keys: sizes.M }];
  return {
    sequences: (batchLoops.length > 0 ? lengths : longestOf(lengths)).map(sequence => ({
      ...sequence,
      rows: sequence.queries * group,
    })),
    group,
    window: mask === undefined ? { left: -1, right: -1 } : windowOf(mask),
    ...headsOf(compiled, einsum, outside, shared, values, countOf),
    blockTiles: Math.max(1, countOf(inside.filter(({ side }) => side === "rows"))),
    tileRows: queries === undefined ? rows : chunk(queries.rank, "rows"),
    tileKeys: chunk(iterative.rank, "keys"),
  };
}

/** Each is a number of its own. */
const mostHeadTiles = 1_000_000;

/** Heads one after the other, and those whose query tiles are in one block: a rank may be cut between the two. */
function headsOf(
  compiled: CompiledDesign,
  einsum: CompiledEinsum,
  outside: readonly TimeLoop[],
  shared: readonly TimeLoop[],
  values: Float64Array,
  countOf: (loops: readonly TimeLoop[]) => number,
): Pick<TileWork, "heads" | "headTiles"> {
  const others = outside.filter(({ side }) => side === "other");
  const cut = [...new Set(shared.map(({ rank }) => rank))].filter(rank => others.some(loop => loop.rank === rank));
  if (cut.length > 1) throw noWork(compiled, `${cut.join(" and ")} both cut around the tiles of keys`);
  const [rank] = cut;
  const heads = countOf(others.filter(loop => loop.rank !== rank));
  const within = countOf(shared);
  const size = values[einsum.ranks.find(({ name }) => name === rank)?.size ?? -1];
  if (rank === undefined || size === undefined) return { heads, headTiles: [within] };
  const each = countOf(shared.filter(loop => loop.rank === rank));
  const besides = within / each;
  if (!(size / each <= mostHeadTiles)) throw noWork(compiled, `${size / each} heads of one block`);
  const headTiles = Array.from({ length: Math.ceil(size / each) }, (_, i) => Math.min(each, size - i * each) * besides);
  return { heads, headTiles };
}

const partOf = (einsum: CompiledEinsum, name: string): number | undefined => {
  const rank = einsum.ranks.find(({ parts }) => parts.includes(name));
  return rank === undefined ? undefined : rank.shift + rank.parts.indexOf(name);
};

function longestOf<T extends { readonly queries: number; readonly keys: number }>(sequences: readonly T[]) {
  const longest = sequences.reduce((a, b) => (b.queries * b.keys > a.queries * a.keys ? b : a));
  return [{ ...longest, count: 1 }];
}

const noWork = (compiled: CompiledDesign, got: string): SpecError =>
  new SpecError({
    where: compiled.design.mapping.at(["einsums"]),
    got,
    expected: "loops over heads and blocks of queries, over tiles of keys, over tiles of queries, in this order",
  });
