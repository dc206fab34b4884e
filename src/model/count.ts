/** Integers up to here are exact in a double. */
export const exactLimit = 2 ** 53;

/** The product of whole numbers, formed exactly and rounded once. */
export function bigProduct(factors: readonly number[]): number {
  return Number(factors.reduce((product, factor) => product * BigInt(factor), 1n));
}
