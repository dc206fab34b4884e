import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SpecError } from "../../src/errors.js";
import type { ScheduleResult } from "../../src/model/schedule/result.js";
import { type SimulationOptions, simulateSchedule } from "../../src/model/schedule/simulate.js";
import { type Event, type EveryCycle, everyCycle } from "./every-cycle.js";
import { Refusal } from "./every-place.js";
import { type RandomCase, randomCases } from "./random-schedules.js";

/** What `make` gives; null where it refuses. */
function orNull<T>(make: () => T, refusal: typeof SpecError | typeof Refusal): T | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof refusal) return null;
    throw error;
  }
}

const slow = ({ schedule, arrays, work, memory }: RandomCase): EveryCycle | null =>
  orNull(() => everyCycle(schedule, arrays, work, memory), Refusal);
const quick = (c: RandomCase, options: SimulationOptions = {}): ScheduleResult | null =>
  orNull(() => simulateSchedule(c.schedule, c.arrays, c.work, { ...c.memory, ...options }), SpecError);

/** Causes that were met. */
const met = (stalls: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(stalls).filter(([, n]) => n > 0));

const ofSlow = ({ events: _, arrays, ...rest }: EveryCycle) => ({
  ...rest,
  arrays: Object.fromEntries(
    Object.entries(arrays).map(([name, { busy, stalls }]) => {
      return [name, { busy, busyCycles: Object.values(busy).reduce((a, b) => a + b, 0), stalls: met(stalls) }];
    }),
  ),
});
const ofQuick = ({ cycles, latencyCycles, tiles, arrays, registers, aboveColumn, dramBytes }: ScheduleResult) => ({
  ...{ cycles, latencyCycles, tiles, registers, aboveColumn, dramBytes },
  arrays: Object.fromEntries(
    Object.entries(arrays).map(([name, { busy, busyCycles, stalls }]) => [
      name,
      { busy, busyCycles, stalls: met(stalls) },
    ]),
  ),
});

/** What a watcher of some epochs is told, cycle by cycle. */
function watched(c: RandomCase, from: number, until: number): readonly Event[] {
  const events: Event[] = [];
  quick(c, {
    watch: {
      ...{ from, until },
      onIssue: ({ array, einsum, step, tile, place: { head, m1, p }, epoch, cycle }) =>
        void events.push({ array, epoch, cycle, what: { einsum, step, tile, head, m1, p } }),
      onStall: ({ array, cause, epoch, cycle, cycles }) => {
        for (let i = 0; i < cycles; i++) events.push({ array, epoch, cycle: cycle + i, what: cause });
      },
    },
  });
  return sorted(events);
}
const sorted = (events: readonly Event[]): readonly Event[] =>
  [...events].sort((a, b) => a.cycle - b.cycle || a.array.localeCompare(b.array));

describe("a schedule executed cycle by cycle, with every tile and every value in a list", () => {
  it.each([
    ["operands that are always there", "ideal"],
    ["tiles from DRAM", "dram"],
    ["tiles that come in given cycles", "given"],
  ] as const)("law: takes the cycles, waits, registers and bytes of the simulation: %s", (_, memory) => {
    let [ran, tried, stepped, tiles] = [0, 0, 0, 0];
    fc.assert(
      fc.property(randomCases(memory), fc.nat(1000), fc.nat(20), (c, at, some) => {
        tried++;
        const expected = slow(c);
        for (const leap of [true, false]) {
          const result = quick(c, { leap });
          expect(result && ofQuick(result)).toEqual(expected && ofSlow(expected));
          if (result === null) continue;
          if (leap) stepped += result.tilesStepped;
          tiles += leap ? result.tiles : 0;
          // Without leaps each tile is stepped through, and where the first array still does something as the last ones drain, that.
          const drain = Math.max(...Object.values(c.schedule.lags));
          const more = result.tilesStepped - result.tiles;
          if (!leap) expect([more >= 0, more <= drain]).toEqual([true, true]);
        }
        if (expected === null) return;
        ran++;
        const from = at % (expected.tiles + 1);
        const within = expected.events.filter(({ epoch }) => epoch >= from && epoch < from + some);
        expect(watched(c, from, from + some)).toEqual(sorted(within));
      }),
      { numRuns: memory === "given" ? 20 : 40 },
    );
    // Some say little of how many there are.
    if (tried < 20) return;
    // The others are refused by both: an order that waits for itself, a register file that is full.
    expect(ran).toBeGreaterThan(0.6 * tried);
    // Given arrivals do not repeat.
    if (memory === "given") expect(stepped).toBeGreaterThanOrEqual(tiles);
    else expect(stepped).toBeLessThan(0.95 * tiles);
  });

  it("takes no time where there is no tile", () => {
    for (const c of fc.sample(randomCases("dram"), 12)) {
      for (const empty of [
        { rows: 0, keys: 4 },
        { rows: 4, keys: 0 },
      ]) {
        const none = { ...c, work: { ...c.work, sequences: [{ count: 2, ...empty }] } };
        const result = quick(none);
        if (result !== null)
          expect(result).toMatchObject({ cycles: 0, latencyCycles: 0, tiles: 0, dramBytes: 0, epoch: null });
      }
    }
  });
});
