import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SpecError } from "../../src/errors.js";
import { scheduleOfDesign } from "../../src/model/schedule/of-design.js";
import type { ScheduleResult } from "../../src/model/schedule/result.js";
import { simulateSchedule } from "../../src/model/schedule/simulate.js";
import type { DramChannel, TileWork } from "../../src/spec/schedule/machine.js";
import { parseSchedule, type ScheduleText, withLag } from "../../src/spec/schedule/schedule.js";
import { fusemaxWith, texts } from "./small-cases.js";

const size = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

/** FuseMax's Einsums on arrays of other sizes, with other costs. */
function arraysWith(c: {
  readonly rows: number;
  readonly columns: number;
  readonly readPorts: number;
  readonly costs: Readonly<Record<string, number>>;
  readonly headDim: number;
  readonly valueDim: number;
}) {
  const { compiled, variables } = fusemaxWith({
    "architecture.parameters.rows": c.rows,
    "architecture.parameters.columns": c.columns,
    "architecture.timing.bufferReadRows": Number.isFinite(c.readPorts) ? c.readPorts : "unlimited",
    "architecture.levels.registers2d.depth": 1e6,
    "architecture.levels.registers1d.depth": 1e6,
    ...Object.fromEntries(Object.entries(c.costs).map(([field, value]) => [`architecture.arrays.${field}`, value])),
  });
  const sizes = { B: 1, H: 1, E: c.headDim, F: c.valueDim, M: c.rows, queries: c.columns, modelDim: 1, feedForward: 1 };
  return scheduleOfDesign(compiled, { sizes, variables }).arrays;
}

const window = fc.oneof(
  fc.constant({ left: -1, right: -1 }),
  fc.constant({ left: -1, right: 0 }),
  fc.record({ left: size(0, 60), right: fc.constantFrom(0, 0, 3, -1) }),
);

/** Long walks over small tiles, masked or not: enough of everything for each level of repetition to be found. */
const cases = fc
  .record({
    name: fc.constantFrom(...Object.keys(texts)),
    lag: size(1, 4),
    rows: size(1, 24),
    columns: size(1, 24),
    readPorts: fc.constantFrom(1, 2, 3, Number.POSITIVE_INFINITY),
    divide: size(1, 3),
    mac: size(1, 2),
    max: fc.constantFrom(1, 1, 4),
    headDim: size(1, 8),
    valueDim: size(1, 8),
    heads: size(1, 6),
    headTiles: fc.constantFrom<readonly number[]>([1], [1], [2, 2], [3, 1]),
    queryTiles: size(1, 40),
    keyTiles: size(1, 14),
    blockTiles: size(1, 20),
    missingQueries: size(0, 3),
    missingKeys: size(0, 3),
    other: fc.option(fc.record({ queryTiles: size(1, 12), keyTiles: size(1, 12) }), { nil: null }),
    group: size(1, 3),
    window,
    dram: fc.option(
      fc.record({
        bytesPerCycle: fc.constantFrom(3, 8.5, 64, 456.9),
        latencyCycles: size(0, 40),
        moreQueries: size(0, 12),
        keysHeld: size(2, 4),
      }),
      { nil: null },
    ),
  })
  .map(c => {
    const { rows, columns, blockTiles, headTiles, group } = c;
    const arrays = arraysWith({
      ...c,
      costs: { "1d.operations.divide": c.divide, "2d.operations.mac": c.mac, "1d.operations.max": c.max },
    });
    const whole = (tiles: number): number => Math.max(group, Math.floor((tiles * columns) / group) * group);
    const work: TileWork = {
      sequences: [
        {
          count: 2,
          rows: Math.max(group, whole(c.queryTiles) - c.missingQueries * group),
          keys: Math.max(1, c.keyTiles * rows - c.missingKeys),
        },
        ...(c.other === null ? [] : [{ count: 1, rows: whole(c.other.queryTiles), keys: c.other.keyTiles * rows }]),
      ],
      group,
      window: c.window,
      heads: c.heads,
      headTiles,
      blockTiles,
      tileRows: columns,
      tileKeys: rows,
    };
    const schedule = withLag(parseSchedule(c.name, texts[c.name] as ScheduleText), c.lag);
    const held = c.dram === null ? 0 : Math.max(...headTiles) * blockTiles + c.dram.moreQueries;
    const dram: DramChannel | undefined =
      c.dram === null
        ? undefined
        : {
            bytesPerCycle: c.dram.bytesPerCycle,
            latencyCycles: c.dram.latencyCycles,
            elementBytes: { Q: 2, BK: 2, BV: 2, AV: 2 },
            tilesHeld: { Q: held, BK: c.dram.keysHeld, BV: c.dram.keysHeld },
          };
    return { schedule, arrays, work, memory: dram === undefined ? {} : { dram } };
  });

/** What must not depend on leaps: all but how it was found. */
function facts({ tilesStepped: _, epoch: __, ...rest }: ScheduleResult): unknown {
  return rest;
}

const smallArrays = { rows: 4, columns: 3, readPorts: Number.POSITIVE_INFINITY, headDim: 5, valueDim: 4 };

/** Tiles that are stepped through before something repeats, operands always there and from DRAM: what it was when it was written. */
const steps: Readonly<Record<string, readonly [number, number]>> = {
  fusemax: [23, 47],
  "figure 4": [51, 77],
  "one tile": [14, 32],
  "BQK first, AV interleaved": [29, 57],
  "SPNV before RNV": [25, 53],
};

describe("leaps over repetition", () => {
  it("give the cycles, stalls, registers and bytes of a full simulation, to the cycle", () => {
    let leapt = 0;
    let tiles = 0;
    fc.assert(
      fc.property(cases, ({ schedule, arrays, work, memory }) => {
        let full: ScheduleResult;
        try {
          full = simulateSchedule(schedule, arrays, work, { ...memory, leap: false });
        } catch (error) {
          if (!(error instanceof SpecError)) throw error;
          expect(() => simulateSchedule(schedule, arrays, work, memory)).toThrow(SpecError);
          return;
        }
        const quick = simulateSchedule(schedule, arrays, work, memory);
        expect(facts(quick)).toEqual(facts(full));
        leapt += quick.tiles - quick.tilesStepped;
        tiles += quick.tiles;
      }),
      { numRuns: 60 },
    );
    expect(leapt / tiles).toBeGreaterThan(0.3); // else the property says little
  });

  it.each(["heads", "query tiles", "key tiles"])("law: twice as many %s are stepped through as quickly", loop => {
    const costs = { "1d.operations.divide": 1, "2d.operations.mac": 1, "1d.operations.max": 1 };
    const arrays = arraysWith({ ...smallArrays, costs });
    for (const [name, text] of Object.entries(texts)) {
      for (const isFromDram of [false, true]) {
        const stepped = (times: number): ScheduleResult => {
          const many = (which: string): number => (which === loop ? times : 1);
          const work: TileWork = {
            sequences: [{ count: 1, rows: 6 * 3 * many("query tiles"), keys: 8 * 4 * many("key tiles") }],
            ...{ group: 1, window: { left: -1, right: -1 }, heads: 3 * many("heads"), headTiles: [1] },
            ...{ blockTiles: 2, tileRows: 3, tileKeys: 4 },
          };
          const elementBytes = { Q: 2, BK: 2, BV: 2, AV: 2 };
          const tilesHeld = { Q: 4, BK: 3, BV: 3 };
          const dram: DramChannel = { bytesPerCycle: 64, latencyCycles: 20, elementBytes, tilesHeld };
          return simulateSchedule(withLag(parseSchedule(name, text), 2), arrays, work, isFromDram ? { dram } : {});
        };
        const [once, twice] = [stepped(60), stepped(120)];
        expect(once.tilesStepped, `${name}, from DRAM: ${isFromDram}`).toBe(steps[name]?.[isFromDram ? 1 : 0]);
        expect(twice.tiles).toBe(2 * once.tiles);
        expect(twice.tilesStepped, `${name}, from DRAM: ${isFromDram}`).toBeLessThanOrEqual(once.tilesStepped);
        expect(once.tilesStepped).toBeLessThan(once.tiles / 10);
      }
    }
  });

  it.each([
    ["heads", 1e9],
    ["blocks of queries", 1e9],
    ["key tiles", 1e8],
    ["tiles of a row", 2e4],
  ] as const)("law: of very many %s each takes what the ones before it took", (loop, many) => {
    const costs = { "1d.operations.divide": 1, "2d.operations.mac": 1, "1d.operations.max": 1 };
    const arrays = arraysWith({ ...smallArrays, costs });
    const schedule = withLag(parseSchedule("fusemax", texts["fusemax"] as ScheduleText), 2);
    for (const isFromDram of [false, true]) {
      if (isFromDram && loop === "tiles of a row") continue;
      const run = (times: number): ScheduleResult => {
        const of = (which: string, otherwise: number): number => (which === loop ? times : otherwise);
        const blockTiles = of("tiles of a row", 2);
        const work: TileWork = {
          sequences: [
            { count: 1, rows: 3 * blockTiles * of("blocks of queries", 3) - 1, keys: 4 * of("key tiles", 5) },
          ],
          ...{ group: 1, window: { left: -1, right: -1 }, heads: of("heads", 3), headTiles: [1] },
          ...{ blockTiles, tileRows: 3, tileKeys: 4 },
        };
        const elementBytes = { Q: 2, BK: 2, BV: 2, AV: 2 };
        const tilesHeld = { Q: 2 * blockTiles, BK: 3, BV: 3 };
        const dram: DramChannel = { bytesPerCycle: 64, latencyCycles: 20, elementBytes, tilesHeld };
        return simulateSchedule(schedule, arrays, work, isFromDram ? { dram } : {});
      };
      const counts = ({ cycles, latencyCycles, dramBytes, tiles, arrays: all }: ScheduleResult): readonly number[] => [
        ...[cycles, latencyCycles, dramBytes, tiles],
        ...Object.values(all).flatMap(({ busy, stalls }) => [...Object.values(busy), ...Object.values(stalls)]),
      ];
      // What 60 more take, among few and among many.
      const [few, more, most] = [run(60), run(120), run(many)].map(counts) as [number[], number[], number[]];
      const each = few.map((count, i) => ((more[i] as number) - count) / 60);
      expect(most, `from DRAM: ${isFromDram}`).toEqual(
        few.map((count, i) => count + (many - 60) * (each[i] as number)),
      );
    }
  });

  it("law: to watch some epochs takes no more than what is before them, of which what repeats is left out", () => {
    const costs = { "1d.operations.divide": 1, "2d.operations.mac": 1, "1d.operations.max": 1 };
    const arrays = arraysWith({ ...smallArrays, costs });
    const schedule = withLag(parseSchedule("fusemax", texts["fusemax"] as ScheduleText), 2);
    const work: TileWork = {
      sequences: [{ count: 1, rows: 6 * 1e5, keys: 20 }],
      ...{
        group: 1,
        window: { left: -1, right: -1 },
        heads: 2,
        headTiles: [1],
        blockTiles: 2,
        tileRows: 3,
        tileKeys: 4,
      },
    };
    const epochs = new Set<number>();
    const watch = {
      from: 300_000,
      until: 300_004,
      onStall: () => {},
      onIssue: (own: { epoch: number }) => void epochs.add(own.epoch),
    };
    const { tilesStepped } = simulateSchedule(schedule, arrays, work, { watch });
    expect([...epochs].sort((a, b) => a - b)).toEqual([300_000, 300_001, 300_002, 300_003]);
    expect(tilesStepped).toBeLessThan(100);
  });

  it("steps through longer rows of tiles as quickly where their operands are there", () => {
    const costs = { "1d.operations.divide": 1, "2d.operations.mac": 1, "1d.operations.max": 1 };
    const arrays = arraysWith({ ...smallArrays, costs });
    for (const isFromDram of [false, true]) {
      const stepped = (blockTiles: number): ScheduleResult => {
        const work: TileWork = {
          sequences: [{ count: 1, rows: 3 * blockTiles, keys: 20 }],
          ...{ group: 1, window: { left: -1, right: -1 }, heads: 1, headTiles: [1] },
          ...{ blockTiles, tileRows: 3, tileKeys: 4 },
        };
        const elementBytes = { Q: 2, BK: 2, BV: 2, AV: 2 };
        const tilesHeld = { Q: 2 * blockTiles, BK: 3, BV: 3 };
        const dram: DramChannel = { bytesPerCycle: 64, latencyCycles: 20, elementBytes, tilesHeld };
        const schedule = withLag(parseSchedule("fusemax", texts["fusemax"] as ScheduleText), 2);
        return simulateSchedule(schedule, arrays, work, isFromDram ? { dram } : {});
      };
      const [once, twice] = [stepped(60), stepped(120)];
      expect(once.tiles).toBe(300);
      // From DRAM the queries of the first rows come one after the other: each of these is another state.
      expect([once.tilesStepped, twice.tilesStepped]).toEqual(isFromDram ? [153, 273] : [40, 40]);
    }
  });
});
