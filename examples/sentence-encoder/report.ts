import { ofArray } from "#fusemax/model/array-shares";
import type { RunCost } from "#fusemax/model/cost";
import { costOfLayers } from "./cost.js";
import { cosine, sum } from "./linear.js";
import type { LayerReport, Run } from "./run.js";

/** The report of all runs over one text, as lines of plain text. The first run is the one in float64. */
export function report([exact, ...emulated]: readonly Run[]): string[] {
  const layers = emulated[0]?.layers ?? [];
  if (exact === undefined) throw new Error("no run to report");
  return [
    `engine: ${[...new Set(emulated.flatMap(run => run.layers.map(layer => layer.engine)))].join(", ")}`,
    "",
    `Attention error on ${layers[0]?.check.checkedRows ?? 0} sampled rows of each layer: rms over the rms of exact (float64) attention`,
    "on the q, k and v that the layer got",
    "",
    ...table([
      ["format", "layer", "heads", "FuseMax", "largest", "with input rounding", "3-pass baseline"],
      ...emulated.flatMap(run => run.layers.map((layer, index) => errorRow(run, layer, index))),
    ]),
    "",
    "Embedding against the float64 run",
    "",
    ...table([
      ["format", "cosine similarity", "1 - cosine", "largest difference"],
      ...emulated.map(run => embeddingRow(run, exact.embedding)),
    ]),
    "",
    "Cost of each layer's attention on the modelled FuseMax accelerator; accounting: published",
    "",
    ...table([
      ["layer", "cycles", "time", "DRAM", "energy", "2D array", "1D array"],
      ...costOfLayers(layers).map(costRow),
    ]),
  ];
}

const headsOf = ({ heads, headDim }: LayerReport): string => `${heads} of ${headDim}`;

function errorRow({ arithmetic }: Run, layer: LayerReport, index: number): string[] {
  const { check } = layer;
  const errors = [
    check.rmsRelative,
    check.maxAbs,
    check.withInputRounding.rmsRelative,
    check.baseline?.rmsRelative ?? Number.NaN,
  ];
  return [arithmetic, String(index), headsOf(layer), ...errors.map(scientific)];
}

function embeddingRow({ arithmetic, embedding }: Run, exact: Float64Array): string[] {
  const difference = embedding.map((x, i) => x - (exact[i] as number));
  // Of unit vectors 1 - cos = |a - b|² / 2, which keeps its digits where 1 minus a cosine near 1 loses them.
  const oneMinusCosine = sum(difference.map(x => x * x)) / 2;
  const largest = difference.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return [arithmetic, cosine(embedding, exact).toFixed(9), scientific(oneMinusCosine), scientific(largest)];
}

function costRow(cost: RunCost, layer: number): string[] {
  const busy = (part: number): string => `${(100 * part).toFixed(1)}% busy`;
  return [
    String(layer),
    String(Math.round(cost.cycles)),
    `${(cost.seconds * 1e6).toFixed(1)} µs`,
    `${(cost.dramBytes / 1e6).toFixed(2)} MB`,
    cost.energyPj === undefined ? "-" : `${(cost.energyPj / 1e9).toFixed(2)} mJ`,
    busy(ofArray(cost.utilization, "2d")),
    busy(ofArray(cost.utilization, "1d")),
  ];
}

const scientific = (x: number): string => x.toExponential(2);

/** Columns as wide as their widest cell; the first to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0))) ?? [];
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map(row => row.map(cell).join("  ").trimEnd());
}
