import type { CompiledDesign } from "./compile.js";
import { type Sizes, symbolValues } from "./sizes.js";

/**
 * What a design's symbols are at given sizes.
 * @param variables values of what the design was compiled with left open
 */
export function valuesOf(design: CompiledDesign, sizes: Sizes, variables: readonly number[] = []): Float64Array {
  const values = new Float64Array(design.program.size);
  const symbols = symbolValues(sizes);
  design.sizeSlots.forEach((slot, i) => {
    values[slot] = symbols[i] as number;
  });
  design.variableSlots.forEach((slot, i) => {
    values[slot] = variables[i] as number;
  });
  design.program.run(values);
  return values;
}
