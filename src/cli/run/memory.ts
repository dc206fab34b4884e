import type { Layout } from "../../attention/layout.js";
import { type AttentionShape, tensorShapes, valuesOf } from "../../attention/shape.js";
import { tensorBytes } from "../../emulator/validate.js";
import { howMany, UsageError } from "../../errors.js";
import { requireFreeMemory } from "../free-memory.js";

/** The longest typed array. */
const mostValues = 2 ** 32 - 1;

/**
 * Refuses sizes that this machine has no memory for, before anything is allocated: inputs as given (8 bytes a value at
 * most while one tensor is rounded), operands and output in fp32, and one of them twice where its ranks are moved.
 * @throws UsageError that says how much it needs.
 */
export function requireMemory(shape: AttentionShape, where: string, layout: Layout): void {
  const { av, ...inputs } = tensorShapes(shape);
  const largestInput = Math.max(...Object.values(inputs).map(valuesOf));
  const bytes = tensorBytes(shape) + (layout === "bhsd" ? 4 : 12) * largestInput;
  const fix = "make the sequence shorter, or take fewer batches or heads";
  requireFreeMemory(bytes, where, fix);
  for (const [tensor, sizes] of Object.entries({ ...inputs, av })) {
    const count = valuesOf(sizes);
    if (count <= mostValues) continue;
    throw new UsageError({
      where,
      got: `${howMany(count, "value")} in ${tensor.toUpperCase()}`,
      expected: `at most ${mostValues}`,
      fix,
    });
  }
}
