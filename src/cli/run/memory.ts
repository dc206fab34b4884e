import { availableMemory } from "node:process";
import type { AttentionShape } from "../../attention/problem.js";
import { UsageError } from "../../errors.js";
import { bytesInWords } from "../values.js";

/** The program, an engine's kernels and what is under way: measured, see bench/README.md. */
const workingBytes = 300 * 2 ** 20;
/** The longest typed array. */
const mostValues = 2 ** 32 - 1;

/**
 * Refuses sizes that this machine has no memory for, before anything is allocated: inputs as given (8 bytes a value at
 * most while one tensor is rounded), operands and output in fp32.
 * @throws UsageError that says how much it needs.
 */
export function requireMemory(shape: AttentionShape, where: string): void {
  const { batch, heads, kvHeads, queries, keys, headDim, valueDim } = shape;
  const values = {
    Q: batch * heads * queries * headDim,
    K: batch * kvHeads * keys * headDim,
    V: batch * kvHeads * keys * valueDim,
    AV: batch * heads * queries * valueDim,
  };
  const bytes = 4 * (values.Q + values.K + values.V + values.AV + Math.max(values.Q, values.K, values.V));
  const available = availableMemory();
  const mend = "make the sequence shorter, or take fewer batches or heads";
  if (bytes + workingBytes > available) {
    const got = `sizes that need ${bytesInWords(bytes + workingBytes)} of memory`;
    throw new UsageError({ where, got, expected: `at most the ${bytesInWords(available)} that are free`, mend });
  }
  for (const [tensor, count] of Object.entries(values)) {
    if (count <= mostValues) continue;
    throw new UsageError({ where, got: `${count} values in ${tensor}`, expected: `at most ${mostValues}`, mend });
  }
}
