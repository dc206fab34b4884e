import { SpecError } from "../errors.js";

/** How busy a design's arrays are, by their names. */
export interface ArrayShares {
  /** Per array the share of its PE-cycles that is busy. */
  readonly utilization: Readonly<Record<string, number>>;
  /** The same of arrays that are called 2d and 1d, as those of the paper; absent where there are none. */
  readonly util2d?: number;
  readonly util1d?: number;
}

export function arrayShares(utilization: Readonly<Record<string, number>>): ArrayShares {
  const { "2d": util2d, "1d": util1d } = utilization;
  return {
    utilization,
    ...(util2d === undefined ? {} : { util2d }),
    ...(util1d === undefined ? {} : { util1d }),
  };
}

/** What is known of an array that has to be there. Throws SpecError for a design without an array of that name. */
export function ofArray<T>(byArray: Readonly<Record<string, T>>, array: string): T {
  const found = byArray[array];
  if (found !== undefined) return found;
  const expected = `one called ${array}, not ${Object.keys(byArray).join(", ")}`;
  throw new SpecError({ where: "architecture.arrays", got: `no array ${array}`, expected });
}
