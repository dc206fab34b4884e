/**
 * fast-check with few cases a property, in little time of work, which ends at its first failure: what is smallest does not
 * matter here.
 */
import * as all from "../../node_modules/fast-check/lib/fast-check.js";
import { workTime } from "./work-time.mjs";

const mostCases = Number(process.env.FUSEMAX_MUTANT_CASES ?? 20);
const milliseconds = Number(process.env.FUSEMAX_MUTANT_MILLISECONDS ?? 600_000);

/** A property that ends where its time is over. */
function inTime(property) {
  const end = workTime() + milliseconds;
  return Object.assign(Object.create(property), {
    run: value => (workTime() < end ? property.run(value) : new all.PreconditionFailure(true)),
  });
}

export const assert = (property, { numRuns = 100, ...others } = {}) =>
  all.assert(inTime(property), {
    ...others,
    numRuns: Math.min(numRuns, mostCases),
    // What waits for other processes, rather than work.
    interruptAfterTimeLimit: 10 * milliseconds,
    endOnFailure: true,
  });
export * from "../../node_modules/fast-check/lib/fast-check.js";
export default { ...all.default, assert };
