import { type KeyRange, noKeys } from "../../attention/key-range.js";
import type { Mask } from "../../attention/mask.js";
import type { Pass } from "../../program/program.js";
import { stepReads } from "../../program/steps.js";
import type { BiasReader } from "../given-scores.js";
import { lanes } from "./kernels.js";

/** Where the host writes, in bytes. */
interface Places {
  readonly memory: WebAssembly.Memory;
  /** Fields of a lane group's state (assembly/memory.ts). */
  readonly fields: Readonly<
    Record<"seenFrom" | "seenTo" | "keyStarts" | "keyEnds" | "viewBegin" | "viewEnd" | "viewPartial", number>
  >;
  /** For each key of the tile and lane all ones or none, and the lane's addend. */
  readonly seenLanes: number;
  readonly biasAt: number;
}

/** The rows of a lane group, from the first on, and the keys of a tile. */
export interface LanesOfTile {
  readonly first: number;
  readonly there: number;
  readonly firstKey: number;
  readonly count: number;
}

/**
 * What the host says of a lane group's scores in a tile, where they are not all of an interval or have a bias: what each
 * lane sees of the tile in place of what its row sees, then the lanes that see each key, and the addends.
 */
export class TileScores {
  private readonly floats: Float32Array;
  private readonly integers: Int32Array;
  private readonly row: Float32Array;

  constructor(
    private readonly mask: Mask,
    private readonly bias: BiasReader | null,
    private readonly places: Places,
    /** Whether a tile's last key is first. */
    private readonly descending: boolean,
  ) {
    this.floats = new Float32Array(places.memory.buffer);
    this.integers = new Int32Array(places.memory.buffer);
    this.row = new Float32Array(bias === null ? 0 : this.floats.length / lanes);
  }

  /** Whether a pass adds the bias to scores. */
  isReadBy({ tile }: Pass): boolean {
    const { bias } = this;
    return bias !== null && tile.some(step => stepReads(step).has(bias.variable));
  }

  /** Narrows what the lanes see to the tile, so that a lane that sees none of its keys has none of them. */
  narrow(state: number, { first, there, firstKey, count }: LanesOfTile): void {
    if (this.mask.isInterval) return;
    const range = { from: firstKey, to: firstKey + count };
    this.setSeen(state, lane => (lane < there ? this.mask.spanWithin(first + lane, range) : noKeys));
  }

  /** Sets what the rows see again. */
  widen(state: number, first: number, there: number, seenBy: (row: number) => KeyRange): void {
    if (this.mask.isInterval) return;
    this.setSeen(state, lane => (lane < there ? seenBy(first + lane) : noKeys));
  }

  /** Reverses what the lanes see of a tile of `count` keys, where its last key is first. */
  mirror(state: number, count: number): void {
    const { keyStarts, keyEnds, viewBegin, viewEnd } = this.places.fields;
    for (let lane = 0; lane < lanes; lane += 1)
      this.reverse((state + keyStarts) / 4 + lane, (state + keyEnds) / 4 + lane, count);
    this.reverse((state + viewBegin) / 4, (state + viewEnd) / 4, count);
  }

  private reverse(startAt: number, endAt: number, count: number): void {
    const { integers } = this;
    const [start, end] = [integers[startAt] as number, integers[endAt] as number];
    if (start >= end) return;
    integers[startAt] = count - end;
    integers[endAt] = count - start;
  }

  private setSeen(state: number, spanOf: (lane: number) => KeyRange): void {
    const { fields } = this.places;
    for (let lane = 0; lane < lanes; lane += 1) {
      const { from, to } = spanOf(lane);
      this.integers[(state + fields.seenFrom) / 4 + lane] = from;
      this.integers[(state + fields.seenTo) / 4 + lane] = to;
    }
  }

  /** Fills in the keys between the first and the last that a lane sees. */
  fill(state: number, { first, there, firstKey, count }: LanesOfTile, biased: boolean): void {
    const { mask, bias, integers, places, row, descending } = this;
    const keyAt = (place: number): number => firstKey + (descending ? count - 1 - place : place);
    const begin = integers[(state + places.fields.viewBegin) / 4] as number;
    const end = integers[(state + places.fields.viewEnd) / 4] as number;
    if (!mask.isInterval) {
      integers[(state + places.fields.viewPartial) / 4] = 1;
      const at = places.seenLanes / 4;
      integers.fill(0, at + begin * lanes, at + end * lanes);
      for (let lane = 0; lane < there; lane += 1) {
        for (let m = begin; descending && m < end; m += 1) {
          if (mask.sees(first + lane, keyAt(m))) integers[at + m * lanes + lane] = -1;
        }
        for (let m = begin; !descending && m < end; ) {
          const key = firstKey + m;
          const word = mask.word(first + lane, key >>> 5);
          const last = Math.min(end, m + 32 - (key & 31));
          for (let bits = word >>> (key & 31); m < last; m += 1, bits >>>= 1) {
            if ((bits & 1) !== 0) integers[at + m * lanes + lane] = -1;
          }
        }
      }
    }
    if (!biased || bias === null) return;
    const at = places.biasAt / 4;
    for (let lane = 0; lane < there; lane += 1) {
      const [from, to] = descending ? [keyAt(end - 1), keyAt(begin) + 1] : [keyAt(begin), keyAt(end)];
      bias.read(first + lane, from, to, row);
      for (let m = begin; m < end; m += 1) this.floats[at + m * lanes + lane] = row[keyAt(m) - from] as number;
    }
  }
}
