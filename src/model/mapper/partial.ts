import type { LevelUse } from "../level-use.js";
import type { Outcome } from "./goal.js";
import type { PlacedOption, TensorCost } from "./option.js";
import type { MapperProblem } from "./problem.js";
import type { Supply } from "./supply.js";

/** A mapping as far as it goes; levels that keep a tensor are bits. */
export interface Partial {
  readonly depth: number;
  readonly before: Partial | undefined;
  readonly option: PlacedOption;
  readonly inputs: readonly number[];
  /** By Einsum of the block, the levels that keep what it makes. */
  readonly outputs: readonly number[];
  readonly cycles: readonly number[];
  /** By seat and shared level, bytes there. */
  readonly bytes: ReadonlyMap<number, number>;
  /** Shares of the levels' room that its Einsums take by themselves, together. */
  readonly room: number;
  readonly energyPj: number;
  readonly dramBytes: number;
  /** What its inputs ask of the levels; undefined where none says how fast it is. */
  readonly use: LevelUse | undefined;
  /** The same of what it makes as well, as far as that is known. */
  readonly passed: LevelUse | undefined;
}

/** One more Einsum, not yet added. */
export interface Step {
  readonly option: PlacedOption;
  readonly supplies: readonly Supply[];
  readonly output: number;
  readonly room: number;
  readonly energyPj: number;
  readonly dramBytes: number;
  readonly cycles: readonly number[];
  readonly use: LevelUse | undefined;
  readonly passed: LevelUse | undefined;
  readonly bound: Outcome;
  /** How it looks: the bound, and the levels as busy as they are so far; seconds of all levels. */
  readonly look: Outcome;
  readonly levelSeconds: number;
}

/** The Einsums of a partial mapping, first to last. */
export function chosenOf(last: Partial | undefined): readonly Partial[] {
  const chosen: Partial[] = [];
  for (let at = last; at !== undefined; at = at.before) chosen.unshift(at);
  return chosen;
}

/** Shares of the levels' room that some tensors take, together. */
export const roomOf = ({ capacities }: Pick<MapperProblem, "capacities">, costs: readonly TensorCost[]): number =>
  costs.reduce(
    (sum, { held }) => held.reduce((all, { level, room }) => all + room / (capacities.get(level) ?? 1), sum),
    0,
  );
