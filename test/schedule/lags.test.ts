import { describe, expect, it } from "vitest";
import { SpecError } from "../../src/errors.js";
import { findLags } from "../../src/model/schedule/lags.js";
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
