import { configureGlobal } from "fast-check";

/**
 * The seed of every property in the suite. It is fixed, so that a change turns a test red and not the day's draw;
 * `npm run test:seeds` takes others. A failing property prints the seed that it had.
 */
const { FUSEMAX_PROPERTY_SEED: given = "1" } = process.env;
const seed = Number(given);
if (!Number.isSafeInteger(seed)) throw new Error("FUSEMAX_PROPERTY_SEED: expected an integer");
configureGlobal({ seed });
