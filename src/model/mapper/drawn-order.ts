import { threefry2x32 } from "../../numerics/threefry.js";

/**
 * The order in which a budget smaller than a list is spent on it: alternately the best that is left, and one drawn at random from all
 * that are left. A list within the budget stays as it is.
 * @param sorted the best first
 * @param stream draws of one seed that are independent of each other
 */
export function drawnOrder<T>(sorted: readonly T[], budget: number, seed: number, stream: number): readonly T[] {
  if (sorted.length <= budget) return sorted;
  const shuffled = shuffle(sorted.length, seed, stream);
  const taken = new Uint8Array(sorted.length);
  const order: T[] = [];
  const take = (i: number): boolean => {
    if (taken[i] === 1) return false;
    taken[i] = 1;
    order.push(sorted[i] as T);
    return true;
  };
  let [best, drawn] = [0, 0];
  while (order.length < sorted.length) {
    while (best < sorted.length && !take(best)) best += 1;
    while (drawn < sorted.length && !take(shuffled[drawn] as number)) drawn += 1;
  }
  return order;
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
