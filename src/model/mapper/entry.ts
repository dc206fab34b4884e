import type { Cascade } from "../../einsum/cascade.js";
import type { Einsum } from "../../einsum/einsum.js";
import { SpecError } from "../../errors.js";
import type { Architecture } from "../../spec/architecture.js";
import type { DeclaredOperations } from "../../spec/declared-operations.js";
import type { Design } from "../../spec/design.js";
import type { EinsumMapping } from "../../spec/mapping.js";
import { peOperations } from "../../spec/pe-operations.js";
import { needsNoPlace } from "../../spec/placement.js";

/** What is mapped: an Einsum of the cascade, or a part of one that the design's own mapping does in parts. */
export interface MapEntry {
  readonly name: string;
  readonly einsum: Einsum;
  /** The operations of a part; undefined for a whole Einsum. */
  readonly part: DeclaredOperations | undefined;
  /** What the design's own mapping does it with on some arrays. */
  readonly declared: readonly DeclaredOperations[];
}

/** What an entry takes for a point on an array, and where that comes from if it is not the cascade's text. */
export interface EntryOperations {
  readonly operations: EinsumMapping["operations"];
  readonly source: string | undefined;
}

/** The entries of a cascade in its order, the parts of an Einsum in that of the design's own mapping. */
export function entriesOf({ einsums }: Cascade, { declared }: Pick<Design, "declared">): readonly MapEntry[] {
  return einsums.flatMap((einsum, index): readonly MapEntry[] => {
    if (needsNoPlace(einsum)) return [];
    const own = declared.filter(one => one.index === index);
    const parts = own.filter(({ isPart }) => isPart);
    if (parts.length === 0) return [{ name: einsum.tensor, einsum, part: undefined, declared: own }];
    return parts.map(part => ({ name: part.name, einsum, part, declared: [] }));
  });
}

type Arrays = Architecture["arrays"];

/** What an entry takes on an array: a part its own operations, else what is declared for the array, else the cascade's; undefined where the array lacks one. */
export function operationsOf(entry: MapEntry, array: string, arrays: Arrays): EntryOperations | undefined {
  const taken = takenOn(entry, array, arrays);
  return lackedBy(taken.operations, array, arrays).length === 0 ? taken : undefined;
}

function takenOn({ einsum, part, declared }: MapEntry, array: string, arrays: Arrays): EntryOperations {
  const own = part ?? declared.find(one => one.array === array);
  if (own !== undefined) return { operations: own.operations, source: own.source };
  return { operations: peOperations(einsum, name => hasOn(array, arrays, name)), source: undefined };
}

const hasOn = (array: string, arrays: Arrays, operation: string): boolean =>
  Object.hasOwn(arrays[array]?.operations ?? {}, operation);

const lackedBy = (operations: EinsumMapping["operations"], array: string, arrays: Arrays): readonly string[] =>
  Object.keys(operations).filter(operation => !hasOn(array, arrays, operation));

/** Throws SpecError for an Einsum, or a part of one, of which no array has all operations. */
export function requireArrays({ architecture }: Pick<Design, "architecture">, entries: readonly MapEntry[]): void {
  const { arrays } = architecture.data;
  const names = Object.keys(arrays);
  for (const entry of entries) {
    if (names.some(array => operationsOf(entry, array, arrays) !== undefined)) continue;
    const lacks = names.map(array => {
      const lacked = lackedBy(takenOn(entry, array, arrays).operations, array, arrays);
      return `${array} has no ${lacked.join(", ")}`;
    });
    const what = entry.part === undefined ? "" : `the part ${entry.name} of `;
    throw new SpecError({
      where: architecture.at(["arrays"]),
      got: `no array for all of ${what}${entry.einsum.text}: ${lacks.join("; ")}`,
      expected: "one array that can do all of it, for fusemax map",
      fix: "or a mapping of the design's own that says what an array does it with (operations with a source), or parts of it (of)",
    });
  }
}
