/**
 * Runs the test files that draw at random, once for each of several seeds, and lists the seeds that failed.
 *
 * `node scripts/property-seeds.mjs [--first S] [--seeds N] [test files…]`: seeds S to S+N-1. Without S, the seconds
 * since 1970. Without files, every file that names fast-check.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  options: { first: { type: "string" }, seeds: { type: "string", default: "5" } },
  allowPositionals: true,
});
const first = Number(values.first ?? Math.floor(Date.now() / 1000));
const count = Number(values.seeds);
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1) {
  console.error("--first and --seeds: expected whole numbers, at least one seed");
  process.exit(2);
}
const files = positionals.length
  ? positionals
  : readdirSync("test", { recursive: true })
      .map(file => `test/${file}`)
      .filter(file => file.endsWith(".test.ts") && readFileSync(file, "utf8").includes("fast-check"));
const failed = [];
for (let seed = first; seed < first + count; seed += 1) {
  console.log(`seed ${seed}`);
  const { status } = spawnSync("npx", ["vitest", "run", "--reporter=dot", ...files], {
    stdio: "inherit",
    env: { ...process.env, FUSEMAX_PROPERTY_SEED: String(seed) },
  });
  if (status !== 0) failed.push(seed);
}
console.log(failed.length ? `failed: seeds ${failed.join(", ")}` : `no failure with ${count} seeds from ${first}`);
process.exit(failed.length ? 1 : 0);
