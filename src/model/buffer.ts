import type { CompiledDesign } from "./compile.js";
import { type Sizes, workloadSymbols } from "./sizes.js";

/** Bytes of a design's on-chip buffer, its first level of SRAM. */
export function bufferBytes(design: CompiledDesign, sizes: Sizes): number {
  const values = new Float64Array(design.program.size);
  design.sizeSlots.forEach((slot, i) => {
    values[slot] = sizes[workloadSymbols[i] as keyof Sizes];
  });
  design.program.run(values);
  const buffer = [...design.levels.values()].find(level => level.spec.kind === "sram");
  return buffer?.fields.get("bytes")?.(values) ?? 0;
}
