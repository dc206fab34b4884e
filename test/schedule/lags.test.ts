import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SpecError } from "../../src/errors.js";
import { bestLag } from "../../src/model/schedule/lag-search.js";
import { epochOf, findLags, keyOf, trialOf } from "../../src/model/schedule/lags.js";
import { likelyLag } from "../../src/model/schedule/likely-lag.js";
import { scheduleOfDesign } from "../../src/model/schedule/of-design.js";
import { simulateSchedule } from "../../src/model/schedule/simulate.js";
import { parseSchedule, type ScheduleText, withLag } from "../../src/spec/schedule/schedule.js";
import { fusemaxWith, texts } from "./small-cases.js";

interface Case {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly climbs: number;
  readonly E: number;
  readonly F: number;
  readonly blockTiles: number;
  readonly queries?: number;
}

function made({ rows, columns, depth, climbs, E, F, blockTiles, queries = blockTiles * columns }: Case) {
  const { compiled, variables } = fusemaxWith({
    "architecture.parameters.rows": rows,
    "architecture.parameters.columns": columns,
    "architecture.timing.rmReturn": climbs,
    "architecture.levels.registers2d.depth": depth,
    "architecture.levels.registers1d.depth": depth,
    "mapping.symbols.queryTiles": blockTiles,
  });
  const sizes = { B: 1, H: 1, E, F, M: 40 * rows, queries, modelDim: 1, feedForward: 1 };
  return scheduleOfDesign(compiled, { sizes, variables });
}

/** Cycles of an epoch at a lag, in the middle of a block; null where it does not fit. */
function epochAt(name: string, lag: number, { arrays, work }: ReturnType<typeof made>): number | null {
  try {
    const schedule = withLag(parseSchedule(name, texts[name] as ScheduleText), lag);
    const { epoch, cycles, tiles } = simulateSchedule(schedule, arrays, work, { untilPeriod: true });
    return epoch === null ? cycles / tiles : epoch.cycles / epoch.tiles;
  } catch (error) {
    if (error instanceof SpecError) return null;
    throw error;
  }
}

const free = { rows: 4, columns: 2, depth: 1e6, climbs: 12, E: 3, F: 2, blockTiles: 2 };

describe("a lag that is to be found", () => {
  it.each<readonly [string, string, Partial<Case>]>([
    ["as long as the way back is", "fusemax", { blockTiles: 1 }],
    ["none, where one is no better", "BQK first, AV interleaved", { rows: 1, climbs: 0 }],
    ["one, of several that are as good", "BQK first, AV interleaved", {}],
    ["more, where none deadlocks", "SPNV before RNV", {}],
    ["less than it would be, as more does not fit the registers", "BQK first, AV interleaved", { depth: 6 }],
    ["the only one that fits", "SPNV before RNV", { depth: 5 }],
    ["none that fits", "BQK first, AV interleaved", { depth: 5 }],
    ["for blocks that are not full", "fusemax", { blockTiles: 3, queries: 2 }],
    ["one for each tile of its queries", "figure 4", { blockTiles: 3 }],
    ["none where a block has room for more query tiles than there are", "figure 4", { blockTiles: 3, queries: 2 }],
    ["for one query tile", "SPNV before RNV", { blockTiles: 4, queries: 2, climbs: 30 }],
  ])("law: is the smallest whose epochs are the shortest, of all that fit the register files: %s", (_, name, other) => {
    const own = made({ ...free, ...other });
    const all = Array.from({ length: 10 }, (_, lag) => epochAt(name, lag, own));
    const shortest = Math.min(...all.map(epoch => epoch ?? Number.POSITIVE_INFINITY));
    const spec = parseSchedule(name, texts[name] as ScheduleText);
    const find = () => findLags(spec, own.arrays, own.work);
    if (Number.isFinite(shortest)) expect(find()).toEqual(withLag(spec, all.indexOf(shortest)));
    else expect(find).toThrow(SpecError);
  });

  it("is not looked for where none is left open", () => {
    const own = made({ rows: 2, columns: 2, depth: 9, climbs: 0, E: 2, F: 2, blockTiles: 1 });
    const spec = parseSchedule("one tile", texts["one tile"] as ScheduleText);
    expect(findLags(spec, own.arrays, own.work)).toEqual(withLag(spec, 0));
  });

  it("is as long as the way is, in epochs of the operations: up to 32 of them", () => {
    const { rows, columns, E, F, blockTiles } = { rows: 1, columns: 1, E: 1, F: 1, blockTiles: 64 };
    const lagOf = (climbs: number): number | undefined => {
      const own = made({ rows, columns, depth: 1e6, climbs, E, F, blockTiles });
      // A block has tiles enough for all that are on their way.
      return findLags(parseSchedule("fusemax", texts["fusemax"] as ScheduleText), own.arrays, own.work).lags["c"];
    };
    // RM, PRM (7), SPD, RD and a turn of SPNV and RNV take 12 cycles of the 1D array.
    expect(lagOf(600)).toBe(32);
    expect([0, 9, 10, 11, 22, 23].map(lagOf)).toEqual(
      [0, 9, 10, 11, 22, 23].map(climbs => Math.ceil((climbs + 1) / 12)),
    );
  });
});

describe("the run that a lag is tried with", () => {
  const work = {
    sequences: [
      { count: 3, rows: 5, keys: 7 },
      { count: 1, rows: 2, keys: 99 },
    ],
    ...{ group: 2, window: { left: 3, right: 0 }, heads: 5, headTiles: [1], blockTiles: 9, tileRows: 2, tileKeys: 3 },
  };

  it("is a block of whole tiles that all see each other, 96 of keys", () => {
    // Five rows of the longest sequence are three tiles.
    expect(trialOf(work)).toEqual({
      sequences: [{ count: 1, rows: 3 * 2, keys: 96 * 3 }],
      ...{
        group: 1,
        window: { left: -1, right: -1 },
        heads: 1,
        headTiles: [1],
        blockTiles: 3,
        tileRows: 2,
        tileKeys: 3,
      },
    });
  });

  it.each([
    ["as many as a block has", { blockTiles: 2 }, 2],
    ["those of all heads that share it, where most do", { blockTiles: 1, headTiles: [3, 2] }, 3],
    ["four of more", { blockTiles: 3, headTiles: [2] }, 4],
    ["four where there are many", { tileRows: 1 }, 4],
    ["one where there are no rows", { sequences: [] }, 1],
  ])("has query tiles enough to tell what is carried over how many: %s", (_, other, tiles) => {
    const { blockTiles, sequences, tileRows } = trialOf({ ...work, ...other });
    expect([blockTiles, sequences[0]?.rows]).toEqual([tiles, tiles * tileRows]);
  });

  it("says what an epoch takes by what repeats, or by the mean where nothing does", () => {
    const epoch = { cycles: 21, tiles: 6 };
    expect(epochOf({ epoch, cycles: 90, tiles: 20 })).toBe(3.5);
    expect(epochOf({ epoch: null, cycles: 90, tiles: 20 })).toBe(4.5);
  });

  it("is remembered by all its numbers, of which no limit is one", () => {
    expect(keyOf([1, { ports: Infinity }])).toBe(keyOf([1, { ports: Infinity }]));
    expect(keyOf([Infinity])).not.toBe(keyOf([Number.NaN]));
    expect(keyOf([1])).not.toBe(keyOf([2]));
  });
});

describe("where the search for a lag begins", () => {
  const of = (name: string, own: ReturnType<typeof made>) =>
    likelyLag(parseSchedule(name, texts[name] as ScheduleText), own.arrays);

  it("is the way down and back in epochs of the longer program, both counted by hand", () => {
    // 2D: 3 turns of BQK and 2 of SLNV, LM, SLN (7), SLD and an idle slot; none for AV, which most tiles have not.
    expect(of("fusemax", made({ ...free, climbs: 13 }))).toEqual({ shortest: 15, lag: Math.ceil((4 + 14 - 1) / 15) });
    // 1D: 9 of SPNV and of RNV, RM, PRM (7), SPD and RD; 2D: SLNV keeps BQK company for 9 turns, 3 of them together.
    expect(of("fusemax", made({ ...free, F: 9, climbs: 24 }))).toEqual({ shortest: 28, lag: 1 });
    expect(of("fusemax", made({ ...free, F: 9, climbs: 25 }))).toEqual({ shortest: 28, lag: 2 });
  });

  it("is none where values take no longer than the cycle they are made in, or go nowhere", () => {
    const { arrays } = made(free);
    expect(
      likelyLag(parseSchedule("one tile", texts["one tile"] as ScheduleText), {
        ...arrays,
        einsums: arrays.einsums.map(einsum => ({ ...einsum, uses: [] })),
      }).lag,
    ).toBe(0);
  });
});

describe("the search for the lag with the shortest epochs", () => {
  const refusal = new SpecError({ where: "here", got: "x", expected: "y" });
  const none = { shortest: 0, lag: 33 };
  /** Epochs by lag, null for a refusal; the last is that of all further lags. */
  const search = (epochs: readonly (number | null)[], likely = none) => {
    const tried: number[] = [];
    const attempt = (lag: number): number | SpecError => {
      tried.push(lag);
      return epochs[Math.min(lag, epochs.length - 1)] ?? refusal;
    };
    return { lag: bestLag(attempt, likely), tried };
  };

  it.each<readonly [string, readonly (number | null)[], number, number]>([
    ["that are no better", [5, 5, 5, 5, 1], 0, 3],
    ["since the best", [5, 5, 4, 4, 4, 3, 3, 3, 3, 1], 5, 8],
    ["after a refusal, but not before the first that runs", [null, null, null, null, null, 7, 6, null, 5], 6, 7],
    ["past the 32nd", [...Array.from({ length: 33 }, (_, lag) => 100 - lag), 1], 32, 32],
  ])("law: tries each lag from none up, and gives up %s", (_, epochs, lag, last) => {
    const found = search(epochs);
    expect(found.lag).toBe(lag);
    expect(found.tried).toEqual(Array.from({ length: last + 1 }, (_, lag) => lag));
  });

  it("throws the first refusal where each lag is refused", () => {
    const refusals = Array.from(
      { length: 33 },
      (_, lag) => new SpecError({ where: `${lag}`, got: "x", expected: "y" }),
    );
    expect(() => bestLag(lag => refusals[lag] ?? 1, none)).toThrow(refusals[0]);
  });

  it("tries the likely lag and one less where the one reaches the bound and the other does not", () => {
    expect(search([9, 8, 7, 7], { shortest: 7, lag: 2 })).toEqual({ lag: 2, tried: [2, 1] });
    expect(search([null, 7], { shortest: 7, lag: 1 })).toEqual({ lag: 1, tried: [1, 0] });
    expect(search([7, 8], { shortest: 7, lag: 0 })).toEqual({ lag: 0, tried: [0] });
    const rising = Array.from({ length: 33 }, (_, lag) => 40 - lag);
    expect(search(rising, { shortest: 8, lag: 32 })).toEqual({ lag: 32, tried: [32, 31] });
  });

  it("law: finds the smallest of the best, whatever was likely, where more lag is never worse", () => {
    const falling = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }).map(own => {
      return [...new Set(own)].sort((a, b) => b - a);
    });
    const likely = fc.record({ shortest: fc.integer({ min: 1, max: 9 }), lag: fc.nat(9) });
    fc.assert(
      fc.property(falling, likely, (epochs, { shortest, lag }) => {
        const { lag: found, tried } = search(epochs, { shortest: Math.min(shortest, ...epochs), lag });
        expect(found).toBe(epochs.length - 1);
        expect(new Set(tried).size).toBe(tried.length);
      }),
    );
  });
});
