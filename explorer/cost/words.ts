import { lengthLabel } from "../../src/report/units.js";
import { customModel, type State } from "../state.js";
import { workloadOf } from "./designs.js";
import type { CostPoint } from "./known-costs.js";

/** Why designs cannot be evaluated; what holds for all of them is said once. */
export function problemsOf(points: readonly CostPoint[]): readonly string[] {
  const labels = new Map<string, string[]>();
  for (const { label, problem } of points) {
    if (problem !== null) labels.set(problem, [...(labels.get(problem) ?? []), label]);
  }
  return [...labels].map(([problem, of]) => (of.length === points.length ? problem : `${of.join(", ")}: ${problem}`));
}

/** "BERT, 64K tokens, batch 64"; of a model with several kinds of layers the first is shown. */
export function workloadWords(state: State): string {
  const { causal } = workloadOf(state);
  const words = [subject(state), ...(state.phase === "decode" ? ["decode"] : causal ? ["causal"] : [])];
  return `${words.join(", ")}, ${lengthLabel(state.seq)} tokens, batch ${state.batch}`;
}

/** The workload and the machine: "BERT, 64K tokens, batch 64. Array 256 × 256, …". */
export const costWords = (state: State): string => {
  const { rows, columns, buffer, bandwidth, frequency } = state;
  return `${workloadWords(state)}. Array ${rows} × ${columns}, buffer × ${buffer}, ${bandwidth} GB/s, ${frequency} MHz.`;
};

function subject(state: State): string {
  const { name, kinds } = workloadOf(state);
  const kind = kinds.length > 1 ? `${kinds[0]?.name ?? ""} ` : "";
  if (state.scope === "layer") return `a ${kind}layer of ${name === customModel ? "these sizes" : name}`;
  if (name === customModel) return "attention";
  return kind === "" ? name : `${name}, its ${kind}layers`;
}
