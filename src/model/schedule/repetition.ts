/** What has been counted so far: cycles, tiles, and every counter. */
export interface Tally {
  cycle: number;
  tiles: number;
  /** The cycle of the last output, plus one. */
  end: number;
  readonly counters: Float64Array;
}

interface Seen {
  readonly index: number;
  readonly tally: Tally;
}

/** What comes between two turns of a loop at which the same state is met. */
export interface Period {
  readonly turns: number;
  readonly cycles: number;
  readonly tiles: number;
  readonly before: Tally;
}

const copyOf = (tally: Tally): Tally => ({ ...tally, counters: tally.counters.slice() });

/**
 * The states met at the turns of one loop. A simulation is deterministic: where the same state comes back, with tiles of the
 * same kinds to come, the same follows.
 */
export class Repetition {
  private readonly seen = new Map<string | number, Seen>();

  clear(): void {
    this.seen.clear();
  }

  /** Notes the state at a turn; the period where it was met before. */
  meet(state: string | number, index: number, tally: Tally): Period | null {
    const before = this.seen.get(state);
    if (before === undefined) {
      this.seen.set(state, { index, tally: copyOf(tally) });
      return null;
    }
    this.seen.clear();
    return {
      turns: index - before.index,
      cycles: tally.cycle - before.tally.cycle,
      tiles: tally.tiles - before.tally.tiles,
      before: before.tally,
    };
  }
}

/** Counts so many more periods. */
export function repeat(tally: Tally, { before, cycles, tiles }: Period, times: number): void {
  const outputs = tally.end > before.end;
  for (let i = 0; i < tally.counters.length; i++) {
    const now = tally.counters[i] as number;
    tally.counters[i] = now + times * (now - (before.counters[i] as number));
  }
  tally.cycle += times * cycles;
  tally.tiles += times * tiles;
  if (outputs) tally.end += times * cycles;
}
