import { describe, expect, it } from "vitest";
import { scheduleOfDesign } from "../../src/model/schedule/of-design.js";
import type { ScheduleResult } from "../../src/model/schedule/result.js";
import { simulateSchedule } from "../../src/model/schedule/simulate.js";
import type { DramChannel, TileWork } from "../../src/spec/schedule/machine.js";
import { parseSchedule, type ScheduleText, withLag } from "../../src/spec/schedule/schedule.js";
import { fusemaxWith, texts } from "./small-cases.js";

const { compiled, variables } = fusemaxWith({
  "architecture.parameters.rows": 2,
  "architecture.parameters.columns": 2,
  "architecture.levels.registers2d.depth": 1e6,
  "architecture.levels.registers1d.depth": 1e6,
});
const sizes = { B: 1, H: 1, E: 1, F: 1, M: 2, queries: 2, modelDim: 1, feedForward: 1 };
const { arrays } = scheduleOfDesign(compiled, { sizes, variables });
const schedule = withLag(parseSchedule("fusemax", texts["fusemax"] as ScheduleText), 1);

interface Case {
  /** Query and key tiles of each sequence, a half where the last is smaller, and how many there are. */
  readonly tiles: readonly (readonly [queries: number, keys: number, count?: number])[];
  readonly blockTiles: number;
  readonly heads?: number;
  readonly headTiles?: readonly number[];
  readonly right?: number;
}

function simulate(c: Case, isFromDram: boolean, leap: boolean): ScheduleResult {
  const { heads = 1, headTiles = [1], right = -1, blockTiles } = c;
  const work: TileWork = {
    sequences: c.tiles.map(([queries, keys, count = 1]) => ({ count, rows: 2 * queries, keys: 2 * keys })),
    ...{ group: 1, window: { left: -1, right }, heads, headTiles, blockTiles, tileRows: 2, tileKeys: 2 },
  };
  const held = Math.max(...headTiles) * blockTiles + 1;
  const dram: DramChannel = {
    ...{ bytesPerCycle: 1, latencyCycles: 5, elementBytes: { Q: 1, BK: 1, BV: 1, AV: 1 } },
    tilesHeld: { Q: held, BK: 2, BV: 2 },
  };
  return simulateSchedule(schedule, arrays, work, isFromDram ? { leap, dram } : { leap });
}

const counts = [2, 3, 4, 5, 14] as const;

/** Of so many iterations the tiles that are stepped through, operands always there and from DRAM: what it was when it was written. */
const cases: readonly (readonly [string, (n: number) => Case, readonly number[], readonly number[]])[] = [
  ["heads", n => ({ tiles: [[1, 3]], blockTiles: 1, heads: n }), [8, 11, 11, 11, 11], [8, 11, 14, 14, 14]],
  [
    "heads of two blocks",
    n => ({ tiles: [[2, 2]], blockTiles: 1, heads: n }),
    [10, 10, 10, 10, 10],
    [10, 11, 11, 11, 11],
  ],
  [
    "heads in blocks of two sizes",
    n => ({ tiles: [[1, 2]], blockTiles: 1, heads: n, headTiles: [2, 1] }),
    [14, 14, 14, 14, 14],
    [14, 17, 17, 17, 17],
  ],
  ["blocks of queries", n => ({ tiles: [[n, 2]], blockTiles: 1 }), [6, 8, 10, 10, 10], [6, 8, 10, 11, 11]],
  [
    "blocks of queries, the last smaller",
    n => ({ tiles: [[2 * n + 0.5, 1]], blockTiles: 2, heads: 2 }),
    [12, 15, 17, 17, 17],
    [12, 15, 17, 17, 17],
  ],
  ["key tiles", n => ({ tiles: [[2, n]], blockTiles: 2 }), [6, 8, 10, 12, 14], [6, 8, 10, 12, 14]],
  [
    "key tiles, the last smaller",
    n => ({ tiles: [[1, n + 0.5]], blockTiles: 1, heads: 2 }),
    [8, 10, 12, 14, 17],
    [8, 10, 12, 14, 20],
  ],
  ["tiles of a row", n => ({ tiles: [[2 * n, 2]], blockTiles: 2 * n }), [10, 14, 18, 20, 20], [10, 14, 18, 22, 58]],
  [
    "sequences of two lengths",
    n => ({
      tiles: [
        [2, 3, n],
        [3, 2, n],
      ],
      blockTiles: 2,
    }),
    [24, 24, 24, 24, 24],
    [24, 27, 27, 27, 27],
  ],
  [
    "key tiles under a causal mask",
    n => ({ tiles: [[2, n]], blockTiles: 2, right: 0, heads: 4 }),
    [11, 13, 15, 17, 21],
    [13, 17, 21, 25, 33],
  ],
];

describe("what repeats in a small run is left out as soon as it is met", () => {
  it.each(cases)("law: with all that it counts, to the cycle: %s", (_, caseOf, ideal, fromDram) => {
    const stepped = [false, true].map(isFromDram =>
      counts.map(n => {
        const [quick, full] = [simulate(caseOf(n), isFromDram, true), simulate(caseOf(n), isFromDram, false)];
        expect({ ...quick, tilesStepped: 0, epoch: null }).toEqual({ ...full, tilesStepped: 0, epoch: null });
        return quick.tilesStepped;
      }),
    );
    expect(stepped).toEqual([ideal, fromDram]);
  });
});
