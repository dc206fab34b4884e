import { costOfRun, loadDesign } from "fusemax";
import { specFiles } from "fusemax/node";
import type { RunCost } from "#fusemax/model/cost";
import { tile } from "./emulated.js";
import type { LayerReport } from "./run.js";

/** What the modelled FuseMax accelerator spends on each layer's attention, in 16-bit words: the published accounting. */
export function costOfLayers(layers: readonly LayerReport[]): RunCost[] {
  const design = loadDesign(specFiles, "fusemax");
  return layers.map(({ heads, tokens, headDim }) =>
    costOfRun(design, { batch: 1, heads, queries: tokens, keys: tokens, headDim, valueDim: headDim }, tile),
  );
}
