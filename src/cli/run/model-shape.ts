import { loadWorkload, type SpecSource } from "../../spec/load.js";

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
  /** Each value is the first part of its key. */
  readonly valuesInKeys: boolean;
  /** The factor of its scores, where it is not 1/sqrt(scaleDim). */
  readonly scale: number | undefined;
  /** What its scores are capped at by tanh. */
  readonly softcap: number | undefined;
  /** What it adds to scores beside, in words. */
  readonly bias: string | undefined;
  /** The kind of layers whose attention it is, where there are several; else null. */
  readonly layers: string | null;
}

/** A model by its name in any case, or of a YAML file. @throws SpecError */
export function modelShapeIn(source: SpecSource, name: string): ModelShape {
  const workload = loadWorkload(source, name, "--model");
  const known = source.names("workloads");
  const { heads, kvHeads, headDim, valueDim, scaleDim, causal, crossKeys, valuesInKeys, kinds, scale, softcap, bias } =
    workload;
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
    valuesInKeys,
    layers: kinds[0]?.name ?? null,
    ...{ scale, softcap, bias },
  };
}
