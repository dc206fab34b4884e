import { withFileLock } from "../../io/file-lock.js";
import { checkResult, jsonText } from "../../report/finite.js";
import { runText } from "../../report/run-text.js";
import type { RunOptions } from "./options.js";
import { planRun } from "./plan.js";
import { runPlan } from "./run-attention.js";

/** `fusemax run`: plan, emulate, write, check, cost, report; one attention, or each of a file. Returns the exit code. */
export async function run(options: RunOptions): Promise<number> {
  if (options.shard !== undefined) return (await import("./shard.js")).runShard(options, options.shard);
  if (options.everyLayer === true) return (await import("./every-layer.js")).runEveryLayer(options);
  const began = performance.now();
  const plan = await planRun(options);
  return withFileLock(options.resume, async () => {
    const { result, code } = await runPlan(plan, options, began);
    process.stdout.write(options.json === true ? jsonText(result, 2) : runText(checkResult(result)));
    return code;
  });
}
