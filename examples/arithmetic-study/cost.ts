import { accountingOf, loadDesign, loadWorkload, modelResults } from "fusemax";
import { specFiles } from "fusemax/node";
import type { ArithmeticSpec } from "#fusemax/numerics/arithmetic";
import type { ModelResult } from "#fusemax/report/model-result";

const accounting = accountingOf("corrected", undefined);

/** What BERT's attention of 64K tokens costs on FuseMax in an arithmetic, corrected accounting. */
export function costIn(arithmetic: ArithmeticSpec, corrections = Number.NaN): ModelResult {
  const fusemax = loadDesign(specFiles, "fusemax");
  const design = {
    ...fusemax,
    arithmetic: { ...fusemax.arithmetic, data: arithmetic },
    arithmeticBy: "command" as const,
  };
  const { results } = modelResults({
    ...{
      designs: [design],
      workloads: [loadWorkload(specFiles, "bert")],
      lengths: [65536],
      accounting,
      effects: false,
    },
    ...{ phase: "prefill", decodeQueries: 1 },
    // The share of key tiles after which SPNV multiplies: a PE without one to do is idle.
    patches: Number.isNaN(corrections) ? [] : [{ path: "mapping.einsums.SPNV.operations.mac", value: corrections }],
  });
  const [result] = results;
  if (result === undefined) throw new Error("no cost");
  return result;
}
