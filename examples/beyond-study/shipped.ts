/** The designs of specs/designs that the search found, and FuseMax. */
export const shippedNames = [
  "fusemax",
  "beyond-long",
  "beyond-wide",
  "beyond-short",
  "beyond-decode",
  "lean-decode",
] as const;
export type ShippedName = (typeof shippedNames)[number];
