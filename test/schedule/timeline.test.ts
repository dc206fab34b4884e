import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { evaluate } from "../../src/model/evaluate.js";
import { simulateDesign } from "../../src/model/schedule/simulate-design.js";
import { epochCount, scheduleTimeline } from "../../src/model/schedule/timeline.js";
import { loadDesign } from "../../src/spec/load.js";

const sizes = { B: 1, H: 2, E: 5, F: 4, M: 22, queries: 12, modelDim: 4, feedForward: 4 };
const compiled = (name: string, bytesPerSecond = 1e12) =>
  compileDesign(loadDesign(specFiles, name), {
    patches: [
      { path: "architecture.parameters.rows", value: 4 },
      { path: "architecture.parameters.columns", value: 4 },
      { path: "architecture.levels.dram.bytesPerSecond", value: bytesPerSecond },
    ],
  });

describe.each(["fusemax", "architecture"])("the timeline of %s", name => {
  const made = () => {
    const design = compiled(name);
    const all = epochCount(design, { sizes });
    const whole = () => scheduleTimeline(design, { sizes }, { first: 0, last: all - 1 }, { memory: "ideal" });
    return { design, all, whole };
  };

  it("law: has each Einsum on each tile once, as long as the analysis counts, in a tile's own place", () => {
    const { design, whole } = made();
    const { slices, einsums, streams, schedule } = whole();
    const { counts } = evaluate(design, sizes);
    expect([...einsums].sort()).toEqual(counts.map(count => count.name).sort());
    const arrayOf = new Map(counts.map(count => [count.name, count.array]));
    // The 2D array's first, then the 1D array's.
    expect(
      einsums
        .map(einsum => arrayOf.get(einsum))
        .join()
        .replace(/(\w+)(,\1)+/g, "$1"),
    ).toBe("2d,1d");
    for (const { name: einsum, cycles, array } of counts) {
      const own = slices.filter(slice => slice.einsum === einsum);
      expect(
        own.reduce((sum, { issued }) => sum + issued, 0),
        einsum,
      ).toBe(cycles);
      expect(new Set(own.map(({ tile }) => tile)).size).toBe(own.length);
      for (const slice of own) {
        expect(slice.array).toBe(array);
        expect(slice.end - slice.start).toBeGreaterThanOrEqual(slice.issued);
        // Two heads of three query tiles and six key tiles, the keys outside.
        const { head, m1, p, tile, letter, epoch } = slice;
        expect([head < 2, m1 < 6, p < 3, tile < 36]).toEqual([true, true, true, true]);
        expect(epoch).toBe(tile + (schedule.lags[letter] as number));
        expect(slice.stream).toBeLessThan(streams[array] as number);
      }
    }
  });

  it("law: issues no two operations of an array at once, and says of the time between what it waits for", () => {
    const { design, whole } = made();
    const { slices, stalls, begins } = whole();
    for (const array of ["2d", "1d"]) {
      const began = begins[array] as readonly number[];
      expect(began).toEqual([...began].sort((a, b) => a - b));
      const waits = stalls.filter(stall => stall.array === array);
      waits.forEach(({ start, end }, i) => {
        expect(end).toBeGreaterThan(start);
        expect(start).toBeGreaterThanOrEqual(waits[i - 1]?.end ?? Number.NEGATIVE_INFINITY);
      });
      const issued = slices.filter(slice => slice.array === array).reduce((sum, slice) => sum + slice.issued, 0);
      const first = Math.min(...slices.filter(slice => slice.array === array).map(({ start }) => start));
      const last = Math.max(...slices.filter(slice => slice.array === array).map(({ end }) => end));
      const waited = waits.reduce(
        (sum, { start, end }) => sum + Math.max(0, Math.min(end, last) - Math.max(start, first)),
        0,
      );
      // Idle slots of the schedule are neither.
      expect(issued + waited).toBeLessThanOrEqual(last - first);
      expect(waits.every(({ cause }) => !/^(Q|BK|BV)$/.test(cause))).toBe(true);
    }
    const { latencyCycles } = simulateDesign(design, { sizes }, { memory: "ideal" });
    expect(Math.max(...slices.map(({ end }) => end))).toBeLessThanOrEqual(latencyCycles);
  });

  it("law: of some epochs is that part of the whole, whatever lies before", () => {
    const { design, all, whole } = made();
    const { slices } = whole();
    const [first, last] = [all - 20, all - 18];
    const part = scheduleTimeline(design, { sizes }, { first, last }, { memory: "ideal" });
    const within = slices.filter(({ epoch }) => epoch >= first && epoch <= last);
    const bySlice = (a: (typeof slices)[number], b: typeof a): number =>
      a.start - b.start || a.einsum.localeCompare(b.einsum);
    expect([...part.slices].sort(bySlice)).toEqual([...within].sort(bySlice));
    expect(part.epochs).toEqual({ first, last });
  });

  it.each([
    [{ first: 3, last: 2 }, /epochs: got 3\.\.2; expected a range within 0\.\.\d+/],
    [{ first: 0, last: 1e6 }, /epochs: got 0\.\.1000000; expected a range within/],
  ])("is refused past its end: %j", (epochs, message) => {
    expect(() => scheduleTimeline(made().design, { sizes }, epochs)).toThrow(message);
  });
});

describe("a timeline", () => {
  it("of 10,000 epochs is the longest", () => {
    const long = { ...sizes, M: 4 * 10_100, queries: 4, H: 1 };
    const design = compiled("fusemax");
    const all = epochCount(design, { sizes: long });
    expect(all).toBeGreaterThan(10_100);
    expect(() => scheduleTimeline(design, { sizes: long }, { first: 0, last: 10_000 })).toThrow(
      "at most 10000 of them",
    );
    expect(() => scheduleTimeline(design, { sizes: long }, { first: all - 1, last: all })).toThrow(
      `got ${all - 1}..${all}; expected a range within 0..${all - 1}`,
    );
    expect(scheduleTimeline(design, { sizes: long }, { first: all - 1, last: all - 1 }).slices.length).toBeGreaterThan(
      0,
    );
  });

  it("waits for DRAM where that is slow", () => {
    const slow = scheduleTimeline(compiled("fusemax", 1e9), { sizes }, { first: 0, last: 9 });
    expect(slow.stalls.some(({ cause }) => /^(Q|BK|BV)$/.test(cause))).toBe(true);
    expect(slow.frequencyHz).toBe(940e6);
  });
});
