import type { Design } from "./design.js";

/**
 * A line for a design that is one head of one sequence, however many a workload has: neither its cascade nor the batch of its mapping
 * has a rank for them. None for others.
 */
export function oneHeadNotes({ name, placement, mapping }: Design): readonly string[] {
  if (placement === undefined) return [];
  const ranks = placement.flatMap(({ batch, free, reduced }) => [...batch, ...free, ...reduced]);
  // A rank may have another name, and the sizes B and H in the formula of its own.
  const formulas = Object.values(mapping.data.symbols ?? {}).map(String);
  if ([...ranks, ...formulas].some(text => /\b[BH]\b/.test(text))) return [];
  return [
    `${name} is costed for one head of one sequence: neither its cascade nor its mapping's batch has the ranks B and H`,
  ];
}
