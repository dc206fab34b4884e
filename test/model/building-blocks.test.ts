import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { blockLibrary } from "../../src/model/building-blocks.js";
import { loadDesign } from "../../src/spec/load.js";

const { technology } = loadDesign(specFiles, "fusemax");
const blocks = blockLibrary(technology);

/** A technology with such a table of buffers. */
function libraryOf(table: readonly (readonly number[])[], decoder: object = {}, energyDecimals = 9) {
  const sram = { decoderPj: 0, decoderUm2: 0, ...decoder, table };
  return blockLibrary({ ...technology, data: { ...technology.data, sram, energyDecimals } });
}

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

  it("lie on straight lines between logarithms of bytes and width, of energies and area", () => {
    // Energies grow as bytes * width^2, areas as bytes^2: lines in logarithms are these powers, between and beyond.
    const rows = [8, 32].flatMap(width =>
      [16, 64].map(bytes => [width, (bytes * 8) / width, bytes * width ** 2, 3 * bytes * width ** 2, bytes ** 2]),
    );
    // In no order: the table is sorted.
    const own = libraryOf([rows[3], rows[0], rows[2], rows[1]] as number[][]);
    for (const [bytes, width, origin] of [
      [16, 8, "table"],
      [64, 32, "table"],
      [32, 8, "interpolated"],
      [16, 16, "interpolated"],
      [32, 16, "interpolated"],
      [128, 8, "extrapolated"],
      [8, 8, "extrapolated"],
      [16, 64, "extrapolated"],
      [16, 4, "extrapolated"],
      [128, 16, "extrapolated"],
      [32, 64, "extrapolated"],
    ] as const) {
      const block = own.sram(bytes, width);
      expect(block.origin, `${bytes} bytes of ${width} bits`).toBe(origin);
      expect(block.readPj / (bytes * width ** 2)).toBeCloseTo(1, 9);
      expect(block.writePj / (3 * bytes * width ** 2)).toBeCloseTo(1, 9);
      expect(block.areaUm2 / bytes ** 2).toBeCloseTo(1, 9);
    }
    // A table of one buffer is level.
    const [one] = rows;
    expect(libraryOf([one as number[]]).sram(999, 7)).toMatchObject({ areaUm2: 256, origin: "extrapolated" });
  });

  it("beyond the table go on as its two sizes next to them do", () => {
    // Areas grow as bytes up to 64 bytes, and as bytes^2 beyond.
    const own = libraryOf([16, 64, 256].map(bytes => [8, bytes, 1, 1, bytes <= 64 ? bytes : bytes ** 2 / 64]));
    expect(own.sram(4, 8).areaUm2).toBeCloseTo(4, 9);
    expect(own.sram(1024, 8).areaUm2).toBeCloseTo(1024 ** 2 / 64, 6);
    // Between two sizes those two say it, not others.
    expect(own.sram(32, 8).areaUm2).toBeCloseTo(32, 9);
    expect(own.sram(128, 8).areaUm2).toBeCloseTo(128 ** 2 / 64, 9);
  });

  it("have a decoder for the bits of their rows' addresses, rounded to the technology's decimals", () => {
    const own = libraryOf([[8, 16, 1.26, 2.34, 5]], { decoderPj: "addressBits", decoderUm2: "depth" }, 1);
    // 16 bytes in rows of 8 bits: 16 rows, 4 bits of an address.
    expect(own.sram(16, 8)).toEqual({ readPj: 5.3, writePj: 6.3, areaUm2: 21, origin: "table" });
    // 17 rows take 5 bits; less than a row is one row, of no bits.
    expect(own.sram(17, 8).areaUm2).toBeCloseTo(5 + 17, 9);
    expect(own.sram(0.5, 8).areaUm2).toBeCloseTo(5 + 1, 9);
    expect(own.sram(17, 8).readPj).toBe(6.3);
  });

  it("of registers follow the depth, its bits and the width where the technology's formulas do", () => {
    const registerFile = { readPj: "bits + addressBits", writePj: "depth", areaUm2: "bits * depth" };
    const own = blockLibrary({ ...technology, data: { ...technology.data, registerFile, energyDecimals: 0 } });
    expect(own.registersOfAnyWidth).toBe(true);
    expect(blocks.registersOfAnyWidth).toBe(false);
    expect(own.registerFile(5, 16)).toEqual({ readPj: 19, writePj: 5, areaUm2: 80, origin: "formula" });
    // What was answered for one is not answered for another.
    expect(own.registerFile(5, 8)).toMatchObject({ readPj: 11, areaUm2: 40 });
    expect(own.registerFile(4, 16)).toMatchObject({ readPj: 18, areaUm2: 64 });
    expect(own.registerFile(5, 16)).toMatchObject({ readPj: 19, areaUm2: 80 });
  });

  it.each([
    ["-1", /sram\.decoderPj: got -1; expected a number of at least 0/],
    ["1 / 0", /sram\.decoderPj: got Infinity; expected a number of at least 0/],
    ["width", /sram\.decoderPj: got the unknown name 'width'; expected one of depth, addressBits/],
  ])("refuse the formula %s", (decoderPj, message) => {
    expect(() => libraryOf([[8, 16, 1, 2, 5]], { decoderPj }).sram(16, 8)).toThrow(message);
  });
});
