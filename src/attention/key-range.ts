/** Keys [from, to); none when from >= to. */
export interface KeyRange {
  readonly from: number;
  readonly to: number;
}

export const noKeys: KeyRange = { from: 0, to: 0 };

export const isEmpty = ({ from, to }: KeyRange): boolean => from >= to;

/** From the first to the last key of two ranges; an empty one adds nothing. */
export function hull(a: KeyRange, b: KeyRange): KeyRange {
  if (isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  return { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) };
}

/** What two ranges share. */
export function common(a: KeyRange, b: KeyRange): KeyRange {
  const [from, to] = [Math.max(a.from, b.from), Math.min(a.to, b.to)];
  return from < to ? { from, to } : noKeys;
}
