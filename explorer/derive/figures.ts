import type { Figure } from "../../src/report/figure.js";
import type { Table } from "../../src/report/table.js";
import { plain } from "../../src/report/units.js";
import type { Derived, ShownStep } from "./request.js";

const liveWords = ({ live }: ShownStep): string => live.join(", ") || "none";

/** What each step costs: passes, what must live between them, operations. */
export const stepsTable = ({ steps }: Derived): Table => ({
  columns: ["step", "law", "passes", "live between passes", "operations"],
  rows: steps.map((step, i) => [i, step.law ?? step.words, step.passes, liveWords(step), plain(step.work)]),
});

/** Passes and fibers that must live, step by step. */
export const fallFigure = ({ steps, rank }: Derived): Figure => ({
  title: `Passes over ${rank}, and what must live between them`,
  series: ["passes", "live fibers"],
  y: { label: "", whole: true, format: plain },
  panels: [
    {
      kind: "bars",
      title: "",
      groups: steps.map((_, i) => String(i)),
      groupLabel: "after so many laws",
      values: [steps.map(({ passes }) => passes), steps.map(({ live }) => live.length)],
    },
  ],
});

/** "1 pass over M; live between passes: none". */
export const stepCaption = (step: ShownStep, rank: string): string =>
  `${step.passes} ${step.passes === 1 ? "pass" : "passes"} over ${rank}; live between passes: ${liveWords(step)}`;

/** The steps of fewest passes so far, in a sentence. */
export function fallCaption({ steps, rank }: Derived): string {
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) return "";
  if (steps.length === 1) return `As given: ${stepCaption(first, rank)}.`;
  const laws = `${steps.length - 1} ${steps.length === 2 ? "law" : "laws"}`;
  return `From ${first.passes} to ${stepCaption(last, rank)}; by ${laws}, with operations ${(last.work / first.work).toPrecision(3)} times those of the first, where every rank has 64 coordinates.`;
}
