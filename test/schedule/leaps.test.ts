import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SpecError } from "../../src/errors.js";
import type { ScheduleResult } from "../../src/model/schedule/result.js";
import { simulateSchedule } from "../../src/model/schedule/simulate.js";
import type { DramChannel, ScheduleMachine, ScheduleWork } from "../../src/spec/schedule/machine.js";
import { parseSchedule, type ScheduleText, withLag } from "../../src/spec/schedule/schedule.js";
import { texts } from "./small-cases.js";

const size = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

/** Long walks over small tiles: enough of everything for each level of repetition to be found. */
const cases = fc
  .record({
    name: fc.constantFrom(...Object.keys(texts)),
    lag: size(1, 4),
    rows: size(1, 24),
    columns: size(1, 24),
    readPorts: fc.constantFrom(1, 2, 3, Number.POSITIVE_INFINITY),
    divideCycles: size(1, 2),
    headDim: size(1, 8),
    valueDim: size(1, 8),
    heads: size(1, 8),
    queryTiles: size(1, 40),
    keyTiles: size(1, 14),
    blockTiles: size(1, 20),
    missingQueries: size(0, 3),
    missingKeys: size(0, 3),
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
    const { rows, columns, headDim, valueDim, heads, blockTiles } = c;
    const machine: ScheduleMachine = {
      rows,
      columns,
      readPorts: c.readPorts,
      writePorts: Number.POSITIVE_INFINITY,
      rmReturn: { by: "columns" },
      divideCycles: c.divideCycles,
      peRegisters: Number.POSITIVE_INFINITY,
      laneRegisters: Number.POSITIVE_INFINITY,
    };
    const work: ScheduleWork = {
      headDim,
      valueDim,
      heads,
      queries: Math.max(1, c.queryTiles * columns - c.missingQueries),
      keys: Math.max(1, c.keyTiles * rows - c.missingKeys),
      blockTiles,
    };
    const schedule = withLag(parseSchedule(c.name, texts[c.name] as ScheduleText), c.lag);
    const dram: DramChannel | undefined =
      c.dram === null
        ? undefined
        : {
            bytesPerCycle: c.dram.bytesPerCycle,
            latencyCycles: c.dram.latencyCycles,
            bytesPerWord: 2,
            tilesHeld: { q: blockTiles + c.dram.moreQueries, bk: c.dram.keysHeld, bv: c.dram.keysHeld },
          };
    return { schedule, machine, work, memory: dram === undefined ? {} : { dram } };
  });

/** What must not depend on leaps: all but how it was found. */
function facts({ tilesStepped: _, epoch: __, ...rest }: ScheduleResult): unknown {
  return rest;
}

describe("leaps over repetition", () => {
  it("give the cycles, stalls, registers and bytes of a full simulation, to the cycle", () => {
    let leapt = 0;
    let tiles = 0;
    fc.assert(
      fc.property(cases, ({ schedule, machine, work, memory }) => {
        let full: ScheduleResult;
        try {
          full = simulateSchedule(schedule, machine, work, { ...memory, leap: false });
        } catch (error) {
          if (!(error instanceof SpecError)) throw error;
          expect(() => simulateSchedule(schedule, machine, work, memory)).toThrow(SpecError);
          return;
        }
        const quick = simulateSchedule(schedule, machine, work, memory);
        expect(facts(quick)).toEqual(facts(full));
        leapt += quick.tiles - quick.tilesStepped;
        tiles += quick.tiles;
      }),
      { numRuns: 300 },
    );
    expect(leapt / tiles).toBeGreaterThan(0.3); // else the property says little
  });
});
