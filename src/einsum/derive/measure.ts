import { barriersOf } from "../barriers.js";
import type { Cascade } from "../cascade.js";
import { footprintsOf } from "../footprint.js";
import { countOperations, type OperationCount } from "../operations.js";
import { passesOver, type RankPasses } from "../passes.js";
import type { Rank } from "../ranks.js";
import { splitOf } from "../split.js";

/** What cascades of one function are compared by. */
export interface Measure {
  readonly passes: number;
  /** Fibers that must live between passes over the rank, or over its tiles: `QK: M`. */
  readonly live: readonly string[];
  readonly operations: readonly OperationCount[];
  /** All operations, where every rank has 64 coordinates and its parts an equal share. */
  readonly work: number;
}

/** Small, so that points under a filter are soon counted; large enough that tiles are fewer than elements. */
const nominalSize = 64;

export function measureOf(cascade: Cascade, rank: Rank): Measure {
  const parts = new Map<string, number>();
  for (const whole of cascade.ranks.ranks) {
    const size = Math.round(nominalSize ** (1 / whole.parts.length));
    if (whole.parts.length > 1) for (const part of whole.parts) parts.set(part, size);
  }
  const operations = countOperations(cascade, name => parts.get(name) ?? nominalSize);
  const analysis = passesOver(cascade, rank);
  // Of a rank in tiles, what each tile leaves may live as well.
  const outer = rank.parts.length > 1 ? cascade.ranks.byName(splitOf(cascade, rank)[0] ?? "") : undefined;
  const all = outer === undefined ? [analysis] : [analysis, passesOver(cascade, outer)];
  return {
    passes: analysis.passes,
    live: all.flatMap(own => {
      const kept = new Set(
        footprintsOf(cascade, own, barriersOf(cascade, own)).flatMap(({ tensor }) => keptFor(cascade, own, tensor)),
      );
      return [...kept].map(tensor => `${tensor}: ${own.rank.name}`);
    }),
    operations,
    work: operations.reduce((sum, { value }) => sum + Number(value ?? 0n), 0),
  };
}

/**
 * What has to be kept for a tensor that a later pass reads: the inputs that it can be made of in that pass where no earlier pass reads
 * it, else the tensor itself.
 */
function keptFor(cascade: Cascade, analysis: RankPasses, tensor: string): readonly string[] {
  const writer = cascade.tensors.get(tensor)?.writer ?? null;
  if (writer === null) return [tensor];
  if (latestPass(cascade, analysis, writer) <= (analysis.einsums[writer]?.pass ?? 1)) return [tensor];
  const along = new Set(analysis.consumption.along.reads(writer).map(({ read }) => read.tensor));
  const kept = [...along].flatMap(name => keptFor(cascade, analysis, name));
  return kept.every(name => cascade.inputs.includes(name)) ? kept : [tensor];
}

/** The latest pass in which an Einsum can be computed: when it is first read, unless it reduces the rank or iterates. */
function latestPass(cascade: Cascade, analysis: RankPasses, i: number): number {
  const { einsums, consumption } = analysis;
  const own = cascade.einsums[i];
  const pass = einsums[i]?.pass ?? 1;
  if (own === undefined || own.iteration !== null || einsums[i]?.along !== true) return pass;
  if (own.reduced.some(variable => consumption.along.covered(variable).length > 0)) return pass;
  const readers = cascade.einsums.flatMap(({ reads }, r) =>
    reads.some(read => read.tensor === own.tensor) ? [latestPass(cascade, analysis, r)] : [],
  );
  return readers.length === 0 ? pass : Math.min(...readers);
}

/** Fewer passes, then fewer live fibers, then less work. Negative where `a` is better. */
export function compareMeasures(a: Measure, b: Measure): number {
  return a.passes - b.passes || a.live.length - b.live.length || a.work - b.work;
}
