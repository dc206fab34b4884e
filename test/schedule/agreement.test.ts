import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cpuEngine } from "../../src/emulator/cpu.js";
import { SpecError } from "../../src/errors.js";
import { runArray } from "../../src/fusemax-array/array.js";
import { simulateSchedule } from "../../src/model/schedule/simulate.js";
import { TileWalk } from "../../src/model/schedule/walk.js";
import { maskedCases, operandsOf, type SmallCase, smallCases, tilesOf } from "./small-cases.js";

/** What `make` gives, or that it refuses. */
function outcome<T>(make: () => T): T | "refused" {
  try {
    return make();
  } catch (error) {
    if (error instanceof SpecError) return "refused";
    throw error;
  }
}

const modelOf = (c: SmallCase) => {
  const { arrays, work } = tilesOf(c);
  return outcome(() => simulateSchedule(c.schedule, arrays, work, c.arrivals === null ? {} : { arrivals: c.arrivals }));
};

const arrayOf = (c: SmallCase) =>
  outcome(() =>
    runArray(
      c.schedule,
      c.machine,
      c.blockTiles,
      c.problem,
      operandsOf(c),
      c.arrivals === null ? {} : { arrivals: c.arrivals },
    ),
  );

async function agree(c: SmallCase): Promise<boolean> {
  const model = modelOf(c);
  const array = arrayOf(c);
  if (model === "refused" || array === "refused") {
    expect(array).toBe(model);
    return false;
  }
  expect(array.cycles).toBe(model.cycles);
  expect(array.registers).toEqual({ "2d": model.registers["2d"], "1d": model.registers["1d"] });
  const session = await cpuEngine().open(c.problem, operandsOf(c));
  const { batch, heads, queries } = c.problem.shape;
  const rows = batch * heads * queries;
  const twin = await session.run({ start: 0, end: rows });
  expect(new Uint32Array(array.av.buffer)).toEqual(new Uint32Array(twin.av.buffer));
  return true;
}

/**
 * The register-level array and the tile-level simulation know nothing of each other. What they share is the schedule; what
 * they must share is the number of cycles, the registers in use and, with the emulator, every bit of the output.
 */
describe("the register-level array, the tile-level simulation and the emulator agree", () => {
  it("on random small shapes, schedules, ports and arrivals", async () => {
    let [tried, ran] = [0, 0];
    await fc.assert(
      fc.asyncProperty(smallCases(5), async c => {
        tried++;
        if (await agree(c)) ran++;
      }),
      { numRuns: 200 },
    );
    expect(ran).toBeGreaterThanOrEqual(0.65 * tried); // the rest are refused, by both
  });

  it("under masks, windows and lengths", async () => {
    let [tried, ran] = [0, 0];
    await fc.assert(
      fc.asyncProperty(maskedCases(5), async c => {
        tried++;
        // Where no query sees a key there is nothing to run.
        if (new TileWalk(tilesOf(c).work).tiles > 0 && (await agree(c))) ran++;
      }),
      { numRuns: 200 },
    );
    expect(ran).toBeGreaterThanOrEqual(0.5 * tried);
  });

  it("on arrays up to 32 x 32", async () => {
    const large = smallCases(32).filter(c => c.machine.rows * c.machine.columns > 500);
    await fc.assert(
      fc.asyncProperty(large, async c => void (await agree(c))),
      { numRuns: 8 },
    );
  });
});
