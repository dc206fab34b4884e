import { describe, expect, test } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { epochCount, scheduleTimeline } from "../../src/model/schedule/timeline.js";
import { peFrames } from "../../src/report/pe-frames.js";
import { atWork, waterfall } from "../../src/report/waterfall.js";
import { loadDesign } from "../../src/spec/load.js";

const sizes = { B: 1, H: 1, E: 4, F: 4, M: 16, queries: 16, modelDim: 4, feedForward: 4 };

describe.each(["fusemax", "architecture"])("a cycle lit in the waterfall of %s", design => {
  const made = () => {
    const compiled = compileDesign(loadDesign(specFiles, design), {
      patches: ["rows", "columns"].map(side => ({ path: `architecture.parameters.${side}`, value: 4 })),
    });
    const timeline = scheduleTimeline(
      compiled,
      { sizes },
      { first: 0, last: epochCount(compiled, { sizes }) - 1 },
      { memory: "ideal" },
    );
    return { compiled, timeline };
  };

  test("law: is that in which the first column of the array does what is lit", () => {
    const { compiled, timeline } = made();
    const { frames } = peFrames(compiled, sizes, { first: 0, last: 200 });
    let seen = 0;
    for (const { cycle, grid, peRow } of frames) {
      for (const [array, pe] of [
        ["2d", grid[0]?.[0]],
        ["1d", peRow[0]],
      ] as const) {
        const instruction = pe?.instruction ?? null;
        if (instruction === null) continue;
        seen += 1;
        expect(atWork(timeline, array, cycle).map(({ einsum }) => einsum)).toContain(instruction.einsum);
      }
    }
    expect(seen).toBeGreaterThan(100);
  });

  test("is drawn over what is drawn without it", () => {
    const { timeline } = made();
    const plain = waterfall(timeline, "a");
    const lit = waterfall(timeline, "a", undefined, undefined, 40);
    const frames = lit.match(/class="lit"/g)?.length ?? 0;
    expect(frames).toBe(["2d", "1d"].flatMap(array => atWork(timeline, array, 40)).length);
    expect(plain).not.toContain("lit");
  });
});
