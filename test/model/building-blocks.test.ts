import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { blockLibrary } from "../../src/model/building-blocks.js";
import { loadDesign } from "../../src/spec/load.js";

const { technology } = loadDesign(specFiles, "fusemax");
const blocks = blockLibrary(technology);

describe("building blocks", () => {
  it.each([
    // The published energy model's table (Accelergy, 45 nm), pJ per access.
    ["16 MiB", blocks.sram(2 ** 24, 4096), 12512.760572, 15751.460572],
    ["32 MiB", blocks.sram(2 ** 25, 4096), 23854.664592, 27097.564592],
    ["4 registers", blocks.registerFile(4, 16), 2.182395, 1.894395],
    ["12 registers", blocks.registerFile(12, 16), 2.190435, 1.902435],
    ["16 registers", blocks.registerFile(16, 16), 2.190435, 1.902435],
    ["32 registers", blocks.registerFile(32, 16), 2.194455, 1.906455],
  ])("%s cost what was published", (_, block, read, write) => {
    expect([block.readPj, block.writePj]).toEqual([read, write]);
  });

  it("buffers between two sizes of the table cost between them, and say so", () => {
    const step = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 15, max: 25 }), step, (exponent, share) => {
        const between = blocks.sram(2 ** (exponent + share), 1024);
        const [low, high] = [blocks.sram(2 ** exponent, 1024), blocks.sram(2 ** (exponent + 1), 1024)];
        expect(between.origin).toBe("interpolated");
        expect(between.readPj).toBeGreaterThanOrEqual(low.readPj);
        expect(between.readPj).toBeLessThanOrEqual(high.readPj);
        expect(between.areaUm2).toBeGreaterThan(low.areaUm2);
        expect(between.areaUm2).toBeLessThan(high.areaUm2);
      }),
    );
  });

  it("buffers beyond the table are extrapolated, and say so", () => {
    expect(blocks.sram(2 ** 30, 4096).origin).toBe("extrapolated");
    expect(blocks.sram(2 ** 24, 2 ** 15).origin).toBe("extrapolated");
    expect(blocks.sram(2 ** 24, 4096).origin).toBe("table");
    expect(blocks.sram(2 ** 24, 3000).origin).toBe("interpolated");
  });
});
