import type { Load } from "./dataflows.js";
import { loadAt, loadsIn } from "./load-order.js";
import type { Block, TileWalk } from "./walk.js";

/** The tiles of one tensor in the order of their first use, and the next of them to be loaded. */
export class LoadStream {
  part = 0;
  head = 0;
  block = 0;
  /** The tile within its block. */
  private index = 0;
  private now: Block | null = null;
  /** Tiles of a head, by part. */
  private readonly ofHead: number[] = [];

  constructor(
    private readonly load: Load,
    private readonly walk: TileWalk,
  ) {
    this.settle();
  }

  get atEnd(): boolean {
    return this.now === null;
  }

  /** Words of the next tile. */
  words(): number {
    const { now, load, index } = this;
    if (now === null) return 0;
    const { m1, p } = loadAt(now, load.by, index);
    const keys = load.by === "queries" ? 1 : this.walk.keysOf(now.sequence, m1);
    return load.words * keys * (load.by === "keys" ? 1 : (now.rows[p] as number));
  }

  /** Loads from this one on that have the same words for certain. */
  alike(): number {
    const { now, load, index, walk } = this;
    if (now === null) return 0;
    const { sequences, tileRows, tileKeys } = walk.work;
    const { rows, keys } = sequences[now.sequence] as (typeof sequences)[number];
    const whole = (load.by === "queries" || keys % tileKeys === 0) && (load.by === "keys" || rows % tileRows === 0);
    const left = this.sizeOf(now) - index;
    if (whole) return left + this.headsAfter * this.tilesOfHead();
    // The last of a head's may be smaller.
    if (load.by === "keys") return Math.max(1, left - 1);
    if (load.by === "tiles") return 1;
    const rowsAt = (place: number): number | undefined => now.rows[loadAt(now, "queries", place).p];
    let same = 1;
    while (same < left && rowsAt(index + same) === rowsAt(index)) same++;
    return same;
  }

  advance(tiles: number): void {
    let left = tiles;
    while (left > 0 && this.now !== null) {
      // Heads are alike: the same tile of a later one.
      const heads = Math.min(this.headsAfter, Math.floor(left / this.tilesOfHead()));
      left -= heads * this.tilesOfHead();
      this.head += heads;
      const size = this.sizeOf(this.now) - this.index;
      if (left < size) {
        this.index += left;
        return;
      }
      const alike = this.index === 0 ? this.walk.alikeBlocks(this.now.sequence, this.block) : 1;
      const blocks = Math.max(1, Math.min(alike, Math.floor(left / size)));
      left -= size * blocks;
      this.index = 0;
      this.block += blocks;
      this.settle();
    }
  }

  skip(heads: number, blocks: number): void {
    this.head += heads;
    this.block += blocks;
    const { index } = this;
    this.settle();
    this.index = index;
  }

  /** Whether its next tile is used before another's, by block, key tile and query tile. */
  isUsedBefore(other: LoadStream): boolean {
    const [a, b] = [this.use(), other.use()];
    const at = a.findIndex((value, i) => value !== b[i]);
    return at >= 0 && (a[at] as number) < (b[at] as number);
  }

  /** Heads of the part after this one. */
  private get headsAfter(): number {
    return (this.walk.parts[this.part]?.heads ?? 1) - this.head - 1;
  }

  /** Heads and blocks by which it is ahead; Infinity where it has left the part, or the head. */
  headsPast(part: number, head: number): number {
    return this.atEnd || this.part !== part ? Number.POSITIVE_INFINITY : this.head - head;
  }
  blocksPast(head: number, block: number): number {
    return this.atEnd || this.head !== head ? Number.POSITIVE_INFINITY : this.block - block;
  }

  /** Where it is, counted from a head and a block. */
  relativeTo(head: number, block: number): string {
    return `${this.part},${this.head - head},${this.block - block},${this.index}`;
  }

  private use(): readonly number[] {
    const { now, index, load } = this;
    if (now === null) return [Number.POSITIVE_INFINITY];
    const { m1 } = loadAt(now, load.by, index);
    return [this.part, this.head, this.block, m1, load.by === "keys" ? 0 : index];
  }

  private sizeOf(block: Block): number {
    return loadsIn(block, this.load.by);
  }

  private tilesOfHead(): number {
    const known = this.ofHead[this.part];
    if (known !== undefined) return known;
    const part = this.walk.parts[this.part];
    let tiles = 0;
    for (let block = 0; part !== undefined && block < part.blocks; ) {
      const own = this.walk.block(part.sequence, block);
      const alike = this.walk.alikeBlocks(part.sequence, block);
      if (own !== null) tiles += alike * this.sizeOf(own);
      block += alike;
    }
    this.ofHead[this.part] = tiles;
    return tiles;
  }

  /** The block at or after the present place that has tiles. */
  private settle(): void {
    for (;;) {
      const part = this.walk.parts[this.part];
      if (part === undefined) {
        this.now = null;
        return;
      }
      if (this.block >= part.blocks) {
        this.block -= part.blocks;
        this.head++;
      }
      if (this.head >= part.heads) {
        this.head = 0;
        this.part++;
        continue;
      }
      this.now = this.walk.block(part.sequence, this.block);
      if (this.now !== null) return;
      this.block++;
    }
  }
}
