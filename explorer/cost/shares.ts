import { ofArray } from "../../src/model/array-shares.js";
import type { ArrayUse } from "../../src/model/timing.js";
import type { Cost } from "./designs.js";
import type { CostPoint } from "./known-costs.js";

/** A design that can be evaluated, with its evaluation. */
export interface Solved extends CostPoint {
  readonly evaluation: Cost;
}

export const isSolved = (point: CostPoint): point is Solved => point.evaluation !== null;

export const solved = (points: readonly CostPoint[]): readonly Solved[] => points.filter(isSolved);

/** The array with the most PEs: in the paper's designs the 2D array. */
export const largestArrayOf = (points: readonly CostPoint[]): string =>
  solved(points).every(({ evaluation }) => evaluation.machine.largestArray === "2d") ? "2D array" : "largest array";

/** Whether its arrays are the paper's, of which one does what the other cannot. */
export const hasPaperArrays = ({ evaluation }: Solved): boolean =>
  Object.keys(evaluation.machine.pes).sort().join() === "1d,2d";

export const componentNames: Readonly<Record<string, string>> = {
  dram: "DRAM",
  buffer: "global buffer",
  registers2d: "2D registers",
  registers1d: "1D registers",
  "compute.2d": "2D arithmetic",
  "compute.1d": "1D arithmetic",
};

/** Components in one order, so that each keeps its colour whatever is compared. */
export function componentsOf(points: readonly Solved[]): readonly string[] {
  const found = new Set(points.flatMap(({ evaluation }) => Object.keys(evaluation.componentEnergyPj)));
  return [...new Set([...Object.keys(componentNames).filter(name => found.has(name)), ...found])];
}

export const boundNames: Readonly<Record<string, string>> = {
  dram: "DRAM bandwidth",
  "2d": "2D array",
  "1d": "1D array",
  binding: "arrays' waits (binding)",
};

type Use = readonly [name: string, field: string, of: (use: ArrayUse) => number];

const own: Readonly<Record<string, string>> = { column: "empty columns", row: "empty rows" };

/** Of the largest array's PE-cycles: those that compute, and why the others don't. Other machines than the paper's have other places that stay empty. */
export function usesOf(points: readonly Solved[]): readonly Use[] {
  const found = new Set(points.flatMap(point => Object.keys(largestUse(point).unfilled)));
  const others = [...found].filter(fanout => !(fanout in own));
  const empty = (fanout: string, name: string): Use => [
    name,
    `2d.unfilled.${fanout}`,
    use => use.unfilled[fanout] ?? 0,
  ];
  return [
    ["useful operations", "2d.useful", use => use.useful],
    ["masked scores", "2d.masked", use => use.masked],
    ...Object.entries(own).map(([fanout, name]) => empty(fanout, name)),
    ...others.map(fanout => empty(fanout, `empty places: ${fanout}`)),
    ["waits for DRAM", "2d.dram", use => use.dram],
    ["other waits", "2d.binding", use => use.binding],
  ];
}

const largestUse = ({ evaluation }: Solved): ArrayUse => ofArray(evaluation.use, evaluation.machine.largestArray);

export const useOf = (point: Solved, of: (use: ArrayUse) => number): number => of(largestUse(point));
