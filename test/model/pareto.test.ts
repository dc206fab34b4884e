import { describe, expect, it } from "vitest";
import { specFiles } from "../../src/io/spec-files.js";
import { published } from "../../src/model/accounting.js";
import { ofArray } from "../../src/model/array-shares.js";
import { compileDesign } from "../../src/model/compile.js";
import { evaluate } from "../../src/model/evaluate.js";
import { paretoLength, paretoSides, paretoStudy } from "../../src/model/pareto.js";
import { sizesOf } from "../../src/model/sizes.js";
import { loadDesign, loadWorkload, type SpecSource } from "../../src/spec/load.js";

/** FuseMax at any size of its arrays, with memory of so many bytes a second. */
function scaledWith(bytesPerSecond: string) {
  const source: SpecSource = {
    names: specFiles.names,
    read(kind, name, by) {
      const spec = specFiles.read(kind, name, by);
      if (spec === undefined || kind !== "architectures") return spec;
      return { ...spec, text: spec.text.replace("bytesPerSecond: 400 * GiB", `bytesPerSecond: ${bytesPerSecond}`) };
    },
  };
  return loadDesign(source, "fusemax-scaled");
}
const bert = loadWorkload(specFiles, "bert");
const scalesWith = (bytesPerSecond: string): readonly number[] =>
  paretoStudy(scaledWith(bytesPerSecond), [bert]).map(({ bufferScale }) => bufferScale);

describe("the study of area and latency", () => {
  it("leaves a buffer as it is where DRAM keeps up, and gives up after twenty doublings where it never does", () => {
    expect(scalesWith("1e30")).toEqual([1, 1, 1, 1, 1, 1]);
    expect(scalesWith("1")).toEqual(paretoSides.map(() => 2 ** 20));
  });

  it("law: a buffer is doubled until DRAM takes no longer than the 1D array, and no more", () => {
    const scaled = scaledWith("20e9");
    const points = paretoStudy(scaled, [bert]);
    expect(points.map(({ side }) => side)).toEqual([16, 32, 64, 128, 256, 512]);
    const scales = points.map(({ bufferScale }) => bufferScale);
    expect([Math.min(...scales) < 2 ** 20, Math.max(...scales) > 2]).toEqual([true, true]);
    for (const { side, bufferScale, evaluation } of points) {
      const at = (scale: number) => {
        const parameters = { D: side, bufferScale: scale };
        const patches = Object.entries(parameters).map(([name, value]) => ({
          path: `architecture.parameters.${name}`,
          value,
        }));
        return evaluate(compileDesign(scaled, { patches }), sizesOf(bert, paretoLength), published);
      };
      const keepsUp = (scale: number): boolean =>
        at(scale).phases.every(({ memorySeconds, busySeconds }) => memorySeconds <= ofArray(busySeconds, "1d"));
      expect(evaluation.latencySeconds).toBe(at(bufferScale).latencySeconds);
      expect(keepsUp(bufferScale) || bufferScale === 2 ** 20, `${side}`).toBe(true);
      if (bufferScale > 1) expect(keepsUp(bufferScale / 2), `${side}`).toBe(false);
    }
  });
});
