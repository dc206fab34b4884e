import { describe, expect, it } from "vitest";
import type { TileArrays } from "../../src/model/schedule/arrays.js";
import type { ScheduleResult } from "../../src/model/schedule/result.js";
import { simulateSchedule } from "../../src/model/schedule/simulate.js";
import type { DramChannel, TileWork } from "../../src/spec/schedule/machine.js";
import type { Schedule } from "../../src/spec/schedule/schedule.js";
import { arraysOf, dramOf, einsumOf, fromA, scheduleOf, workOf } from "./two-arrays.js";

/** All but how it was found. */
const facts = ({ tilesStepped: _, epoch: __, ...rest }: ScheduleResult): unknown => rest;

const q = { tensor: "Q", by: "queries", words: 1 } as const;
const k = { tensor: "K", by: "keys", words: 2 } as const;
const s = { tensor: "S", by: "tiles", words: 1 } as const;
const last = { ...fromA, when: "last", storedWords: 1 } as const;

const works: Readonly<Record<string, TileWork>> = {
  heads: workOf(3, 2, { heads: 30, blockTiles: 2 }),
  "heads of a tile": workOf(1, 1, { heads: 40 }),
  "heads before others": workOf(2, 3, {
    sequences: [
      { count: 20, rows: 2, keys: 3 },
      { count: 1, rows: 5, keys: 4 },
    ],
  }),
  blocks: workOf(30, 3),
  "blocks of a tile": workOf(40, 1),
  "blocks of many heads": workOf(12, 2, { heads: 3, headTiles: [2, 1] }),
  "key tiles": workOf(2, 30, { blockTiles: 2 }),
  "key tiles, the last of them smaller": workOf(2, 59, { blockTiles: 2, tileKeys: 2 }),
  "tiles of a row": workOf(40, 3, { blockTiles: 40 }),
  "tiles of a row, the last of them smaller": workOf(79, 3, { blockTiles: 40, tileRows: 2 }),
  "key tiles that later queries see": workOf(30, 30, { blockTiles: 15, window: { left: -1, right: 0 } }),
  "a window": workOf(60, 60, { blockTiles: 2, window: { left: 3, right: 0 } }),
};
type Machine = readonly [TileArrays, DramChannel | undefined];
const machinesFor = ({ blockTiles, headTiles }: TileWork): Readonly<Record<string, Machine>> => {
  // A block's queries are held, and so many more.
  const own = (more: number): number => blockTiles * Math.max(...headTiles) + more;
  return {
    "operands always there": [arraysOf({}, last), undefined],
    "queries and keys from DRAM": [arraysOf({ loads: [q, k] }, last), dramOf({ Q: own(1), K: 2 })],
    "keys of many tiles at once": [arraysOf({ loads: [q, k] }, last), dramOf({ Q: own(1), K: 12 })],
    "queries of many blocks at once": [arraysOf({ loads: [q] }, last), dramOf({ Q: own(25) })],
    "a slow channel": [arraysOf({ loads: [q, k] }, last), dramOf({ Q: own(0), K: 1 }, { bytesPerCycle: 0.3 })],
    "scores from DRAM, nothing stored": [arraysOf({ loads: [s] }, fromA), dramOf({ S: 3 })],
  };
};

describe("leaps over each loop by itself", () => {
  it.each(Object.entries(works))(
    "law: give what a full simulation gives, wherever operands come from: %s",
    (_, work) => {
      for (const [machine, [arrays, dram]] of Object.entries(machinesFor(work))) {
        const memory: { readonly dram?: DramChannel } = dram === undefined ? {} : { dram };
        for (const lag of [2, 0]) {
          const run = (leap: boolean) => simulateSchedule(scheduleOf(lag), arrays, work, { ...memory, leap });
          const [quick, full] = [run(true), run(false)];
          expect(facts(quick), machine).toEqual(facts(full));
          expect(quick.tilesStepped, machine).toBeLessThanOrEqual(full.tilesStepped);
        }
      }
    },
  );

  it("law: give it from the first tile on, where its beginning comes back with every tile", () => {
    for (const [rows, keys, heads] of [
      [1, 1, 40],
      [40, 1, 1],
      [1, 40, 1],
    ] as const) {
      for (const load of [q, k, s]) {
        const a = einsumOf("A", "pe", { points: 5, loads: [load] });
        const alone: Schedule = {
          name: "alone",
          lags: { a: 0 },
          programs: { pe: [{ streams: [{ einsum: "A", tile: "a" }] }] },
        };
        const options = { dram: dramOf({ [load.tensor]: 1 }) };
        const run = (leap: boolean) =>
          simulateSchedule(alone, { ...arraysOf({}, {}), einsums: [a] }, workOf(rows, keys, { heads }), {
            ...options,
            leap,
          });
        expect(facts(run(true)), `${load.tensor}, ${heads} heads`).toEqual(facts(run(false)));
        // Five slots; a word a cycle from the one after them on, seven cycles' latency: the next tile's first slot.
        if (heads === 40) expect(run(true).cycles).toBe(39 * (5 + load.words + 7) + 5);
      }
    }
  });

  it("law: end with the first period where that alone is asked for, and with the run where there is none", () => {
    const sequences = [30, 1, 2, 3, 4].map(keys => ({ count: 1, rows: 2 * keys, keys }));
    const work = workOf(0, 0, { sequences, blockTiles: 2 });
    const run = (options: object) => simulateSchedule(scheduleOf(2), arraysOf({}, fromA), work, options);
    const [first, whole] = [run({ untilPeriod: true }), run({})];
    // Two query tiles of a key tile, five cycles each.
    expect(first.epoch).toEqual({ cycles: 5 * 2, tiles: 2 });
    expect(first.tilesStepped).toBeLessThan(whole.tilesStepped / 2);
    expect(run({ untilPeriod: true, leap: false })).toEqual(run({ leap: false }));
  });
});
