import {
  type PaperDesign,
  type PaperEvaluation,
  paperDesigns,
  paperLengths,
  paperWorkloads,
} from "../model/evaluation.js";
import { chart } from "./chart.js";
import type { BarPanel, Figure } from "./figure.js";
import { against } from "./reproduction.js";
import { lengthLabel, percent, plain } from "./units.js";

/**
 * The paper's figures that the evaluation has the numbers for: file name and SVG.
 * @example
 * ```ts
 * import { paperEvaluation, paperFigures, specFiles } from "fusemax/node";
 *
 * const evaluation = paperEvaluation(specFiles, { attention: true, endToEnd: false, pareto: false });
 * console.log([...paperFigures(evaluation, "published").keys()].join(", ")); // fig6a, fig6b, fig7, fig8, fig9
 * ```
 */
export function paperFigures(evaluation: PaperEvaluation, accounting: string): ReadonlyMap<string, string> {
  const figures = new Map<string, Figure>();
  const note = `Batch 64, sequence lengths 1K to 1M; accounting: ${accounting}.`;
  const all = evaluation.designs.size > 0;
  if (all) {
    const baseline = "Dashed: Unfused.";
    figures.set("fig6a", utilization(evaluation, "1d", `Figure 6a: utilization of the 1D array`, note));
    figures.set("fig6b", utilization(evaluation, "2d", `Figure 6b: utilization of the 2D array`, note));
    figures.set("fig7", byEinsum(evaluation, "Figure 7: utilization of the 2D array by Einsum, BERT", note));
    figures.set(
      "fig8",
      relative(evaluation, "attention", "speedup", "Figure 8: attention, speedup over Unfused", `${note} ${baseline}`),
    );
    figures.set(
      "fig9",
      relative(
        evaluation,
        "attention",
        "energy",
        "Figure 9: attention, energy relative to Unfused",
        `${note} ${baseline}`,
      ),
    );
  }
  if (evaluation.designs.has("linear-flat")) {
    const layer = `${note} Attention and six linear layers. Dashed: Unfused.`;
    figures.set(
      "fig10",
      relative(evaluation, "end-to-end", "speedup", "Figure 10: encoder layer, speedup over Unfused", layer),
    );
    figures.set(
      "fig11",
      relative(evaluation, "end-to-end", "energy", "Figure 11: encoder layer, energy relative to Unfused", layer),
    );
  }
  if (evaluation.pareto.length > 0) figures.set("fig12", areaLatency(evaluation, accounting));
  return new Map([...figures].map(([name, figure]) => [name, chart(figure)]));
}

const labels = (evaluation: PaperEvaluation): string[] =>
  paperDesigns.map(name => evaluation.designs.get(name)?.design.label ?? name);

/** One panel a workload, its groups the lengths; `of` gives a series' 24 values in the tables' order. */
function workloadPanels(evaluation: PaperEvaluation, series: readonly (readonly number[])[]): BarPanel[] {
  const points = evaluation.designs.get("fusemax")?.points ?? [];
  return paperWorkloads.map((_, w) => {
    const first = w * paperLengths.length;
    return {
      kind: "bars",
      title: points[first]?.model ?? "",
      groups: paperLengths.map(lengthLabel),
      groupLabel: "sequence length",
      values: series.map(values => values.slice(first, first + paperLengths.length)),
    };
  });
}

function utilization(evaluation: PaperEvaluation, array: string, title: string, note: string): Figure {
  const series = paperDesigns.map(name =>
    (evaluation.designs.get(name)?.points ?? []).map(p => p.evaluation.utilization[array] ?? 0),
  );
  const y = { label: "utilization", max: 1, format: (v: number) => percent(v).replace(".0%", "%") };
  return { title, note, series: labels(evaluation), y, panels: workloadPanels(evaluation, series) };
}

function relative(
  evaluation: PaperEvaluation,
  scope: "attention" | "end-to-end",
  what: "speedup" | "energy",
  title: string,
  note: string,
): Figure {
  const designs: readonly PaperDesign[] = paperDesigns;
  const series = designs.map(design => against(evaluation, design, "unfused", scope)[what]);
  const y = { label: what === "speedup" ? "speedup (times)" : "energy (times)", format: plain };
  return { title, note, series: labels(evaluation), y, panels: workloadPanels(evaluation, series), rule: 1 };
}

/** The Einsums of the 2D array; the product with V is AV in three passes, SLNV in one. */
const stacks: readonly (readonly string[])[] = [["QK"], ["LM"], ["SLN"], ["SLD"], ["SLNV", "AV"]];

function byEinsum(evaluation: PaperEvaluation, title: string, note: string): Figure {
  const panels = paperDesigns.map((name): BarPanel => {
    const { design, points } = evaluation.designs.get(name) ?? { design: undefined, points: [] };
    const bert = points.filter(p => p.model === "BERT");
    const on2d = (p: (typeof bert)[number], published: string): number => {
      const einsum = design?.mapping.data.aliases?.[published] ?? published;
      const has = p.evaluation.counts.some(c => c.name === einsum && c.array === "2d");
      return has ? (p.evaluation.einsumUtilization[einsum] ?? 0) : 0;
    };
    return {
      kind: "bars",
      title: design?.label ?? name,
      stacked: true,
      groups: paperLengths.map(lengthLabel),
      groupLabel: "sequence length",
      values: stacks.map(names => bert.map(p => names.reduce((sum, einsum) => sum + on2d(p, einsum), 0))),
    };
  });
  const y = { label: "utilization", max: 1, format: (v: number) => percent(v).replace(".0%", "%") };
  return { title, note, series: stacks.map(names => names.join(" or ")), y, panels };
}

function areaLatency({ pareto }: PaperEvaluation, accounting: string): Figure {
  const models = [...new Set(pareto.map(p => p.model))];
  return {
    title: "Figure 12: area and latency of FuseMax, arrays of 16 x 16 to 512 x 512 PEs",
    note: `Attention at 256K tokens, batch 64; each point a side of the 2D array; accounting: ${accounting}.`,
    series: models,
    y: { label: "latency (s)", scale: "log", format: plain },
    width: 820,
    plotHeight: 380,
    panels: [
      {
        kind: "points",
        title: "",
        x: { label: "area (mm²)", scale: "log", format: plain },
        lines: models.map((model, series) => ({
          series,
          joined: true,
          points: pareto
            .filter(p => p.model === model)
            .map(p => ({
              x: p.evaluation.areaUm2 / 1e6,
              y: p.evaluation.latencySeconds,
              ...(series === models.length - 1 ? { label: String(p.side) } : {}),
            })),
        })),
      },
    ],
  };
}
