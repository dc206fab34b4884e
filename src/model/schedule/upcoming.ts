import type { Position } from "./feed.js";
import { noMore } from "./walk.js";

/** Tiles after the one that begins whose kinds may decide what happens meanwhile: an array may be ahead of the first. */
export const seenAhead = 3;

/** Kinds of tiles that are told apart. */
const mostKinds = 2 ** 12;

/** The kinds of the tile that begins and of those after it, as one number. */
export class UpcomingKinds {
  private readonly numbers = new Map<number, number>();

  keyAt(position: Position): number {
    const ahead = position.clone();
    let key = 0;
    for (let i = 0; i <= seenAhead; i++) {
      key = key * mostKinds + this.numberOf(ahead.kind());
      if (!ahead.atEnd) ahead.next();
    }
    return key;
  }

  private numberOf(kind: number): number {
    if (kind === noMore) return 0;
    const number = this.numbers.get(kind) ?? this.numbers.size + 1;
    this.numbers.set(kind, number);
    return number;
  }
}
