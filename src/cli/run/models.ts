import { UsageError } from "../../errors.js";
import { specFiles } from "../../io/spec-files.js";
import { loadWorkload } from "../../spec/load.js";

/** The attention sizes of a model; it has one K and V for each of `kvHeads`. */
export interface ModelShape {
  readonly name: string;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly valueDim: number;
}

/** A model of specs/workloads by its name in any case, or of a YAML file. @throws UsageError, SpecError */
export function modelShape(name: string): ModelShape {
  const known = specFiles.names("workloads");
  if (!/\.ya?ml$/i.test(name) && !known.includes(name.toLowerCase())) {
    const expected = `one of ${known.join(", ")} or a YAML file`;
    throw new UsageError({ where: "--model", got: `"${name}"`, expected });
  }
  const { heads, headDim, valueDim, name: label } = loadWorkload(specFiles, name);
  return { name: known.find(spec => spec === name.toLowerCase()) ?? label, heads, kvHeads: heads, headDim, valueDim };
}
