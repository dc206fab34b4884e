import type { ReadAs } from "./read-as.js";
import type { StoredTensor } from "./stored-tensor.js";

/** Tensors by name, in one file or in the shards of one. */
export interface TensorArchive {
  /** In file order. */
  readonly names: readonly string[];
  /** @throws InputError when there is no such tensor or its values are of no type that is read. */
  tensor(name: string, readAs?: ReadAs): StoredTensor | Promise<StoredTensor>;
}
