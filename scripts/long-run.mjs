/**
 * Runs tests at the length that is too long for every day: `node scripts/long-run.mjs NAME [vitest's arguments]`. A variable
 * that is set already is kept, so that FUSEMAX_KILLS=500 npm run test:kill kills five hundred times.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What is set, and what is run. */
const runs = {
  arithmetic: [{ FUSEMAX_ARITHMETIC_CASES: "2000" }, ["test/arithmetic"]],
  "arithmetic:wgsl": [{ FUSEMAX_WGSL_CASES: "2000" }, ["test/arithmetic/webgpu.test.ts"]],
  contract: [{ FUSEMAX_CONTRACT_CASES: "100" }, ["test/oracle/contract"]],
  flash: [{ FUSEMAX_FLASH: "full" }, ["--silent=false", "test/emulator/flash-grid.test.ts"]],
  kill: [{ FUSEMAX_KILLS: "100" }, ["test/cli/kills.test.ts"]],
  passes: [{ FUSEMAX_PASS_CASES: "20000" }, ["test/einsum/aliases.test.ts"]],
  shards: [{ FUSEMAX_SHARD_CASES: "100" }, ["test/cli/shards.test.ts"]],
};

const [name, ...more] = process.argv.slice(2);
const run = runs[name];
if (run === undefined) {
  process.stderr.write(`long-run: got ${name ?? "nothing"}; expected one of ${Object.keys(runs).join(", ")}\n`);
  process.exit(2);
}
const [variables, args] = run;
const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
const env = { ...variables, ...process.env };
const { status } = spawnSync(process.execPath, [vitest, "run", ...args, ...more], { env, stdio: "inherit" });
process.exitCode = status ?? 1;
