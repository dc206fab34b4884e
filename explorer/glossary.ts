/** The page's terms, a sentence each; the paper's section where it defines them. */
export const glossary = {
  attention: "For each query, a mean of all values, weighted by how well their keys fit the query.",
  "2D array": "The large array of processing elements: rows times columns, each with a multiplier and registers.",
  "1D array": "One row of processing elements beside the 2D array, for what that cannot do, such as dividing.",
  "global buffer": "The memory on the chip that all arrays share.",
  cascade: "A chain of Einsums, each reading what others wrote (section II).",
  Einsum: "One tensor as a formula of others, summed over the indices that it lacks (section II).",
  pass: "A reading of a fiber from its first element to its last, before it can be read again (section III).",
  fiber: "The elements of a tensor along one rank, with all other indices fixed.",
  barrier: "Two Einsums that no mapping can fuse, since the one needs all of the other first (section III).",
  binding: "Which array computes which Einsum in which cycle (section V).",
  epoch: "One repetition of the schedule, in which each array does its steps for one tile each (section V).",
  tile: "A block of keys and queries that the array computes at once.",
  accounting: "Which costs are counted: as the paper's own evaluation does, or with its errors corrected.",
  roofline: "What DRAM and the processing elements allow at most, over the operations for each byte moved.",
} as const;

export type Term = keyof typeof glossary;
