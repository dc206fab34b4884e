import type { Cascade } from "../../einsum/cascade.js";
import { passesOver } from "../../einsum/passes.js";
import { variantOf } from "../action-counts.js";
import type { CompiledDesign } from "../compile.js";
import type { CompiledEinsum } from "../compile-einsum.js";

/** A loop in time of an Einsum: a part of a rank, or a rank that is not cut. */
export interface TimeLoop {
  readonly name: string;
  readonly rank: string;
  readonly bit: number;
  readonly side: "rows" | "keys" | "batch" | "other";
}

/** The loops that all Einsums of a design walk together; one iteration of them is a tile. */
export interface TileNest {
  readonly einsums: readonly CompiledEinsum[];
  readonly loops: readonly TimeLoop[];
  /** The loop from one key tile to the next, over which values are carried. */
  readonly iterative: TimeLoop;
  /** Per carried tensor, by the name under which it is read, the Einsum that leaves it. */
  readonly carried: ReadonlyMap<string, string>;
}

/** The loops of an Einsum in time, outermost first. */
export function timeLoops({ shape, ranks, coupled }: CompiledEinsum): readonly TimeLoop[] {
  return shape.loops.flatMap(({ level, bit }): TimeLoop[] => {
    if (shape.levels[level]?.spatial === true) return [];
    const at = shape.ranks.findIndex(({ shift, parts }) => bit >= shift && bit < shift + parts);
    const rank = ranks[at];
    const name = rank?.parts[bit - rank.shift];
    if (rank === undefined || name === undefined) return [];
    const side =
      coupled?.rows?.rank === at
        ? "rows"
        : coupled?.keys?.rank === at
          ? "keys"
          : coupled?.batch?.rank === at
            ? "batch"
            : "other";
    return [{ name, rank: rank.name, bit, side }];
  });
}

/**
 * The loops that the design's Einsums share, if it works tile by tile: one phase, and values carried from one key tile to
 * the next. Einsums without the loop over key tiles run before or after it.
 * @returns in words why there is none: then a tile is done only when all of a head is
 */
export function tileNest(compiled: CompiledDesign, values: Float64Array): TileNest | string {
  if (compiled.phases.length > 1) return `${compiled.phases.length} phases, one after the other`;
  const einsums = compiled.einsums.map(einsum => variantOf(einsum, values));
  const outputs = new Map(einsums.map(einsum => [outputOf(einsum), einsum.name]));
  const carried = new Map<string, string>();
  for (const { shape } of einsums) {
    for (const { name } of shape.tensors) {
      const maker = outputs.get(compiled.mapping.inPlace?.[name] ?? name);
      if (maker !== undefined && !outputs.has(name)) carried.set(name, maker);
    }
  }
  const walks = einsums.map(timeLoops);
  const iterative = walks
    .flat()
    .find(
      ({ name, rank, side }) =>
        side === "keys" &&
        name !== rank &&
        [...carried.keys()].some(tensor => compiled.mapping.tensors[tensor]?.includes(name)),
    );
  if (iterative === undefined) return "no value is carried from one tile of keys to the next";
  const passes = passesOf(compiled.design.cascade, iterative);
  if (passes > 1) return `its cascade makes ${passes} passes over ${iterative.rank}`;
  const loops: TimeLoop[] = [];
  const at = walks.map(() => 0);
  for (;;) {
    const heads = walks.map((walk, i) => walk[at[i] as number]);
    const everywhere = heads[0] !== undefined && heads.every(loop => loop?.name === heads[0]?.name);
    const lacks = (i: number): boolean => walks[i]?.every(({ rank }) => rank !== iterative.rank) === true;
    const next = everywhere
      ? heads[0]
      : heads.every((loop, i) => loop?.name === iterative.name || lacks(i))
        ? iterative
        : undefined;
    if (next === undefined) break;
    loops.push(next);
    heads.forEach((loop, i) => {
      if (loop?.name === next.name) at[i] = (at[i] as number) + 1;
    });
  }
  if (!loops.some(({ name }) => name === iterative.name)) {
    return `its Einsums share no loop over tiles of keys (${iterative.name})`;
  }
  return { einsums, loops, iterative, carried };
}

const passesKnown = new WeakMap<Cascade, Map<string, number>>();

/** The passes that a cascade makes over the rank of a loop; 1 where there is no cascade to ask. */
function passesOf(cascade: Cascade | undefined, { rank, name }: TimeLoop): number {
  if (cascade === undefined) return 1;
  const known = passesKnown.get(cascade) ?? new Map<string, number>();
  passesKnown.set(cascade, known);
  const found = cascade.ranks.byName(rank) ?? cascade.ranks.ranks.find(({ parts }) => parts.includes(name));
  const passes = known.get(rank) ?? (found === undefined ? 1 : passesOver(cascade, found).passes);
  known.set(rank, passes);
  return passes;
}

export const outputOf = ({ shape }: CompiledEinsum): string => shape.tensors.find(({ output }) => output)?.name ?? "";
