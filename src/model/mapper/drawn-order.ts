import { threefry2x32 } from "../../numerics/threefry.js";

/**
 * The order in which a budget smaller than a list is spent on it: alternately the best that is left, and one drawn at random from all
 * that are left. A list within the budget stays as it is.
 * @param sorted the best first
 * @param stream draws of one seed that are independent of each other
 */
export function drawnOrder<T>(sorted: readonly T[], budget: number, seed: number, stream: number): readonly T[] {
  if (sorted.length <= budget) return sorted;
  return inTurns([sorted, Array.from(shuffle(sorted.length, seed, stream), i => sorted[i] as T)]);
}

/** Lists of the same items as one: the next of each list in turn that no list has given yet. */
export function inTurns<T>(lists: readonly (readonly T[])[]): readonly T[] {
  const taken = new Set<T>();
  const next = lists.map(() => 0);
  const length = lists[0]?.length ?? 0;
  for (let turn = 0; taken.size < length; turn = (turn + 1) % lists.length) {
    const list = lists[turn] as readonly T[];
    let at = next[turn] as number;
    while (at < length && taken.has(list[at] as T)) at += 1;
    if (at < length) taken.add(list[at] as T);
    next[turn] = at;
  }
  return [...taken];
}

const words = new Uint32Array(2);

/** The numbers below n in an order that the seed fixes. */
function shuffle(n: number, seed: number, stream: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i -= 1) {
    threefry2x32(seed >>> 0, Math.floor(seed / 2 ** 32), i, stream, words);
    // 53 random bits.
    const share = ((words[0] as number) * 2 ** 21 + ((words[1] as number) >>> 11)) / 2 ** 53;
    const j = Math.floor(share * (i + 1));
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}
