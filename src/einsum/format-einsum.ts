import type { Cascade } from "./cascade.js";
import type { Access, Index, IndexTerm } from "./einsum.js";
import { formatSize, negateSize, oneSize, sameSize } from "./size.js";

/** An index as it is written: `m1*M0+m0`, `i+1`, `K`, `K-1-k`, `H: p*2+r`. */
export function formatIndex(index: Index): string {
  return index.rank === undefined ? formatSum(index) : `${index.rank}: ${formatSum(index)}`;
}

function formatSum(index: Index): string {
  const isNegative = ({ coefficient }: IndexTerm): boolean => coefficient.every(part => part.coefficient < 0);
  const written = ({ variable, coefficient }: IndexTerm): string =>
    sameSize(coefficient, oneSize)
      ? variable
      : `${variable}*${coefficient.length > 1 ? `(${formatSize(coefficient)})` : formatSize(coefficient)}`;
  const above = index.terms.filter(term => !isNegative(term)).map(written);
  const below = index.terms
    .filter(isNegative)
    .map(term => `-${written({ ...term, coefficient: negateSize(term.coefficient) })}`);
  const offset = index.offset.length === 0 ? "" : formatSize(index.offset).replaceAll(" ", "");
  const joined = above.length === 0 || offset === "" || offset.startsWith("-") ? offset : `+${offset}`;
  const start = above.join("+") + joined;
  return (start === "" ? "0" : start) + below.join("");
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
