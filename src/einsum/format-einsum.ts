import type { Cascade } from "./cascade.js";
import type { Access, Index } from "./einsum.js";
import { constantOf, formatSize, oneSize, sameSize } from "./size.js";

/** An index as it is written: `m1*M0+m0`, `i+1`, `K`. */
export function formatIndex(index: Index): string {
  const terms = index.terms.map(({ variable, coefficient }) => {
    if (sameSize(coefficient, oneSize)) return variable;
    return `${variable}*${formatSize(coefficient)}`;
  });
  if (index.offset.length === 0) return terms.length === 0 ? "0" : terms.join("+");
  if (terms.length === 0) return formatSize(index.offset).replaceAll(" ", "");
  const constant = constantOf(index.offset);
  const offset = formatSize(index.offset).replaceAll(" ", "");
  return terms.join("+") + ((constant ?? 0) < 0 || offset.startsWith("-") ? offset : `+${offset}`);
}

/** An access as it is written; indices for which `hidden` holds are shown as `:`, a whole fiber. */
export function formatAccess(
  tensor: string,
  indices: readonly Index[],
  hidden: (index: Index) => boolean = () => false,
): string {
  if (indices.length === 0) return tensor;
  return `${tensor}[${indices.map(index => (hidden(index) ? ":" : formatIndex(index))).join(",")}]`;
}

/** A tensor with the indices that it has where it is written or declared: `K[e,m]`. */
export function formatTensor(cascade: Cascade, name: string): string {
  const tensor = cascade.tensors.get(name);
  if (tensor === undefined) return name;
  return formatAccess(
    name,
    tensor.indices.map((index, i) => (i === tensor.iterative?.position ? { ...index, offset: [] } : index)),
  );
}

export function formatRead(read: Access, hidden?: (index: Index) => boolean): string {
  return formatAccess(read.tensor, read.indices, hidden);
}
