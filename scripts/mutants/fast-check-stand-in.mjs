/** fast-check with few cases a property, in little time, which ends at its first failure: what is smallest does not matter here. */
import * as all from "../../node_modules/fast-check/lib/fast-check.js";

const mostCases = Number(process.env.FUSEMAX_MUTANT_CASES ?? 20);
const interruptAfterTimeLimit = Number(process.env.FUSEMAX_MUTANT_MILLISECONDS ?? 600_000);
export const assert = (property, { numRuns = 100, ...others } = {}) =>
  all.assert(property, {
    ...others,
    numRuns: Math.min(numRuns, mostCases),
    interruptAfterTimeLimit,
    endOnFailure: true,
  });
export * from "../../node_modules/fast-check/lib/fast-check.js";
export default { ...all.default, assert };
