import { keysOfRow, type SequenceClass } from "../attention/sequences.js";
import { endOfSeen, firstSeen } from "../attention/window.js";
import type { CoupledRank, CoupledRanks, MaskedNest } from "./coupled-counts.js";
import {
  type Held,
  type Interval,
  intervalsOf,
  joined,
  lengthOf,
  moved,
  repeated,
  type Stretch,
  union,
} from "./held-tiles.js";
import type { NestShape } from "./nest.js";
import { chunkOf, countParts, type RankCount } from "./partition.js";
import type { VisibleRegion } from "./region.js";
import { type Inner, numberingOf, type PartKind, unnumbered } from "./tile-numbering.js";
import { pointsTouched } from "./touched-points.js";
import { bitsOfBlocks } from "./visible-blocks.js";

/**
 * The words fetched into the memories of a level under a mask, where a tile may stay from one iteration of an outer loop to the
 * next: consecutive blocks of queries that end and begin on one tile of keys. Walks the loops outside that a mask couples
 * one by one, and those that it does not couple in one go. Terms as in src/model/visits.ts.
 */
export function maskedVisits(
  { shape, ranksAlone, coupled }: MaskedNest,
  region: VisibleRegion,
  relevant: number,
  level: number,
  words: number,
): number {
  return new MaskedWalk(shape, ranksAlone, coupled, region, relevant, level, words).words();
}

/** Index tuples of the loops of `subset` within tiles that a score touches; a tile is what the loops of `temporal` step over. */
export function touchedPoints(
  { shape, ranksAlone, coupled }: MaskedNest,
  region: VisibleRegion,
  temporal: number,
  subset: number,
): number {
  return new MaskedWalk(shape, ranksAlone, coupled, region, 0, 0, subset).touched(temporal);
}

/** Coordinates of a coupled rank at hand: chunks of one length. */
interface Chunks {
  starts: readonly number[];
  length: number;
  part: number;
}

class MaskedWalk {
  private readonly steps: readonly {
    readonly rank: number;
    readonly part: number;
    /** What one iteration adds to the number of a tile; 0 for a loop that the tensor lacks. */
    readonly stride: number;
  }[];
  private readonly sides: readonly (CoupledRank | undefined)[];
  private readonly sequences: readonly SequenceClass[];
  private readonly chunks: Chunks[];
  /** Of ranks that no mask couples: coordinates at hand, and the part to come. */
  private readonly sizes: number[];
  private readonly parts: number[];
  private readonly memory: number[] = [];
  private readonly numbering: readonly [Inner, Inner, Inner];

  constructor(
    private readonly shape: NestShape,
    private readonly ranks: readonly RankCount[],
    { batch, rows, keys }: CoupledRanks,
    private readonly region: VisibleRegion,
    relevant: number,
    private readonly level: number,
    private readonly wanted: number,
  ) {
    this.sides = [batch, rows, keys];
    this.sequences = region.sequences.flatMap(sequence => Array<SequenceClass>(sequence.count).fill(sequence));
    this.chunks = this.sides.map((_, side) => ({ starts: [0], length: this.extent(side), part: 0 }));
    this.sizes = ranks.map(({ size }) => size);
    this.parts = ranks.map(() => 0);
    let stride = 1;
    this.steps = shape.loops
      .filter(loop => loop.level < level && shape.levels[loop.level]?.spatial !== true)
      .map(({ bit }) => {
        const rank = shape.ranks.findIndex(({ shift, parts }) => bit >= shift && bit < shift + parts);
        const part = bit - (shape.ranks[rank]?.shift ?? 0);
        const moves = (relevant & (1 << bit)) !== 0;
        const own = moves ? stride : 0;
        if (moves) stride *= ranks[rank]?.bounds[part] as number;
        return { rank, part, stride: own };
      });
    this.numbering = this.sides.map(side => this.inner(side)) as [Inner, Inner, Inner];
  }

  words(): number {
    const spread = this.shape.loops.filter(
      loop => loop.level < this.level && this.shape.levels[loop.level]?.spatial === true && this.isWanted(loop.bit),
    );
    const over = (k: number): number => {
      const loop = spread[k];
      if (loop === undefined) return this.ofMemory();
      const rank = this.shape.ranks.findIndex(({ shift, parts }) => loop.bit >= shift && loop.bit < shift + parts);
      const part = loop.bit - (this.shape.ranks[rank]?.shift ?? 0);
      let sum = 0;
      for (let index = 0; index < (this.ranks[rank]?.table[1 << part] as number); index++) {
        this.memory[loop.bit] = index;
        sum += over(k + 1);
      }
      return sum;
    };
    return over(0);
  }

  private ofMemory(): number {
    for (let rank = 0; rank < this.ranks.length; rank++) if (!this.enter(rank)) return this.leave(0);
    return this.leave(this.from(0)?.words ?? 0);
  }

  /** Index tuples of the wanted loops in tiles, as those of `temporal` cut them, that hold a score. */
  touched(temporal: number): number {
    const sides = (wanted: number) => this.sides.map(side => this.inner(side, wanted)) as [Inner, Inner, Inner];
    return pointsTouched(this.region, this.sequences, sides(temporal), sides(this.wanted));
  }

  /** Puts every rank back to where it begins. */
  private leave(words: number): number {
    this.chunks.forEach((chunk, side) => {
      Object.assign(chunk, { starts: [0], length: this.extent(side), part: 0 });
    });
    this.ranks.forEach(({ size }, rank) => {
      this.sizes[rank] = size;
      this.parts[rank] = 0;
    });
    return words;
  }

  private extent(side: number): number {
    const own = this.sides[side];
    // All there are of a side that the nest lacks are at hand.
    return own === undefined ? Number.POSITIVE_INFINITY : (this.ranks[own.rank]?.size as number);
  }

  private isWanted(bit: number): boolean {
    return (this.wanted & (1 << bit)) !== 0;
  }

  private kindOf(rank: number, part: number): PartKind {
    const bit = (this.shape.ranks[rank]?.shift ?? 0) + part;
    const loop = this.shape.loops.find(own => own.bit === bit);
    if (loop === undefined || loop.level >= this.level) return "inside";
    if (this.shape.levels[loop.level]?.spatial !== true) return "time";
    return this.isWanted(bit) ? "memory" : "shared";
  }

  /** Passes the spatial parts that come next in a rank; false where the memory has nothing of it. */
  private enter(rank: number): boolean {
    const { bounds } = this.ranks[rank] as RankCount;
    const shift = this.shape.ranks[rank]?.shift ?? 0;
    const side = this.sides.findIndex(own => own?.rank === rank);
    const chunks = this.chunks[side];
    for (;;) {
      const part = chunks?.part ?? (this.parts[rank] as number);
      if (part >= bounds.length) return true;
      const kind = this.kindOf(rank, part);
      if (kind === "time" || kind === "inside") return true;
      const chunk = chunkOf(bounds, part);
      // Of loops that memories share none is set.
      const index = this.memory[shift + part] ?? 0;
      if (chunks === undefined) {
        const size = Math.min(chunk, (this.sizes[rank] as number) - index * chunk);
        if (size <= 0) return false;
        this.sizes[rank] = size;
        this.parts[rank] = part + 1;
        continue;
      }
      const all = Math.ceil(chunks.length / chunk);
      // Instances that share a memory are one stretch where no loop outside comes within.
      const isLast = !Array.from(bounds).some((_, p) => p > part && ["time", "memory"].includes(this.kindOf(rank, p)));
      if (kind === "shared" && isLast) {
        chunks.part = part + 1;
        continue;
      }
      const iterations = kind === "memory" ? [index] : Array.from({ length: all }, (_, i) => i);
      chunks.starts = chunks.starts.flatMap(start => iterations.map(iteration => start + iteration * chunk));
      chunks.length = chunk;
      chunks.part = part + 1;
    }
  }

  private from(i: number): Stretch | undefined {
    const step = this.steps[i];
    if (step === undefined) return this.visit();
    const { rank, part, stride } = step;
    const side = this.sides.findIndex(own => own?.rank === rank);
    const chunk = chunkOf((this.ranks[rank] as RankCount).bounds, part);
    const chunks = this.chunks[side];
    let found: Stretch | undefined;
    if (chunks !== undefined) {
      if (side === 2 && i === this.steps.length - 1 && this.kindOf(rank, part + 1) === "inside") {
        const tiles = this.tilesOfKeys(chunk, stride);
        if (tiles !== undefined) return tiles;
      }
      const before = { ...chunks };
      let stretch: Stretch | undefined;
      for (let iteration = 0; iteration * chunk < before.length; iteration++) {
        chunks.starts = before.starts.map(start => start + iteration * chunk);
        chunks.length = Math.min(chunk, before.length);
        chunks.part = part + 1;
        // Sequences alike do alike.
        const isAlike = (b: number): boolean => this.sequences[b] === this.sequences[b - 1];
        const again =
          side === 0 && chunk === 1 && iteration > 0 && before.starts.every(start => isAlike(start + iteration));
        if (!again) stretch = this.enter(rank) && this.seesSomething() ? this.from(i + 1) : undefined;
        found = joined(found, moved(stretch, iteration * stride));
        Object.assign(chunks, before);
      }
      return found;
    }
    const size = this.sizes[rank] as number;
    const before = this.parts[rank] as number;
    const inside = (extent: number): Stretch | undefined => {
      this.sizes[rank] = extent;
      this.parts[rank] = part + 1;
      const own = this.enter(rank) ? this.from(i + 1) : undefined;
      this.sizes[rank] = size;
      this.parts[rank] = before;
      return own;
    };
    const whole = Math.floor(size / chunk);
    const rest = size % chunk;
    if (whole > 0) found = repeated(inside(chunk), whole, stride);
    return rest === 0 ? found : joined(found, moved(inside(rest), whole * stride));
  }

  private *rowsAtHand(): Generator<readonly [sequence: number, row: number, from: number, to: number]> {
    const [batches, rows, keys] = this.chunks as [Chunks, Chunks, Chunks];
    const { length } = this.sequences;
    for (const first of batches.starts) {
      const end = Math.min(length, first + batches.length);
      for (let b = first; b < end; b++) {
        const sequence = this.sequences[b] as SequenceClass;
        const all = sequence.queries * this.region.group;
        for (const start of rows.starts) {
          const last = Math.min(all, start + rows.length);
          for (let row = start; row < last; row++) {
            for (const { from, to } of keysOfRow(this.region, sequence, row, this.region.group)) {
              for (const key of keys.starts) {
                const [lowest, highest] = [Math.max(from, key), Math.min(to, key + keys.length)];
                if (lowest < highest) yield [b, row, lowest, highest];
              }
            }
          }
        }
      }
    }
  }

  private seesSomething(): boolean {
    const seen = this.seenTogether();
    return seen === undefined ? this.rowsAtHand().next().done !== true : seen.length > 0;
  }

  /** Whether what is at hand is one stretch of rows and one of keys, of one sequence or of some that are alike. */
  private isOneStretch(): boolean {
    const [batches] = this.chunks as [Chunks, Chunks, Chunks];
    const isOne = this.sequences.length === 1 || this.sides[0] === undefined || batches.length === 1;
    return isOne && this.chunks.every(({ starts }) => starts.length === 1);
  }

  /** The keys at hand that some row at hand sees, in order; undefined where they are of several sequences or stretches. */
  private seenTogether(): readonly Interval[] | undefined {
    const atOnce = this.seenAtOnce();
    if (atOnce !== undefined) return atOnce[0] < atOnce[1] ? [atOnce] : [];
    const [batches, rows, keys] = this.chunks as [Chunks, Chunks, Chunks];
    if (!this.isOneStretch()) return undefined;
    const sequence = this.sequences[batches.starts[0] as number];
    if (sequence?.bits === undefined) return undefined;
    const { group } = this.region;
    const all = sequence.queries * group;
    const start = rows.starts[0] as number;
    if (start >= all) return [];
    // Chunks begin at multiples of their length.
    const step = Math.min(all, rows.length);
    const words = Math.ceil(sequence.keys / 32);
    const together = bitsOfBlocks(sequence.bits, group, all, step, words);
    const first = keys.starts[0] as number;
    const end = Math.min(sequence.keys, first + keys.length);
    return intervalsOf(together, (start / step) * words, first, end);
  }

  /** The keys at hand that some row at hand sees, where they are neighbours: of one sequence, one stretch of rows and one of keys. */
  private seenAtOnce(): Interval | undefined {
    const [batches, rows, keys] = this.chunks as [Chunks, Chunks, Chunks];
    if (!this.isOneStretch()) return undefined;
    const { group } = this.region;
    // A partial chunk of the batch has iterations with no sequence.
    const sequence = this.sequences[batches.starts[0] as number];
    if (sequence === undefined) return [0, 0];
    if (sequence.bits !== undefined) return undefined;
    const all = sequence.queries * group;
    const start = rows.starts[0] as number;
    const end = Math.min(all, start + rows.length);
    if (start >= end) return [0, 0];
    // Both ends of what a row sees never fall, and rows next to each other see keys next to each other.
    const from = firstSeen(this.region, sequence, Math.floor(start / group));
    const to = endOfSeen(this.region, sequence, Math.floor((end - 1) / group));
    const first = keys.starts[0] as number;
    return [Math.max(first, from), Math.min(first + keys.length, to)];
  }

  /** All iterations of the innermost step at once, where it is over keys that the tensor has, and over nothing of its rows. */
  private tilesOfKeys(chunk: number, stride: number): Stretch | undefined {
    const seen = this.seenAtOnce();
    const [, ofRows, ofKeys] = this.numbering;
    if (seen === undefined || !ofKeys.isWhole || ofRows.isWanted || stride === 0) return undefined;
    const [from, to] = seen;
    // A memory of keys that no row at hand sees.
    if (from >= to) return undefined;
    const keys = this.chunks[2] as Chunks;
    const origin = keys.starts[0] as number;
    const dense = this.dense();
    const held = (iteration: number): Held => {
      const tile = origin + iteration * chunk;
      const [first, end] = [Math.max(from, tile), Math.min(to, tile + chunk)];
      return { tile: iteration * stride, dense, words: [[first - tile, end - tile]] };
    };
    const [first, last] = [Math.floor((from - origin) / chunk), Math.ceil((to - origin) / chunk) - 1];
    return { words: (to - from) * dense, first: held(first), last: held(last), single: first === last };
  }

  /** One visit: what its points want. */
  private visit(): Stretch | undefined {
    const [ofBatch, ofRows, ofKeys] = this.numbering;
    const seen: Interval[] = [];
    const isOfKeys = !ofRows.isWanted && !ofBatch.isWanted && (ofKeys.isWhole || !ofKeys.isWanted);
    const together = isOfKeys ? this.seenTogether() : undefined;
    if (together !== undefined) {
      if (!ofKeys.isWanted && together.length > 0) seen.push([0, 1]);
      else for (const [from, to] of together) seen.push([ofKeys.number(from), ofKeys.number(from) + to - from]);
    } else
      for (const [b, row, from, to] of this.rowsAtHand()) {
        const base = (ofBatch.number(b) * ofRows.most + ofRows.number(row)) * ofKeys.most;
        if (ofKeys.isWhole) {
          const start = ofKeys.number(from);
          seen.push([base + start, base + start + (to - from)]);
        } else if (!ofKeys.isWanted) seen.push([base, base + 1]);
        else
          for (let key = from; key < to; key++) seen.push([base + ofKeys.number(key), base + ofKeys.number(key) + 1]);
      }
    if (seen.length === 0) return undefined;
    const dense = this.dense();
    const words = seen.length === 1 ? seen : union(seen, []);
    const held = { tile: 0, words, dense };
    return { words: lengthOf(words) * dense, first: held, last: held, single: true };
  }

  /** Words at hand along ranks that no mask couples. */
  private dense(): number {
    let dense = 1;
    this.ranks.forEach(({ bounds }, rank) => {
      if (this.sides.some(side => side?.rank === rank)) return;
      const { shift, parts } = this.shape.ranks[rank] as NestShape["ranks"][number];
      const part = this.parts[rank] as number;
      const own = (this.wanted >>> shift) & ((1 << parts) - 1) & ~((1 << part) - 1);
      dense *= countParts(this.sizes[rank] as number, bounds, part, own);
    });
    return dense;
  }

  /** How the words of a tile are numbered along one side. */
  private inner(side: CoupledRank | undefined, wanted = this.wanted): Inner {
    if (side === undefined) return unnumbered;
    const rank = this.ranks[side.rank] as RankCount;
    const kinds = Array.from(rank.bounds, (_, part) => this.kindOf(side.rank, part));
    return numberingOf(rank, kinds, wanted >>> side.shift);
  }
}
