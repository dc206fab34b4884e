import { UsageError } from "../../errors.js";
import { specFiles } from "../../io/spec-files.js";
import { loadWorkload } from "../../spec/load.js";

/** The attention of a model: its sizes, with one K and V for each of `kvHeads`, and the mask of its (first kind of) layers. */
export interface ModelShape {
  readonly name: string;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly valueDim: number;
  readonly scaleDim: number;
  readonly causal: boolean;
  readonly window: { readonly left: number; readonly right: number };
  /** Its keys are another sequence's, of this length. */
  readonly crossKeys: number | undefined;
}

/** A model of specs/workloads by its name in any case, or of a YAML file. @throws UsageError, SpecError */
export function modelShape(name: string): ModelShape {
  const known = specFiles.names("workloads");
  if (!/\.ya?ml$/i.test(name) && !known.includes(name.toLowerCase())) {
    const expected = `one of ${known.join(", ")} or a YAML file`;
    throw new UsageError({ where: "--model", got: `"${name}"`, expected });
  }
  const workload = loadWorkload(specFiles, name);
  const { heads, kvHeads, headDim, valueDim, scaleDim, causal, crossKeys, kinds } = workload;
  const [left, right] = kinds[0]?.window ?? [-1, -1];
  return {
    name: known.find(spec => spec === name.toLowerCase()) ?? workload.name,
    heads,
    kvHeads,
    headDim,
    valueDim,
    scaleDim,
    causal,
    window: { left, right },
    crossKeys,
  };
}
