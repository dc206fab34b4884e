import { threefry2x32 } from "../numerics/threefry.js";

/** Random integers below a number: a stream of Threefry words, the same everywhere. */
export type RandomWords = (below: number) => number;

export function randomWords(stream: number): RandomWords {
  const words = new Uint32Array(2);
  let counter = 0;
  return below => {
    threefry2x32(0x5e1f, stream, counter++, 0, words);
    return (words[0] as number) % below;
  };
}

export const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));

/** From 1 up to 2, all of fp32's bits. */
export const significand = (random: RandomWords): number => (2 ** 23 + random(2 ** 23)) * 2 ** -23;
export const sign = (random: RandomWords): number => (random(2) === 0 ? 1 : -1);
