import type { CompiledDesign } from "./compile.js";
import { type Sizes, symbolValues } from "./sizes.js";

/** Bytes of a design's on-chip buffer, its first level of SRAM. */
export function bufferBytes(design: CompiledDesign, sizes: Sizes): number {
  const values = new Float64Array(design.program.size);
  const symbols = symbolValues(sizes);
  design.sizeSlots.forEach((slot, i) => {
    values[slot] = symbols[i] as number;
  });
  design.program.run(values);
  const buffer = [...design.levels.values()].find(level => level.spec.kind === "sram");
  return buffer?.fields.get("bytes")?.(values) ?? 0;
}
