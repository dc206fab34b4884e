import type { Formula } from "./expression.js";
import type { WrittenMapping } from "./mapping.js";
import type { PlacedEinsum } from "./placement.js";

/** What a mapping does an Einsum with where that is not the cascade's text on the array: other operations, with their source, or a part of them. */
export interface DeclaredOperations {
  /** Its name in the mapping. */
  readonly name: string;
  /** The cascade's Einsum, by its number. */
  readonly index: number;
  readonly isPart: boolean;
  /** Where the mapping does it; a part is the same on any array that has its operations. */
  readonly array: string;
  readonly operations: Readonly<Record<string, Formula>>;
  readonly source: string | undefined;
}

/** Whether a mapping declares any: else nothing else of it needs to be read for them. */
export const declaresOperations = ({ einsums }: WrittenMapping): boolean =>
  Object.values(einsums).some(
    entry => entry.of !== undefined || (!("variants" in entry) && "operations" in entry && entry.source !== undefined),
  );

/** The operations that a mapping declares; those of variants hold on conditions, and are left out. @param placement the mapping's, completed */
export function declaredOperations(
  { einsums, aliases = {} }: WrittenMapping,
  placement: readonly PlacedEinsum[],
): readonly DeclaredOperations[] {
  const entries = new Map(Object.entries(einsums).map(([key, entry]) => [aliases[key] ?? key, entry]));
  return placement.flatMap(({ name, index, isPart, variants: [variant] }): DeclaredOperations[] => {
    const entry = entries.get(name);
    if (entry === undefined || "variants" in entry || variant === undefined) return [];
    const isOther = isPart || (entry.operations !== undefined && entry.source !== undefined);
    return isOther ? [{ name, index, isPart, ...variant, source: entry.source }] : [];
  });
}
