/**
 * Heads that share keys: H query heads read Hkv key/value heads in equal groups of neighbours, so that query head h reads
 * key/value head floor(h / (H / Hkv)). Heads are numbered through the batches: query head b * H + h, key/value head
 * b * Hkv + g; groups are equal, so the rule is the same with the batch in front. This file and rows.ts are where such
 * numbers are worked out: `head` is a query head and `kvHead` a key/value head, both numbered so.
 */
export interface SharedHeads {
  readonly heads: number;
  readonly kvHeads: number;
}

/** Query heads that share a key/value head. */
export const groupOf = ({ heads, kvHeads }: SharedHeads): number => heads / kvHeads;

/** The key/value head that a query head reads. */
export const kvHeadOf = (shape: SharedHeads, head: number): number => Math.floor(head / groupOf(shape));

/** All query heads of all batches, and all key/value heads. */
export const headsOf = ({ batch, heads }: { readonly batch: number; readonly heads: number }): number => batch * heads;
export const kvHeadsOf = ({ batch, kvHeads }: { readonly batch: number; readonly kvHeads: number }): number =>
  batch * kvHeads;

/** A query head by its batch and its place in it. */
export const headPlace = (
  { heads }: Pick<SharedHeads, "heads">,
  head: number,
): { readonly b: number; readonly h: number } => ({
  b: Math.floor(head / heads),
  h: head % heads,
});

/** A key/value head by its batch, its place in it, and the first of the query heads of the batch that read it. */
export function kvHeadPlace(
  shape: SharedHeads,
  kvHead: number,
): { readonly b: number; readonly g: number; readonly firstHead: number } {
  const g = kvHead % shape.kvHeads;
  return { b: Math.floor(kvHead / shape.kvHeads), g, firstHead: g * groupOf(shape) };
}

/** What is wrong with heads that make no equal groups; null when they do. */
export function unevenGroups({ heads, kvHeads }: SharedHeads) {
  if (heads % kvHeads === 0) return null;
  return {
    got: String(kvHeads),
    expected: `a divisor of the ${heads} query heads`,
    fix: "query heads share key/value heads in equal groups",
  };
}
