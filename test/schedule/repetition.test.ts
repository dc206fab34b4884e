import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Loop, loops, Repetition, Tallies, type Tally } from "../../src/model/schedule/repetition.js";

// What a run counts loop by loop, against one sum of all; and what comes back, against a list of all that was met.

const small = fc.integer({ min: 0, max: 3 });
const tally = fc
  .record({ cycle: small, tiles: small, counters: fc.tuple(small, small, small) })
  .map(({ counters, ...own }): Tally => ({ ...own, counters: Float64Array.from(counters) }));

type Step =
  | { readonly count: number; readonly growth: readonly [number, number]; readonly end: number | null }
  | { readonly gather: Loop }
  | { readonly repeat: Loop; readonly times: number; readonly tally: Tally };

const steps = fc.array(
  fc.oneof(
    fc.record({ count: small, growth: fc.tuple(small, small), end: fc.option(small) }),
    fc.record({ gather: fc.constantFrom(...loops) }),
    fc.record({ repeat: fc.constantFrom(...loops), times: small, tally }),
  ),
  { maxLength: 12 },
);

describe("what a run counts loop by loop", () => {
  it("law: is what is counted in one sum, whichever loops it went to; the last counter has the outputs", () => {
    fc.assert(
      fc.property(steps, list => {
        const own = new Tallies(3);
        own.begin(Float64Array.of(5, 7));
        const sum = { cycle: 0, tiles: 0, counters: [5, 7, 0], end: Number.NEGATIVE_INFINITY };
        const of: Record<Loop, number> = { tiles: 0, rows: 0, blocks: 0, heads: 0 };
        for (const step of list as readonly Step[]) {
          if ("count" in step) {
            const { count, growth, end } = step;
            own.count(count, Float64Array.from(growth), end ?? Number.NEGATIVE_INFINITY);
            if (end !== null) sum.end = Math.max(sum.end, sum.cycle + end);
            const more = [...growth, end === null ? 0 : 1];
            sum.counters = sum.counters.map((n, i) => n + (more[i] as number));
            sum.cycle += count;
            sum.tiles++;
            of.tiles++;
          } else if ("gather" in step) {
            own.gather(step.gather);
            const inner = loops.slice(0, loops.indexOf(step.gather));
            for (const loop of inner) {
              of[step.gather] += of[loop];
              of[loop] = 0;
            }
          } else {
            const { tally: each, times } = step;
            own.repeat(step.repeat, { iterations: 1, tally: each }, times);
            if ((each.counters[2] as number) > 0) sum.end += times * each.cycle;
            sum.counters = sum.counters.map((n, i) => n + times * (each.counters[i] as number));
            sum.cycle += times * each.cycle;
            sum.tiles += times * each.tiles;
            of[step.repeat] += times * each.tiles;
          }
          expect({ cycle: own.cycle, tiles: own.tiles, counters: [0, 1, 2].map(i => own.counter(i)) }).toEqual({
            cycle: sum.cycle,
            tiles: sum.tiles,
            counters: sum.counters,
          });
          expect(own.end).toBe(sum.end);
          expect(Object.fromEntries(loops.map(loop => [loop, own.of(loop).tiles]))).toEqual(of);
        }
      }),
    );
  });

  it("begins anew within a loop that has gathered it: cycles, tiles and counters", () => {
    const own = new Tallies(2);
    own.count(5, Float64Array.of(7), 3);
    own.gather("rows");
    expect(own.of("tiles")).toEqual({ cycle: 0, tiles: 0, counters: Float64Array.of(0, 0) });
    expect(own.of("rows")).toEqual({ cycle: 5, tiles: 1, counters: Float64Array.of(7, 1) });
    own.gather("tiles");
    expect(own.of("rows").tiles).toBe(1);
  });

  it("has no end before an output", () => {
    const own = new Tallies(1);
    own.count(5, new Float64Array(0), Number.NEGATIVE_INFINITY);
    expect([own.end, own.cycle, own.counter(0)]).toEqual([Number.NEGATIVE_INFINITY, 5, 0]);
    own.count(1, new Float64Array(0), 0);
    expect([own.end, own.counter(0)]).toEqual([5, 1]);
  });
});

describe("a state that comes back", () => {
  it("law: makes a period of all since it was met, after which nothing has been met", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.nat(9)), { maxLength: 20 }), list => {
        const repetition = new Repetition();
        let met: { readonly state: number; readonly index: number; readonly cycle: number }[] = [];
        // One tally that goes on, as a run's does.
        const now: Tally = { cycle: 0, tiles: 0, counters: new Float64Array(2) };
        list.forEach(([state, cycles], i) => {
          now.cycle += cycles;
          now.tiles += 2;
          now.counters[0] = now.cycle * 3;
          now.counters[1] = i;
          const index = 3 * i;
          const before = met.find(own => own.state === state);
          const period = repetition.meet(state, index, now);
          if (before === undefined) {
            expect(period).toBeNull();
            met.push({ state, index, cycle: now.cycle });
            return;
          }
          const [iterations, cycle] = [index - before.index, now.cycle - before.cycle];
          expect(period).toEqual({
            iterations,
            tally: { cycle, tiles: (2 * iterations) / 3, counters: Float64Array.of(3 * cycle, iterations / 3) },
          });
          met = [];
        });
      }),
    );
  });

  it("is not known any more where a loop begins anew", () => {
    const repetition = new Repetition();
    const now: Tally = { cycle: 0, tiles: 0, counters: new Float64Array(0) };
    expect(repetition.meet("a", 0, now)).toBeNull();
    repetition.clear();
    expect(repetition.meet("a", 1, now)).toBeNull();
    expect(repetition.meet("a", 3, now)?.iterations).toBe(2);
  });
});
