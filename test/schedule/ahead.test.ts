import { describe, expect, it } from "vitest";
import { Position, TileFeed } from "../../src/model/schedule/feed.js";
import { type SimulationOptions, simulateSchedule } from "../../src/model/schedule/simulate.js";
import { noMore, notYet, TileWalk } from "../../src/model/schedule/walk.js";
import { arraysOf, dramOf, fromA, scheduleOf, workOf } from "./two-arrays.js";

describe("an array that has something to do on few tiles", () => {
  const arrays = arraysOf({}, { ...fromA, when: "last", points: 2, storedWords: 1 });

  it.each([10, 1023, 1024, 1100])("law: waits for the next of them, however far it is: %i", keys => {
    for (const lag of [0, 3]) {
      for (const leap of [true, false]) {
        const result = simulateSchedule(scheduleOf(lag), arrays, workOf(2, keys), { leap });
        // Five cycles of A a tile, two rows down, and B's two.
        expect(result.cycles, `lag ${lag}`).toBe(5 * 2 * keys - 1 + 2 + 2);
        expect(result.arrays["lanes"]?.busy).toEqual({ B: 4 });
      }
    }
  });
});

describe("an array that has nothing to do at all", () => {
  it("is done at once, and drains to the end", () => {
    const { arrays, cycles } = simulateSchedule(scheduleOf(0), arraysOf({}, { pointCycles: 0 }), workOf(3, 2));
    expect([cycles, arrays["lanes"]?.stalls["drain"]]).toEqual([5 * 6, 5 * 6]);
  });
});

describe("an array that waits for nothing", () => {
  it("is 64 epochs ahead at the most", () => {
    const issued = new Map<number, number>();
    simulateSchedule(scheduleOf(0), arraysOf({}, {}), workOf(200, 1), {
      watch: {
        ...{ from: 79, until: 83 },
        onIssue: ({ array, epoch, cycle }) => void (array === "lanes" && issued.set(epoch, cycle)),
        onStall: () => {},
      },
    });
    // An epoch a cycle, where A has one in five: 80 is 64 after 16, and 81 waits for 17, which begins in cycle 85.
    expect([...issued]).toEqual([
      [79, 79],
      [80, 80],
      [81, 85],
      [82, 90],
    ]);
  });
});

describe("a deadlock after what is leapt over", () => {
  it("law: is in the cycle and on the tile of the run without leaps", () => {
    const arrays = arraysOf({ loads: [{ tensor: "Q", by: "queries", words: 1 }] }, { ...fromA, when: "last" });
    const work = workOf(0, 0, {
      sequences: [
        { count: 50, rows: 1, keys: 2 },
        { count: 1, rows: 5, keys: 2 },
      ],
      blockTiles: 5,
    });
    const run = (leap: boolean) => () =>
      simulateSchedule(scheduleOf(1), arrays, work, { dram: dramOf({ Q: 3 }), leap });
    // The block's fourth query finds no room, after the hundred tiles of others.
    expect(run(false)).toThrow(/a deadlock in cycle \d+: the pe array waits with A\[a\] \(tile 103\) for Q/);
    let message = "";
    try {
      run(false)();
    } catch (error) {
      message = (error as Error).message;
    }
    expect(run(true)).toThrow(message);
  });
});

describe("a schedule of two arrays that cannot run", () => {
  const loads = [{ tensor: "Q", by: "queries", words: 1 }] as const;

  it("is refused where none begins the tiles, with the letters that one would have to have", () => {
    const late = { ...scheduleOf(2), lags: { a: 1, b: 2 } };
    expect(() => simulateSchedule(late, arraysOf({}, {}), workOf(3, 2))).toThrow(
      /no array that does something on each tile as it enters; expected one whose program has a letter of lag 0/,
    );
    const rare = { ...scheduleOf(0), lags: { a: 0, b: 0, c: 1 } };
    expect(() => simulateSchedule(rare, arraysOf({ when: "last" }, { when: "first" }), workOf(3, 2))).toThrow(
      /expected one whose program has an Einsum on \[a\] or an Einsum on \[b\]$/,
    );
  });

  it("says of an array that it has finished", () => {
    const arrays = arraysOf({ loads }, { pointCycles: 0 });
    const run = () =>
      simulateSchedule(scheduleOf(0), arrays, workOf(3, 2, { blockTiles: 3 }), { dram: dramOf({ Q: 2 }) });
    expect(run).toThrow(
      /waits with A\[a\] \(tile 2\) for Q, the lanes array has finished; expected a schedule in which/,
    );
  });
});

describe("epochs that are watched", () => {
  /** What a watcher of some epochs is told of both arrays. */
  function watched(lag: number, from: number, until: number, options: SimulationOptions) {
    const arrays = arraysOf({}, {});
    const issued: unknown[] = [];
    const waited = new Map<string, number>();
    const { tilesStepped } = simulateSchedule(scheduleOf(lag), arrays, workOf(400, 1, { blockTiles: 400 }), {
      ...options,
      watch: {
        ...{ from, until },
        onIssue: issue => void issued.push(issue),
        onStall: ({ array, cause, epoch, cycles }) => {
          const key = `${array} ${cause} ${epoch}`;
          waited.set(key, (waited.get(key) ?? 0) + cycles);
        },
      },
    });
    return { issued, waited, tilesStepped };
  }

  it.each([0, 1, 5, 40])("law: are told of an array that is far ahead of the first as without leaps: lag %i", lag => {
    for (const from of [0, 30, 63, 64, 65, 66, 70, 150, 397]) {
      const [quick, slow] = [true, false].map(leap => watched(lag, from, from + 3, { leap }));
      expect(quick?.issued, `from ${from}`).toEqual(slow?.issued);
      expect(quick?.waited, `from ${from}`).toEqual(slow?.waited);
      // Of three tiles five operations of A and one of B.
      if (from > lag && from < 397) expect(slow?.issued.length).toBe(18);
    }
    expect(watched(lag, 350, 353, {}).tilesStepped).toBeLessThan(120);
  });
});

describe("the kinds of tiles by their numbers", () => {
  const walk = new TileWalk(workOf(60, 70, { blockTiles: 7, window: { left: -1, right: 3 } }));
  const position = new Position(walk);
  const all: { readonly kind: number; readonly place: unknown }[] = [];
  for (const at = position.clone(); !at.atEnd; at.next()) all.push({ kind: at.kind(), place: at.place() });

  it("law: are those of the walk, back to the oldest that is asked for, however far one looks ahead", () => {
    expect(all.length).toBeGreaterThan(2100);
    const feed = new TileFeed(position, true);
    feed.set(position, []);
    const isRight = (tile: number): boolean =>
      feed.kind(tile) === all[tile]?.kind && JSON.stringify(feed.place(tile)) === JSON.stringify(all[tile]?.place);
    for (const [furthest, oldest] of [
      [3, -4],
      [1018, 0],
      [1030, 20],
      [1044, 20],
      [2100, 20],
      [all.length - 1, all.length - 1100],
    ] as const) {
      expect(feed.kind(furthest)).toBe(all[furthest]?.kind);
      for (let tile = Math.max(0, oldest); tile <= furthest; tile++) if (!isRight(tile)) expect.fail(`tile ${tile}`);
      feed.oldest = oldest;
    }
    expect(feed.kind(all.length)).toBe(noMore);
    expect(feed.kind(all.length + 9)).toBe(noMore);
    expect(feed.place(all.length)).toBeNull();
  });

  it("law: before the first are those of the history, the newest first, and none before them", () => {
    const feed = new TileFeed(position, false);
    for (const length of [0, 1, 5, 1023, 1024, 1500]) {
      const history = Array.from({ length }, (_, i) => 1000 + i);
      feed.set(position, history);
      for (let i = 0; i < length; i++) if (feed.kind(-1 - i) !== 1000 + i) expect.fail(`${length}: ${-1 - i}`);
      expect(feed.kind(-1 - length)).toBe(notYet);
      expect(feed.kind(900)).toBe(all[900]?.kind);
      if (length > 0) expect(feed.kind(-length)).toBe(1000 + length - 1);
      expect(feed.place(3)).toBeNull();
    }
  });

  it("are of four million tiles at the most, between the oldest and the furthest", () => {
    const feed = new TileFeed(position, false);
    feed.set(position, []);
    feed.oldest = 10;
    expect(feed.kind(2 ** 22 + 9)).toBe(noMore);
    expect(() => feed.kind(2 ** 22 + 10)).toThrow(
      /schedule: got an array with nothing to do on 4194304 tiles and more; expected one with something to do on every/,
    );
  });
});
