import { visibleScores } from "../../attention/visible.js";
import { checkOnInputs } from "../../emulator/check.js";
import { cpuEngine } from "../../emulator/cpu.js";
import { goldenAttention } from "../../emulator/golden/attention.js";
import { compareOnThreads } from "../../platform/compare-on-threads.js";
import type { Emulated } from "./emulated.js";
import { loadInputs } from "./inputs.js";
import type { RunOptions } from "./options.js";
import { writeOutputs } from "./outputs.js";
import type { RunPlan } from "./plan.js";
import { loadScales } from "./scale-files.js";
import { writeLse } from "./score-output.js";
import { comparedWithTestData } from "./test-data.js";
import { withLoadingProgress, withRowProgress } from "./with-progress.js";

/** Emulates and checks by the golden implementation, one value at a time: any arithmetic, and split keys. */
export async function emulateGolden(
  plan: RunPlan,
  rows: readonly number[],
  options: RunOptions,
  note: (line: string) => void,
): Promise<Emulated> {
  const { problem, pieces } = plan;
  const { shape } = problem;
  const given = await withLoadingProgress(shape, options, onValues => loadInputs(pieces, shape, onValues));
  const inputs = { ...given, scales: await loadScales(plan.scales) };
  const startedAt = performance.now();
  const { av, saturated, decoded, states } = goldenAttention(
    { ...problem, kvSplits: problem.kvSplits ?? 1 },
    { ...inputs, ...plan.addends },
  );
  const seconds = (performance.now() - startedAt) / 1000;
  for (const line of plan.notes) note(line);
  await writeOutputs(plan, options, av);
  if (options.lse !== undefined) await writeLse(options.lse, problem, plan.scoreOperands, states);
  const flops = 2 * visibleScores(problem) * (shape.headDim + shape.valueDim);
  const began = performance.now();
  const error =
    options.check === "none"
      ? null
      : await withRowProgress("checking", rows.length, options, onProgress =>
          checkOnInputs(problem, decoded, av, rows, { onProgress, compare: compareOnThreads }),
        );
  return {
    run: { engine: cpuEngine(), seconds, gflops: flops / seconds / 1e9, av, resumedRows: 0 },
    saturated,
    reason: "the golden implementation, which alone computes this",
    onOperands: error === null ? null : { ...error, checkedRows: rows.length, baseline: null },
    exact: false,
    onnx: plan.onnx === null ? null : await comparedWithTestData(plan, plan.onnx, null, av),
    checkSeconds: (performance.now() - began) / 1000,
  };
}
