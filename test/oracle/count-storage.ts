import type { AccessCounts } from "./count-observation.js";

// The storage of the counting mode: registers and buffers that hold words by name and count every access as it happens.
// A word is named by its flat index in its tensor.

/** Something that a word can be fetched from. */
export interface WordSource {
  read(word: number): void;
}

/** The outermost home of an input, or a level whose words are made there: it has what is asked for. */
export class Home implements WordSource {
  readonly counts: AccessCounts = { reads: 0, updates: 0, fills: 0 };

  read(_word: number): void {
    this.counts.reads += 1;
  }
}

/** A buffer that holds the words of one tile of a tensor, fetched when first asked for, until the next tile comes. */
export class TileBuffer implements WordSource {
  readonly counts: AccessCounts = { reads: 0, updates: 0, fills: 0 };
  private readonly held = new Set<number>();
  private tile = -1;

  constructor(private readonly above: WordSource) {}

  /** Says which tile is at work; another than before takes its place. */
  enter(tile: number): void {
    if (tile === this.tile) return;
    this.tile = tile;
    this.held.clear();
  }

  read(word: number): void {
    this.counts.reads += 1;
    if (this.held.has(word)) return;
    this.above.read(word);
    this.counts.fills += 1;
    this.held.add(word);
  }
}

/** One register for a tensor in each PE. A word wanted by several PEs in one step is fetched once: links multicast. */
export class Registers {
  readonly counts: AccessCounts = { reads: 0, updates: 0, fills: 0 };
  private readonly held = new Map<number, number>();
  private readonly wanted = new Set<number>();

  constructor(private readonly above: WordSource) {}

  /** PE `pe` uses a word. */
  read(pe: number, word: number): void {
    this.counts.reads += 1;
    if (this.held.get(pe) === word) return;
    this.held.set(pe, word);
    this.counts.fills += 1;
    this.wanted.add(word);
  }

  /** The end of a time step: what the PEs wanted is fetched. */
  step(): void {
    for (const word of this.wanted) this.above.read(word);
    this.wanted.clear();
  }
}

/** Where results arrive. A word that arrived before is read back first, to be added to. */
export class Results {
  readonly counts: AccessCounts = { reads: 0, updates: 0, fills: 0 };
  private readonly begun = new Set<number>();

  update(word: number): void {
    if (this.begun.has(word)) this.counts.reads += 1;
    this.begun.add(word);
    this.counts.updates += 1;
  }
}
