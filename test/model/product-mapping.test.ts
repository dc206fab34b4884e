import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { compileDesign } from "../../src/model/compile.js";
import { evaluate } from "../../src/model/evaluate.js";
import { type LayerProduct, productSizes, productsOn } from "../../src/model/layer.js";
import { architectureSchema } from "../../src/spec/architecture.js";
import type { Design } from "../../src/spec/design.js";
import { readDocument } from "../../src/spec/document.js";
import { loadDesign } from "../../src/spec/load.js";

const product = loadDesign(specFiles, "product");
const fusemax = loadDesign(specFiles, "fusemax");

/** FuseMax with another architecture. */
const machine = (text: string): Design => ({
  ...fusemax,
  architecture: readDocument({ file: "mine.yaml", text }, architectureSchema),
});
const head = "name: mine\nsource: mine\ntechnology: 45nm\nfrequencyHz: 1e9\nwordBits: 16\nparameters: {}\n";
const evaluateOn = (design: Design, sizes: LayerProduct) =>
  evaluate(compileDesign(productsOn(product, design)), productSizes(sizes));
const layerProduct = (rows: number, inputs: number, outputs: number, copies = 1): LayerProduct => ({
  ...{ name: "product", rows, inputs, outputs, copies },
});

const renamed = specFiles
  .read("architectures", "fusemax")
  ?.text.replace(/\bbuffer\b(?!Read|Write)/g, "scratch")
  .replace(/\b(column|row|registers2d)\b/g, "my_$1")
  .replace(/\b2d:/, "tensor:");

/** Several cores, each with a buffer of its own; an outer buffer; several fan-outs; one; none. */
const machines: Readonly<Record<string, { readonly levels: string; readonly pes: number }>> = {
  "cores around a buffer": {
    pes: 4 * 8 * 2,
    levels: `
  dram: { kind: dram, bytesPerSecond: 1e12 }
  core: { kind: fanout, within: dram, size: 4 }
  l1: { kind: sram, within: core, bytes: 64 * KiB, rowWords: 128 }
  pe: { kind: fanout, within: l1, size: 8 }
  lane: { kind: fanout, within: pe, size: 2 }
  rf: { kind: registers, within: lane, depth: 4 }`,
  },
  "cores within a buffer": {
    pes: 4 * 8 * 2,
    levels: `
  hbm: { kind: dram, bytesPerSecond: 1e12 }
  l2: { kind: sram, within: hbm, bytes: 1 * MiB, rowWords: 128 }
  core: { kind: fanout, within: l2, size: 4 }
  l1: { kind: sram, within: core, bytes: 64 * KiB, rowWords: 128 }
  pe: { kind: fanout, within: l1, size: 8 }
  lane: { kind: fanout, within: pe, size: 2 }
  rf: { kind: registers, within: lane, depth: 4 }`,
  },
  "fan-outs of fan-outs": {
    pes: 2 * 4 * 2 * 3 * 2 * 2,
    levels: `
  dram: { kind: dram, bytesPerSecond: 1e12 }
  cluster: { kind: fanout, within: dram, size: 2 }
  core: { kind: fanout, within: cluster, size: 4 }
  l1: { kind: sram, within: core, bytes: 64 * KiB, rowWords: 128 }
  block: { kind: fanout, within: l1, size: 2 }
  warp: { kind: fanout, within: block, size: 3 }
  pe: { kind: fanout, within: warp, size: 2 }
  lane: { kind: fanout, within: pe, size: 2 }
  rf: { kind: registers, within: lane, depth: 4 }`,
  },
  "one fan-out": {
    pes: 8,
    levels: `
  dram: { kind: dram, bytesPerSecond: 1e12 }
  l1: { kind: sram, within: dram, bytes: 64 * KiB, rowWords: 128 }
  pe: { kind: fanout, within: l1, size: 8 }
  rf: { kind: registers, within: pe, depth: 4 }`,
  },
  "one PE": {
    pes: 1,
    levels: `
  dram: { kind: dram, bytesPerSecond: 1e12 }
  l1: { kind: sram, within: dram, bytes: 64 * KiB, rowWords: 128 }
  rf: { kind: registers, within: l1, depth: 4 }`,
  },
};

describe("a layer's products on a machine of one's own", () => {
  it("cost what they cost on FuseMax, whatever its levels and arrays are called", () => {
    expect(renamed).toContain("my_column");
    const mine = machine(renamed ?? "");
    for (const sizes of [layerProduct(5, 4096, 1024), layerProduct(700, 100, 300, 3)]) {
      const [a, b] = [evaluateOn(mine, sizes), evaluateOn(fusemax, sizes)];
      expect([a.cycles, a.trafficBytes, a.energyPj]).toEqual([b.cycles, b.trafficBytes, b.energyPj]);
      expect(a.utilization["tensor"]).toBe(b.utilization["2d"]);
    }
  });

  it.each(Object.entries(machines))(
    "law: %s: no fewer cycles than the PEs allow, no fewer bytes than the matrices",
    (_, { levels, pes }) => {
      const design = machine(`${head}levels:${levels}\narrays: { mxu: { at: rf, operations: { mac: 1 } } }`);
      const whole = evaluateOn(design, layerProduct(192, 32, 64));
      expect(whole.counts[0]?.cycles).toBe((192 * 32 * 64) / pes);
      fc.assert(
        fc.property(fc.nat(200), fc.nat(200), fc.nat(200), fc.nat(3), (rows, inputs, outputs, copies) => {
          const sizes = layerProduct(rows + 1, inputs + 1, outputs + 1, copies + 1);
          const { counts, trafficBytes } = evaluateOn(design, sizes);
          const macs = sizes.rows * sizes.inputs * sizes.outputs * sizes.copies;
          expect(counts[0]?.cycles).toBeGreaterThanOrEqual(macs / pes);
          expect(counts[0]?.operations).toEqual([{ name: "mac", count: macs }]);
          const words = sizes.copies * (sizes.rows * (sizes.inputs + sizes.outputs) + sizes.inputs * sizes.outputs);
          expect(trafficBytes).toBeGreaterThanOrEqual(2 * words);
        }),
        { numRuns: 100 },
      );
    },
  );

  it("is done by the array with the most fan-outs around it, the first of several", () => {
    const levels = `${machines["one fan-out"]?.levels}\n  few: { kind: registers, within: l1, depth: 4 }`;
    const arrayOf = (arrays: string): string | undefined =>
      evaluateOn(machine(`${head}levels:${levels}\narrays: { ${arrays} }`), layerProduct(64, 32, 64)).counts[0]?.array;
    const [small, wide] = ["{ at: few, operations: { mac: 1 } }", "{ at: rf, operations: { mac: 1 } }"];
    expect(arrayOf(`small: ${small}, wide: ${wide}`)).toBe("wide");
    expect(arrayOf(`wide: ${wide}, small: ${small}`)).toBe("wide");
    expect(arrayOf(`one: ${wide}, other: ${wide}, small: ${small}`)).toBe("one");
  });

  it.each([
    [
      "arrays: { vector: { at: rf, operations: { add: 1 } } }",
      /mine\.yaml:\d+:1 arrays: no array with the operation mac/,
    ],
  ])("is refused in one line where nothing multiplies matrices", (arrays, message) => {
    const design = machine(`${head}levels:${machines["one PE"]?.levels}\n${arrays}`);
    expect(() => productsOn(product, design)).toThrow(message);
  });

  it("is refused in one line where there is no buffer", () => {
    const levels = "\n  dram: { kind: dram, bytesPerSecond: 1e12 }\n  rf: { kind: registers, within: dram, depth: 4 }";
    const design = machine(`${head}levels:${levels}\narrays: { mxu: { at: rf, operations: { mac: 1 } } }`);
    expect(() => productsOn(product, design)).toThrow(/levels: no buffer between DRAM and mxu's registers/);
  });
});
