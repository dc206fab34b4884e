/**
 * The storage of the counting mode: registers and buffers that hold words by name and count every access as it
 * happens. A word is named by its flat index in its tensor.
 */
export interface AccessCounts {
  /** Words served downward, or read back to go on with a sum. */
  reads: number;
  /** Words that arrived from below. */
  updates: number;
  /** Words that arrived from above. */
  fills: number;
}

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

/** The levels of the FuseMax design, by the names of its specs; "spill" is the 1D array's file where the 2D array drains into it. */
export type CountedLevel = "dram" | "buffer" | "spill" | "registers2d" | "registers1d";

/** The Einsums of Cascade 5 that compute, by the names of the model's specs. */
export const countedEinsums = [
  "QK",
  "LM",
  "RM",
  "SLN",
  "SLD",
  "SLNV",
  "PRM",
  "SPD",
  "RD",
  "SPNV",
  "RNV",
  "AV",
] as const;
export type CountedEinsum = (typeof countedEinsums)[number];

/** What one Einsum was seen to do, over all PEs. */
export interface EinsumObservation {
  /** Time steps of its array, one point a PE; a partial tile takes as many as a whole one. */
  steps: number;
  /** SLN and PRM are six multiply-accumulates and an add a point. */
  readonly operations: { mac: number; add: number; max: number; divide: number };
  /** Accesses in words, by tensor and by the levels that keep it. */
  readonly accesses: Record<string, Partial<Record<CountedLevel, AccessCounts>>>;
}

export type Observations = Readonly<Record<CountedEinsum, EinsumObservation>>;

export function emptyObservations(): Observations {
  const empty = (): EinsumObservation => ({
    steps: 0,
    operations: { mac: 0, add: 0, max: 0, divide: 0 },
    accesses: {},
  });
  return Object.fromEntries(countedEinsums.map(name => [name, empty()])) as Record<CountedEinsum, EinsumObservation>;
}

/** Enters a place where a tensor is kept for an Einsum into that Einsum's observation. */
export function keep<T extends { readonly counts: AccessCounts }>(
  { accesses }: EinsumObservation,
  tensor: string,
  level: CountedLevel,
  storage: T,
): T {
  accesses[tensor] = { ...accesses[tensor], [level]: storage.counts };
  return storage;
}
