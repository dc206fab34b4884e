import { AlongRank, digitOf, whole as wholeFiber } from "./along-rank.js";
import { type Bits, hasBit, meet, shared } from "./bits.js";
import type { Cascade } from "./cascade.js";
import { type Consumption, consumptionOf, type Reader } from "./consumption.js";
import type { Einsum } from "./einsum.js";
import { type Origins, originsOf } from "./origins.js";
import type { Rank } from "./ranks.js";

/** The passes and stages of every Einsum over one rank (FuseMax section III), for any mapping. */
export interface RankPasses {
  readonly rank: Rank;
  readonly passes: number;
  readonly stages: number;
  /** By Einsum: its pass, its stage, and whether it ranges over the rank. */
  readonly einsums: readonly { readonly pass: number; readonly stage: number; readonly along: boolean }[];
  /** Ranks of iterations of which each step makes as many passes as are counted. */
  readonly perIterationOf: readonly string[];
  readonly consumption: Consumption;
  readonly origins: Origins;
}

/** Whether some Einsum ranges over the rank or over a part of it. */
export function rangesOver(cascade: Cascade, rank: Rank): boolean {
  const along = new AlongRank(cascade, rank.parts);
  return cascade.einsums.some(einsum => along.ranges(einsum));
}

/**
 * Counts the passes over one rank. An Einsum is one stage after each Einsum whose whole fiber its elements need, and
 * one pass after it if both read, along the rank, tensors with a common origin. An iteration over the rank whose every
 * step reads a whole fiber makes passes without end: there, as for iterations over other ranks, those of one step are
 * counted.
 */
export function passesOver(cascade: Cascade, rank: Rank, origins: Origins = originsOf(cascade)): RankPasses {
  const { einsums, dependence } = cascade;
  const consumption = consumptionOf(cascade, rank.parts, origins);
  const { readers, needed, whole } = consumption;
  const along = einsums.map(einsum => consumption.along.ranges(einsum));
  const pass = einsums.map(() => 1);
  const stage = einsums.map(() => 1);
  const ownReaders = consumption.readersOf.map(own => own.map(r => readers[r] as Reader));

  const loops = dependence.groups.filter(({ loop, einsums: members }) => {
    const part = rank.parts.indexOf(loop ?? "");
    return (
      part !== -1 &&
      members.some(i => ownReaders[i]?.some(({ extent }) => digitOf(extent, part, rank.parts.length) === wholeFiber))
    );
  });
  const perStep = new Set(loops.flatMap(group => group.einsums));

  const update = (i: number, own: readonly Reader[], finished: readonly Reader[]): boolean => {
    let [p, s] = [pass[i] as number, stage[i] as number];
    for (const { from, carried, read } of dependence.edges[i] ?? []) {
      if (carried && !rank.parts.includes(loopRank(cascade, read.tensor))) continue;
      if (carried && perStep.has(i) && perStep.has(from)) continue;
      p = Math.max(p, pass[from] as number);
      s = Math.max(s, stage[from] as number);
    }
    for (const reader of finished) {
      s = Math.max(s, 1 + (stage[reader.einsum] as number));
      if (p <= (pass[reader.einsum] as number) && own.some(r => shareOrigin(r, reader, origins))) {
        p = 1 + (pass[reader.einsum] as number);
      }
    }
    const changed = p !== pass[i] || s !== stage[i];
    pass[i] = p;
    stage[i] = s;
    return changed;
  };

  for (const group of dependence.groups) {
    // A step of an iteration takes from the one before it what later lines of that one left.
    let changed = true;
    while (changed) {
      changed = false;
      for (const i of group.einsums) {
        const finished = along[i] ? readers.filter((_, r) => needed[i]?.[r] === whole) : [];
        changed = update(i, ownReaders[i] ?? [], finished) || changed;
      }
    }
  }
  return {
    rank,
    passes: Math.max(...pass),
    stages: Math.max(...stage),
    einsums: einsums.map((_, i) => ({ pass: pass[i] ?? 1, stage: stage[i] ?? 1, along: along[i] ?? false })),
    perIterationOf: [
      ...new Set([...iterationsAround(cascade, rank, along), ...loops.flatMap(({ loop }) => loop ?? [])]),
    ],
    consumption,
    origins,
  };
}

/** The rank over which a tensor iterates. */
function loopRank(cascade: Cascade, tensor: string): string {
  const variable = cascade.tensors.get(tensor)?.iterative?.variable;
  return variable === undefined ? "" : cascade.ranks.ofVariable(variable).name;
}

type Reached = Pick<Reader, "origins">;

/** Whether two readers read, along every part of the rank, one tensor or tensors derived from one. */
export function shareOrigin(a: Reached, b: Reached, origins: Origins): boolean {
  const [x, y] = [a.origins[0] as Bits, b.origins[0] as Bits];
  // One part: any place in common is a tensor in common. More: the same tensor must be reached along every part.
  return a.origins.length === 1 ? meet(x, y) : commonTensors(a, b, origins).size > 0;
}

/** The tensors that both readers reach along every part of the rank. */
export function commonTensors(a: Reached, b: Reached, origins: Origins): Set<string> {
  const byPart = a.origins.map((bits, part) => shared(bits, b.origins[part] as Bits).map(origins.tensorOf));
  return new Set(byPart.reduce((all, here) => all.filter(tensor => here.includes(tensor))));
}

/** Iterations over other ranks whose steps hold Einsums that range over this one. */
function iterationsAround(cascade: Cascade, rank: Rank, along: readonly boolean[]): string[] {
  const found = new Set<string>();
  const loops = new Set(
    [...cascade.tensors.values()].flatMap(({ iterative }) =>
      iterative === null ? [] : [cascade.ranks.ofVariable(iterative.variable).name],
    ),
  );
  for (const [i, einsum] of cascade.einsums.entries()) {
    if (!along[i]) continue;
    for (const variable of einsum.free) {
      const name = cascade.ranks.ofVariable(variable).name;
      if (loops.has(name) && !rank.parts.includes(name) && usesIteration(cascade, einsum, variable)) found.add(name);
    }
  }
  return [...found];
}

/** Whether an Einsum reads or writes, at a variable, a tensor that iterates over it. */
function usesIteration(cascade: Cascade, einsum: Einsum, variable: string): boolean {
  if (einsum.iteration?.variable === variable) return true;
  return einsum.reads.some(read => {
    const position = cascade.tensors.get(read.tensor)?.iterative?.position;
    if (position === undefined) return false;
    return read.indices[position]?.terms.some(term => term.variable === variable) ?? false;
  });
}

/** Whether a reader reaches the tensor along every part of the rank. */
export function reaches(reader: Reader, tensor: string, ranks: number, origins: Origins): boolean {
  const places = Array.from({ length: ranks }, (_, position) => origins.place(tensor, position));
  return reader.origins.every(bits => places.some(place => hasBit(bits, place)));
}
