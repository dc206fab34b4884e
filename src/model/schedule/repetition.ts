/** What was counted: cycles, tiles, and every counter. */
export interface Tally {
  cycle: number;
  tiles: number;
  readonly counters: Float64Array;
}

/** What comes between two iterations of a loop at which the same state is met. */
export interface Period {
  readonly iterations: number;
  /** What it counts. */
  readonly tally: Tally;
}

/** The loops of a walk, the innermost first. */
export const loops = ["tiles", "rows", "blocks", "heads"] as const;
export type Loop = (typeof loops)[number];

/**
 * What was counted, loop by loop: what an iteration of an inner loop counts goes to the next one when that begins anew. So
 * differences between iterations stay exact, however long the run is.
 */
export class Tallies {
  private readonly levels: Readonly<Record<Loop, Tally>>;
  /** The cycle of the last output, plus one. */
  end = Number.NEGATIVE_INFINITY;

  /** @param counters how many there are; the last counts outputs */
  constructor(private readonly size: number) {
    const empty = (): Tally => ({ cycle: 0, tiles: 0, counters: new Float64Array(size) });
    this.levels = { tiles: empty(), rows: empty(), blocks: empty(), heads: empty() };
  }

  of(loop: Loop): Tally {
    return this.levels[loop];
  }

  get cycle(): number {
    return loops.reduce((sum, loop) => sum + this.levels[loop].cycle, 0);
  }
  get tiles(): number {
    return loops.reduce((sum, loop) => sum + this.levels[loop].tiles, 0);
  }
  counter(i: number): number {
    return loops.reduce((sum, loop) => sum + (this.levels[loop].counters[i] as number), 0);
  }

  /** Takes what was counted before the first tile. */
  begin(counters: Float64Array): void {
    this.levels.heads.counters.set(counters);
  }

  /** Puts what the loops within `loop` have counted to it. */
  gather(loop: Loop): void {
    for (const inner of loops.slice(0, loops.indexOf(loop))) {
      const from = this.levels[inner];
      if (from.tiles === 0) continue;
      add(this.levels[loop], from, 1);
      from.cycle = 0;
      from.tiles = 0;
      from.counters.fill(0);
    }
  }

  /** Counts a tile. @param end the last output, counted from its beginning */
  count(cycles: number, growth: Float64Array, end: number): void {
    const tally = this.levels.tiles;
    if (end > Number.NEGATIVE_INFINITY) {
      this.end = Math.max(this.end, this.cycle + end);
      tally.counters[this.size - 1] = (tally.counters[this.size - 1] as number) + 1;
    }
    for (let i = 0; i < growth.length; i++) tally.counters[i] = (tally.counters[i] as number) + (growth[i] as number);
    tally.cycle += cycles;
    tally.tiles++;
  }

  /** Counts so many more periods of a loop. */
  repeat(loop: Loop, { tally }: Period, times: number): void {
    add(this.levels[loop], tally, times);
    if ((tally.counters[this.size - 1] as number) > 0) this.end += times * tally.cycle;
  }
}

function add(to: Tally, from: Tally, times: number): void {
  to.cycle += times * from.cycle;
  to.tiles += times * from.tiles;
  for (let i = 0; i < to.counters.length; i++) {
    to.counters[i] = (to.counters[i] as number) + times * (from.counters[i] as number);
  }
}

/**
 * The states met at the iterations of one loop. A simulation is deterministic: where the same state comes back, with tiles of the
 * same kinds to come, the same follows.
 */
export class Repetition {
  private readonly seen = new Map<string | number, { readonly index: number; readonly tally: Tally }>();

  clear(): void {
    this.seen.clear();
  }

  /** Notes the state at an iteration; the period where it was met before. */
  meet(state: string | number, index: number, now: Tally): Period | null {
    const before = this.seen.get(state);
    if (before === undefined) {
      this.seen.set(state, { index, tally: { ...now, counters: now.counters.slice() } });
      return null;
    }
    this.seen.clear();
    const { tally } = before;
    return {
      iterations: index - before.index,
      tally: {
        cycle: now.cycle - tally.cycle,
        tiles: now.tiles - tally.tiles,
        counters: now.counters.map((count, i) => count - (tally.counters[i] as number)),
      },
    };
  }
}
