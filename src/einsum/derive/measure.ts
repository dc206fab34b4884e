import { barriersOf } from "../barriers.js";
import type { Cascade } from "../cascade.js";
import { footprintsOf } from "../footprint.js";
import { countOperations, type OperationCount } from "../operations.js";
import { passesOver } from "../passes.js";
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
    live: all.flatMap(own =>
      footprintsOf(cascade, own, barriersOf(cascade, own)).map(({ tensor, elements }) => `${tensor}: ${elements}`),
    ),
    operations,
    work: operations.reduce((sum, { value }) => sum + Number(value ?? 0n), 0),
  };
}

/** Fewer passes, then fewer live fibers, then less work. Negative where `a` is better. */
export function compareMeasures(a: Measure, b: Measure): number {
  return a.passes - b.passes || a.live.length - b.live.length || a.work - b.work;
}
