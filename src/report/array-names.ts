/** What an array is called in words: those of the paper have names of their own. */
export const arrayInWords = (array: string): string =>
  array === "2d" || array === "1d" ? `${short(array)} array` : array;

/** The same at the head of a column. */
export const short = (array: string): string => (array === "2d" || array === "1d" ? array.toUpperCase() : array);

/** Every array of some designs, in the order in which they come. */
export const arraysOf = (shares: readonly Readonly<Record<string, unknown>>[]): readonly string[] => [
  ...new Set(shares.flatMap(byArray => Object.keys(byArray))),
];
