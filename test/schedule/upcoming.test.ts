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

describe("the number of the kinds of the tiles to come", () => {
  it("law: is one number wherever the tile that begins and the three after it are of the same kinds, and nowhere else", () => {
    fc.assert(
      fc.property(walks, walk => {
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
          expect(keyOfKinds.get(four) ?? key).toBe(key);
          expect(kindsOfKey.get(key) ?? four).toBe(four);
          keyOfKinds.set(four, key);
          kindsOfKey.set(key, four);
          // To look ahead moves nothing.
          expect(place.kind()).toBe(kinds[i]);
        });
      }),
    );
  });
});
