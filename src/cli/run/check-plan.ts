import { type CheckResult, check, sampleRows } from "../../emulator/check.js";
import type { Operands } from "../../emulator/problem.js";
import { startProgress } from "../progress.js";
import type { RunOptions } from "./options.js";
import type { RunPlan } from "./plan.js";

/** Compares the rows that --check asks for with float64 attention; null for none. */
export async function checkPlan(
  { problem, load }: RunPlan,
  operands: Operands,
  av: Float32Array,
  options: RunOptions,
): Promise<CheckResult | null> {
  if (options.check === "none") return null;
  const rows = sampleRows(problem, options.check === "full" ? Number.POSITIVE_INFINITY : options.check);
  const inputs = { q: await load("q"), k: await load("k"), v: await load("v") };
  const progress = await startProgress("checking", "rows", rows.length, options.json === true);
  try {
    return await check(problem, inputs, operands, av, rows, { onProgress: done => progress.update(done.rowsDone) });
  } finally {
    progress.stop();
  }
}
