import { type Laid, spreadSizes } from "./action-counts.js";
import type { CompiledDesign } from "./compile.js";
import { tuples } from "./loop-nest.js";

/** Instances of a level that an Einsum's mapping gives work to: those of the fan-outs around it that its loops reach. */
export function usedInstances(design: CompiledDesign, laid: Laid, level: string, values: Float64Array): number {
  const { einsum, boxes } = laid;
  const { shape } = einsum;
  const index = einsum.levelNames.indexOf(level);
  const sizes = spreadSizes(design, laid, values);
  return (shape.spread ?? []).reduce(
    (used, { level: fanout, loops }, i) =>
      fanout < index ? used * Math.min(sizes[i] ?? 1, tuples(shape, boxes, loops)) : used,
    tuples(shape, boxes, shape.masks.spatialAbove[index] ?? 0),
  );
}
