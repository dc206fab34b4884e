import type { PaperEvaluation } from "../model/evaluation.js";
import type { Headline } from "./reproduction.js";
import type { Table } from "./table.js";
import { lengthLabel, percent } from "./units.js";

/** The headline numbers beside the paper's. */
export function headlineTable(found: readonly Headline[]): Table {
  return {
    columns: ["FuseMax", "against", "paper", "here"],
    rows: found.map(({ what, base, paper, ours }) => [
      what,
      base,
      String(paper),
      ours.toFixed(what.endsWith("energy") ? 3 : 2),
    ]),
  };
}

/** What a mapping search gains over the published mappings, where it does, and how many mappings it compared. */
export function searchGains(
  published: PaperEvaluation,
  searched: PaperEvaluation,
): { readonly table: Table; readonly tried: number } {
  let tried = 0;
  const rows: string[][] = [];
  for (const [name, { design, points }] of searched.designs) {
    points.forEach(({ model, seq, evaluation: now }, i) => {
      tried += now.mappingsTried;
      const before = published.designs.get(name)?.points[i]?.evaluation;
      if (before === undefined) return;
      const less = (a: number, b: number): number => 1 - b / a;
      const gains = [
        less(before.trafficBytes, now.trafficBytes),
        less(before.latencySeconds, now.latencySeconds),
        less(before.energyPj, now.energyPj),
      ];
      if (gains.some(gain => gain > 5e-5)) rows.push([design.label, model, lengthLabel(seq), ...gains.map(percent)]);
    });
  }
  const columns = ["design", "model", "length", "traffic saved", "latency saved", "energy saved"];
  return { table: { columns, rows }, tried };
}
