import type { Operands } from "../../attention/problem.js";
import { isShared, sharedMemory } from "../shared-memory.js";

/** Floats that threads can share, where anything can be shared. */
export function sharedFloats(length: number): Float32Array {
  return new Float32Array(sharedMemory(4 * length));
}

/** The same operands where threads can share them; copied unless they are there already. */
export function intoSharedMemory(operands: Operands): Operands {
  const { q, k, v, addends } = operands;
  const shared = { ...operands, q: share(q), k: share(k), v: share(v) };
  return addends === undefined ? shared : { ...shared, addends: { ...addends, values: share(addends.values) } };
}

function share(tensor: Float32Array): Float32Array {
  if (isShared(tensor.buffer)) return tensor;
  const copy = sharedFloats(tensor.length);
  copy.set(tensor);
  return copy;
}
