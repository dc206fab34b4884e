import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LoadStream } from "../../src/model/schedule/load-stream.js";
import { TileWalk } from "../../src/model/schedule/walk.js";
import { listOf } from "./every-load.js";
import { everyTile } from "./every-tile.js";
import { randomCases, withHoles } from "./random-schedules.js";

// The tiles of a tensor in the order of their first use, leapt over by any number at once, against a list of all of them.

const sides = ["queries", "keys", "tiles"] as const;

describe("the loads of a walk", () => {
  it("law: are those of its tiles, wherever one goes on", () => {
    fc.assert(
      fc.property(randomCases("ideal"), fc.array(fc.nat(9), { maxLength: 12 }), fc.nat(400), (own, steps, far) => {
        // Half of them under a mask of bits.
        const work = withHoles(own.work, 3 * (far % 2));
        const walk = new TileWalk(work);
        const tiles = everyTile(work);
        const streams = sides.map(by => {
          const load = { tensor: "T", by, words: 3 };
          return { stream: new LoadStream(load, walk), list: listOf(load, tiles), at: 0 };
        });
        for (const step of [...steps, far, ...steps]) {
          for (const one of streams) {
            const { stream, list, at } = one;
            expect(stream.atEnd).toBe(at >= list.length);
            expect(stream.words()).toBe(list[at]?.size ?? 0);
            // So many are said to be of one size that are.
            const alike = stream.alike();
            if (at < list.length) expect(alike).toBeGreaterThanOrEqual(1);
            else expect(alike).toBe(0);
            for (let i = 1; i < alike; i++) expect(list[at + i]?.size ?? list[at]?.size).toBe(list[at]?.size);
            one.at += step;
            stream.advance(step);
          }
          for (const a of streams) {
            for (const b of streams) {
              const [due, other] = [a.list[a.at]?.due, b.list[b.at]?.due];
              if (due === undefined || other === undefined) continue;
              const first = due.findIndex((own, i) => own !== other[i]);
              const isBefore = first >= 0 && (due[first] as number) < (other[first] as number);
              expect(a.stream.isUsedBefore(b.stream)).toBe(isBefore);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("law: of many of one size many are said to be, which keeps what repeats short", () => {
    const work = {
      sequences: [{ count: 1, rows: 12, keys: 20 }],
      ...{
        group: 1,
        window: { left: -1, right: -1 },
        heads: 3,
        headTiles: [1],
        blockTiles: 2,
        tileRows: 3,
        tileKeys: 4,
      },
    };
    const alikeOf = (by: (typeof sides)[number], rows: number, keys: number, from = 0): number => {
      const walk = new TileWalk({ ...work, sequences: [{ count: 1, rows, keys }] });
      const stream = new LoadStream({ tensor: "T", by, words: 1 }, walk);
      stream.advance(from);
      return stream.alike();
    };
    // 2 blocks of 2 query tiles and 5 key tiles a head; the first of three: what is left of its block, and the heads after it.
    expect(alikeOf("queries", 12, 20)).toBe(2 + 2 * 4);
    expect(alikeOf("keys", 12, 20)).toBe(5 + 2 * 2 * 5);
    expect(alikeOf("tiles", 12, 20)).toBe(10 + 2 * 20);
    // A part of a tile at the end of each.
    expect([0, 3, 4, 5].map(from => alikeOf("keys", 12, 19, from))).toEqual([4, 1, 1, 4]);
    expect(alikeOf("queries", 5, 20)).toBe(1);
    expect(alikeOf("queries", 8, 20)).toBe(2);
    expect(alikeOf("tiles", 12, 19)).toBe(1);
  });
});
