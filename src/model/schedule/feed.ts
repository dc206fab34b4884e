import { SpecError } from "../../errors.js";
import { type Block, firstOver, noMore, notYet, type Row, type Run, type TilePlace, type TileWalk } from "./walk.js";

/** A position in a walk: before the tile that comes next. */
export class Position {
  part = 0;
  head = 0;
  block = 0;
  row: Row | null = null;
  run = 0;
  offset = 0;
  opensHead = false;

  constructor(private readonly walk: TileWalk) {
    this.enterBlock();
  }

  clone(): Position {
    return Object.assign(Object.create(Position.prototype), this);
  }

  get atEnd(): boolean {
    return this.row === null;
  }

  get runNow(): Run | undefined {
    return this.row?.runs[this.run];
  }

  /** At the beginning of a row, of a block; `opensHead` of the first block of a head. */
  get opensRow(): boolean {
    return this.run === 0 && this.offset === 0;
  }
  get opensBlock(): boolean {
    return this.opensRow && this.row !== null && this.row.m1 === this.row.block.begin;
  }

  kind(): number {
    return this.runNow?.kind ?? noMore;
  }

  next(): void {
    this.offset++;
    if (this.offset < (this.runNow?.count ?? 0)) return;
    this.offset = 0;
    this.run++;
    if (this.row !== null && this.run >= this.row.runs.length) this.skipRows(1);
  }

  /** Goes on by so many rows, the present one among them. */
  skipRows(rows: number): void {
    if (this.row === null) return;
    const { block, m1 } = this.row;
    this.run = 0;
    this.offset = 0;
    this.row = this.walk.row(block, m1 + rows);
    if (this.row === null) this.skipBlocks(1);
  }

  skipBlocks(blocks: number): void {
    this.block += blocks;
    this.enterBlock();
  }

  skipHeads(heads: number): void {
    this.head += heads;
    this.enterBlock();
  }

  /** The first row at or after the present block. */
  private enterBlock(): void {
    this.run = 0;
    this.offset = 0;
    this.opensHead = this.block === 0;
    for (;;) {
      const part = this.walk.parts[this.part];
      if (part === undefined) {
        this.row = null;
        return;
      }
      if (this.block >= part.blocks) {
        this.block = 0;
        this.head++;
        this.opensHead = true;
      }
      if (this.head >= part.heads) {
        this.head = 0;
        this.part++;
        continue;
      }
      const block = this.walk.block(part.sequence, this.block);
      this.row = block === null ? null : this.walk.row(block, block.begin);
      if (this.row !== null) return;
      this.block++;
    }
  }

  place(): TilePlace | null {
    if (this.row === null) return null;
    const { block, m1, runs } = this.row;
    let index = this.offset;
    for (let r = 0; r < this.run; r++) index += (runs[r] as Run).count;
    return {
      head: this.headsBefore() + Math.floor(index / this.tilesOfHead(block)),
      m1,
      p: block.first + this.queryTile(block, m1, index % this.tilesOfHead(block)),
      kind: this.kind(),
    };
  }

  private tilesOfHead({ heads }: Block): number {
    return (this.row?.tiles ?? 1) / heads;
  }
  /** The query tile within its block of a row's tile of one head. */
  private queryTile({ to, seen }: Block, m1: number, index: number): number {
    return seen?.row(m1)[index] ?? firstOver(to, m1) + index;
  }
  /** Query heads before those of this block. */
  private headsBefore(): number {
    const { headTiles } = this.walk.work;
    const all = headTiles.reduce((sum, tiles) => sum + tiles, 0);
    let heads = 0;
    for (const part of this.walk.parts.slice(0, this.part)) heads += this.walk.queryHeads(part);
    const part = this.walk.parts[this.part];
    if (part === undefined) return heads;
    if (this.walk.headIsBlockOfHeads) return heads + this.head * (headTiles[0] as number);
    const each = part.blocks / headTiles.length;
    const before = headTiles.slice(0, Math.floor(this.block / each)).reduce((sum, tiles) => sum + tiles, 0);
    return heads + this.head * all + before;
  }
}

/** Tiles that there is room for at first: more than arrays that do something on each tile are apart. */
const roomAtFirst = 1024;
/** So far apart their tiles are stepped through one by one: a minute or so. */
const mostRoom = 2 ** 22;

/** The kinds of the tiles about the newest one, by number; tile 0 is where the feed was set. */
export class TileFeed {
  private kinds = new Float64Array(roomAtFirst);
  private places: (TilePlace | null)[] = [];
  private filled = 0;
  private ahead: Position;
  /** The oldest tile that is still asked for. */
  oldest = 0;

  /** @param keepPlaces whether `place` will be asked for */
  constructor(
    from: Position,
    private readonly keepPlaces: boolean,
  ) {
    this.ahead = from.clone();
  }

  /** Sets tile 0 to a position; `history` has the kinds of the tiles before it, the newest first. */
  set(from: Position, history: readonly number[]): void {
    this.ahead = from.clone();
    this.filled = 0;
    this.oldest = -history.length;
    while (this.kinds.length <= history.length) this.kinds = new Float64Array(2 * this.kinds.length);
    this.kinds.fill(notYet);
    history.forEach((kind, i) => {
      this.kinds[this.at(-1 - i)] = kind;
    });
  }

  kind(tile: number): number {
    while (tile >= this.filled) this.pull();
    return tile < this.filled - this.kinds.length ? notYet : (this.kinds[this.at(tile)] as number);
  }

  place(tile: number): TilePlace | null {
    return this.places[this.at(tile)] ?? null;
  }

  /** Where a tile is in the ring. */
  private at(tile: number): number {
    return tile & (this.kinds.length - 1);
  }

  private pull(): void {
    if (this.filled - this.oldest >= this.kinds.length) this.grow();
    const at = this.at(this.filled++);
    this.kinds[at] = this.ahead.kind();
    if (this.keepPlaces) this.places[at] = this.ahead.place();
    if (!this.ahead.atEnd) this.ahead.next();
  }

  /** An array that does something on few tiles looks far ahead for the next of them. */
  private grow(): void {
    const { kinds, places } = this;
    if (kinds.length >= mostRoom) throw tooFar();
    const last = kinds.length - 1;
    this.kinds = new Float64Array(2 * kinds.length);
    this.places = [];
    for (let tile = this.oldest; tile < this.filled; tile++) {
      this.kinds[this.at(tile)] = kinds[tile & last] as number;
      if (this.keepPlaces) this.places[this.at(tile)] = places[tile & last] ?? null;
    }
  }
}

const tooFar = (): SpecError =>
  new SpecError({
    where: "schedule",
    got: `an array with nothing to do on ${mostRoom} tiles and more`,
    expected: "one with something to do on every tile, or fewer tiles between those that it has",
    fix: "simulate a shorter sequence, or move an Einsum of every tile to the array",
  });
