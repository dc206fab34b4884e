import { cosine, sum } from "./linear.js";
import type { Run } from "./run.js";

/** The report of all runs over one text, as lines of plain text. `exact` is the run in float64. */
export function report(exact: Run, emulated: readonly Run[]): string[] {
  const sample = emulated[0]?.layers[0]?.check.checkedRows ?? 0;
  return [
    "Attention error: rms over the rms of exact (float64) attention on the q, k and v that the layer got,",
    `${sample} sampled rows a layer`,
    "",
    ...table([
      ["format", "layer", "heads", "FuseMax", "largest", "with input rounding", "3-pass baseline"],
      ...emulated.flatMap(layerRows),
    ]),
    "",
    "Embedding against the float64 run",
    "",
    ...table([
      ["format", "cosine similarity", "1 - cosine", "largest difference"],
      ...emulated.map(run => embeddingRow(run, exact.embedding)),
    ]),
  ];
}

function layerRows({ arithmetic, layers }: Run): string[][] {
  return layers.map(({ layer, heads, headDim, check }) => [
    arithmetic,
    String(layer),
    `${heads} of ${headDim}`,
    scientific(check.rmsRelative),
    scientific(check.maxAbs),
    scientific(check.withInputRounding.rmsRelative),
    scientific(check.baseline.rmsRelative),
  ]);
}

function embeddingRow({ arithmetic, embedding }: Run, exact: Float64Array): string[] {
  const difference = embedding.map((x, i) => x - (exact[i] as number));
  // Of unit vectors 1 - cos = |a - b|² / 2, which keeps its digits where 1 minus a cosine near 1 loses them.
  const oneMinusCosine = sum(difference.map(x => x * x)) / 2;
  const largest = difference.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return [arithmetic, cosine(embedding, exact).toFixed(9), scientific(oneMinusCosine), scientific(largest)];
}

const scientific = (x: number): string => x.toExponential(2);

/** Columns as wide as their widest cell; the first to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0))) ?? [];
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map(row => row.map(cell).join("  ").trimEnd());
}
