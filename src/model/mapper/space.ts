import type { BoundedBlock } from "./least.js";
import type { OptionLibrary } from "./option.js";
import type { MapperProblem } from "./problem.js";
import type { RankCut } from "./tiling.js";
import { factorial, type TilingSpace } from "./tiling-space.js";

/**
 * The mappings of a problem: every path of blocks from the first Einsum to the last, and of each block every tiling, with every place of
 * each Einsum that the tiling has use for, and every set of levels that may keep each of its tensors.
 */
export function countMappings(
  problem: MapperProblem,
  library: OptionLibrary,
  blocks: readonly BoundedBlock[],
  spaceOf: (block: BoundedBlock) => TilingSpace,
): bigint {
  const count = Array.from({ length: problem.einsums.length + 1 }, () => 0n);
  count[0] = 1n;
  for (const block of [...blocks].sort((a, b) => a.to - b.to || a.from - b.from)) {
    const before = count[block.from] as bigint;
    const own = before === 0n ? 0n : before * countOfBlock(problem, library, block, spaceOf(block));
    count[block.to] = (count[block.to] as bigint) + own;
  }
  return count[problem.einsums.length] as bigint;
}

/** By how many loops over blocks and how many over tiles iterate (rows and columns), ways to cut some ranks. */
type ByLoops = readonly (readonly number[])[];

/** Which places an Einsum has depends on the tiles of its ranks alone: tilings are counted together that have the same. */
function countOfBlock(
  problem: MapperProblem,
  library: OptionLibrary,
  { from, to }: BoundedBlock,
  space: TilingSpace,
): bigint {
  const { choices, own, units } = space;
  const cut: RankCut[] = choices.map(([first]) => first as RankCut);
  const einsums = Array.from({ length: to - from }, (_, e) => from + e);
  const keeps = einsums.map(e => keepsOf(problem, library, e));
  const known = einsums.map(() => new Map<readonly number[], bigint>());
  const waysOf = (i: number): bigint => {
    const places = library.suitedTo(einsums[i] as number, { cut });
    const ways = known[i]?.get(places) ?? places.reduce((sum, p) => sum + (keeps[i]?.[p] ?? 0n), 0n);
    known[i]?.set(places, ways);
    return ways;
  };
  // Each Einsum counts as soon as its last rank is cut.
  const hasRank = (e: number, r: number): boolean => problem.einsums[e]?.ranks.some(({ rank }) => rank === r) === true;
  const lastOf = einsums.map(e => own.findLastIndex(r => hasRank(e, r)));
  const product = (depth: number): bigint =>
    einsums.reduce((ways, _, i) => (lastOf[i] === depth && ways > 0n ? ways * waysOf(i) : ways), 1n);
  const alike = own.map(rank => groupsOf(library, einsums, rank, choices[rank] ?? []));
  const below = (depth: number, ways: bigint, loops: ByLoops): bigint => {
    if (ways === 0n) return 0n;
    const rank = own[depth];
    if (rank === undefined) return ways * ordersIn(loops);
    return (alike[depth] ?? []).reduce((sum, group) => {
      cut[rank] = group[0] as RankCut;
      return sum + below(depth + 1, ways * product(depth), joined(loops, group));
    }, 0n);
  };
  return BigInt(units) * below(0, product(-1), [[1]]);
}

/** Ways to cut a rank, together where the same places of all Einsums suit their tiles. */
function groupsOf(
  library: OptionLibrary,
  einsums: readonly number[],
  rank: number,
  choices: readonly RankCut[],
): readonly (readonly RankCut[])[] {
  const byTile = new Map<string, RankCut[]>();
  for (const choice of choices) {
    const key = choice.tile.join();
    byTile.set(key, [...(byTile.get(key) ?? []), choice]);
  }
  const groups = new Map<string, RankCut[]>();
  for (const cuts of byTile.values()) {
    const tile = cuts[0]?.tile ?? [];
    const key = einsums.map(e => library.suitedPlaces(e).suitingKey(rank, tile)).join(" ");
    groups.set(key, [...(groups.get(key) ?? []), ...cuts]);
  }
  return [...groups.values()];
}

/** By place of an Einsum, sets of levels that may keep its tensors there: its registers keep all, any other memory may. */
function keepsOf(problem: MapperProblem, library: OptionLibrary, einsum: number): readonly bigint[] {
  const { levels } = problem.compiled.architecture;
  const tensors = library.tensorsOf(einsum).length;
  const ofArray = new Map(
    problem.arrays.map(array => {
      const memories = array.levels.filter(level => levels[level]?.kind !== "fanout").length;
      return [array, 2n ** BigInt((memories - 1) * tensors)];
    }),
  );
  return library.placesOf(einsum).map(({ array }) => ofArray.get(array) ?? 0n);
}

/** Ways to cut some ranks and one more. */
function joined(loops: ByLoops, cuts: readonly RankCut[]): ByLoops {
  const found: number[][] = Array.from({ length: loops.length + 1 }, () => Array(loops.length + 1).fill(0));
  for (const { outer, middle } of cuts) {
    const [o, m] = [outer > 1 ? 1 : 0, middle > 1 ? 1 : 0];
    loops.forEach((row, i) => {
      row.forEach((ways, j) => {
        const to = found[i + o] as number[];
        to[j + m] = (to[j + m] as number) + ways;
      });
    });
  }
  return found;
}

const ordersIn = (loops: ByLoops): bigint =>
  BigInt(loops.reduce((sum, row, i) => sum + row.reduce((s, ways, j) => s + ways * factorial(i) * factorial(j), 0), 0));
