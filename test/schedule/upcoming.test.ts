import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Position } from "../../src/model/schedule/feed.js";
import { UpcomingKinds } from "../../src/model/schedule/upcoming.js";
import { noMore, TileWalk } from "../../src/model/schedule/walk.js";

const size = (most: number) => fc.integer({ min: 1, max: most });
const walks = fc
  .record({
    rows: size(14),
    keys: size(14),
    heads: size(3),
    blockTiles: size(3),
    right: fc.constantFrom(-1, 0, 1),
  })
  .map(
    ({ rows, keys, right, ...work }) =>
      new TileWalk({
        ...work,
        sequences: [{ count: 1, rows, keys }],
        ...{ group: 1, headTiles: [1], tileRows: 2, tileKeys: 2 },
        window: { left: -1, right },
      }),
  );

/** Sequences of one tile each, with so many queries: as many kinds as there are numbers. */
const ofOneTile = (rows: readonly number[]): TileWalk =>
  new TileWalk({
    sequences: rows.map(own => ({ count: 1, rows: own, keys: 1 })),
    ...{ group: 1, window: { left: -1, right: -1 }, heads: 1, headTiles: [1] },
    ...{ blockTiles: 1, tileRows: 40, tileKeys: 1 },
  });

function holds(walk: TileWalk): void {
  const position = new Position(walk);
  const kinds: number[] = [];
  const places: Position[] = [];
  for (; !position.atEnd; position.next()) {
    kinds.push(position.kind());
    places.push(position.clone());
  }
  const upcoming = new UpcomingKinds();
  const keyOfKinds = new Map<string, number>();
  const kindsOfKey = new Map<number, string>();
  places.forEach((place, i) => {
    const four = [0, 1, 2, 3].map(n => kinds[i + n] ?? noMore).join();
    const key = upcoming.keyAt(place);
    if ((keyOfKinds.get(four) ?? key) !== key || (kindsOfKey.get(key) ?? four) !== four)
      expect.fail(`tile ${i}: ${key} for ${four}, ${keyOfKinds.get(four)} before; it is ${kindsOfKey.get(key)} too`);
    keyOfKinds.set(four, key);
    kindsOfKey.set(key, four);
    // To look ahead moves nothing.
    expect(place.kind()).toBe(kinds[i]);
  });
}

describe("the number of the kinds of the tiles to come", () => {
  it("law: is one number wherever the tile that begins and the three after it are of the same kinds, and nowhere else", () => {
    fc.assert(fc.property(walks, holds));
    // What begins before the end, and before others of the kind that was met second.
    holds(ofOneTile([1, 2, 2, 2, 1]));
    let drawn = 1;
    holds(
      ofOneTile(
        Array.from({ length: 2000 }, () => {
          drawn = (drawn * 48271) % 2147483647;
          return 1 + (drawn % 39);
        }),
      ),
    );
  });
});
