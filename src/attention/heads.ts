/**
 * Heads that share keys: H query heads read Hkv key/value heads in equal groups of neighbours, so that query head h reads
 * key/value head floor(h / (H / Hkv)). Heads are numbered through the batches: query head b * H + h, key/value head
 * b * Hkv + g; groups are equal, so the rule is the same with the batch in front.
 */
export interface SharedHeads {
  readonly heads: number;
  readonly kvHeads: number;
}

/** Query heads that share a key/value head. */
export const groupOf = ({ heads, kvHeads }: SharedHeads): number => heads / kvHeads;

/** The key/value head that a query head reads, both numbered through the batches. */
export const kvHeadOf = (shape: SharedHeads, head: number): number => Math.floor(head / groupOf(shape));

/** Output rows that read one key/value head: its group's heads are neighbours in the flat row index. */
export const rowsOfKvHead = (shape: SharedHeads & { readonly queries: number }): number =>
  groupOf(shape) * shape.queries;

/** What is wrong with heads that make no equal groups; null when they do. */
export function unevenGroups({ heads, kvHeads }: SharedHeads) {
  if (heads % kvHeads === 0) return null;
  return {
    got: String(kvHeads),
    expected: `a divisor of the ${heads} query heads`,
    mend: "query heads share key/value heads in equal groups",
  };
}
