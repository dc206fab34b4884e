import { SpecError } from "../../errors.js";
import type { LikelyLag } from "./likely-lag.js";

/** Lags past this are not tried: a 512 x 512 array needs 8. */
export const largestLag = 32;

/** Larger lags are given up after so many that were no better. */
const patience = 3;

/** What an epoch takes at a lag; an error where the schedule cannot run with it. */
export type TryLag = (lag: number) => number | SpecError;

/**
 * The smallest lag with the shortest epochs. A likely one that reaches the bound is taken where one less does not: that it is
 * the smallest is then known. Else all are tried from 0 up, until some in a row are no better, or one is refused after one
 * that was not.
 * @throws SpecError the first refusal, where no lag is taken
 */
export function bestLag(attempt: TryLag, { shortest, lag: likely }: LikelyLag): number {
  const tried = new Map<number, number | SpecError>();
  const once = (lag: number): number | SpecError => {
    const epoch = tried.get(lag) ?? attempt(lag);
    tried.set(lag, epoch);
    return epoch;
  };
  if (likely <= largestLag && once(likely) === shortest && (likely === 0 || once(likely - 1) !== shortest)) {
    return likely;
  }
  let best: { readonly lag: number; readonly epoch: number } | null = null;
  let refusal: SpecError | null = null;
  for (let lag = 0; lag <= largestLag; lag++) {
    const epoch = once(lag);
    if (epoch instanceof SpecError) {
      refusal ??= epoch;
      if (best !== null) break; // a larger lag needs more registers still
    } else if (best === null || epoch < best.epoch) {
      best = { lag, epoch };
    } else if (lag - best.lag === patience) break;
  }
  if (best === null) throw refusal;
  return best.lag;
}
