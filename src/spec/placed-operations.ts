import type { Cascade } from "../einsum/cascade.js";
import type { Einsum } from "../einsum/einsum.js";
import { SpecError } from "../errors.js";
import type { Architecture } from "./architecture.js";
import type { Document, Path } from "./document.js";
import type { Formula } from "./expression.js";
import type { WrittenEinsum, WrittenMapping } from "./mapping.js";
import { peOperations } from "./pe-operations.js";
import type { PlacedEinsum } from "./placement.js";

/** What the Einsums of a mapping do on their arrays: the cascade's operations, or the mapping's own. */
export class PlacedOperations {
  constructor(
    private readonly document: Document<WrittenMapping>,
    private readonly cascade: Cascade,
    private readonly architecture: Architecture,
  ) {}

  private einsumAt(index: number): Einsum {
    return this.cascade.einsums[index] as Einsum;
  }

  /** The cascade's operations on the variant's array; the mapping's own where it says their source. */
  of(variant: WrittenEinsum, path: Path, index: number, isPart: boolean): Readonly<Record<string, Formula>> {
    const { document } = this;
    const einsum = this.einsumAt(index);
    const derived = this.derivedOperations(index, variant.array);
    const typed = variant.operations;
    if (typed === undefined && !isPart) return derived;
    if (typed === undefined) {
      const fix = "its parts' operations add up to the Einsum's";
      const [got, expected] = [`a part of ${einsum.tensor} without operations`, "operations of its own"];
      throw new SpecError({ where: document.at(path), got, expected, fix });
    }
    if (isPart || variant.source !== undefined || sameCounts(typed, derived)) return typed;
    throw new SpecError({
      where: document.at([...path, "operations"]),
      got: inWords(typed),
      expected: `${inWords(derived)}, which ${einsum.tensor} takes on the ${variant.array} array`,
      fix: "leave them out, or say in 'source' beside them where they come from",
    });
  }

  private derivedOperations(index: number, array: string): Readonly<Record<string, Formula>> {
    const einsum = this.einsumAt(index);
    const units = this.architecture.arrays[array]?.operations ?? {};
    return peOperations(einsum, operation => Object.hasOwn(units, operation));
  }

  /** The operations of an Einsum's parts together are the Einsum's. */
  checkParts(indices: readonly number[], placement: readonly PlacedEinsum[]): void {
    for (const index of new Set(indices)) {
      const parts = placement.filter(placed => placed.index === index && placed.isPart);
      const [first] = parts;
      if (first === undefined) continue;
      const sum = new Map<string, number>();
      for (const { variants } of parts) {
        for (const [name, count] of Object.entries(variants[0]?.operations ?? {})) {
          sum.set(name, (sum.get(name) ?? 0) + Number(count));
        }
      }
      const arrays = parts.flatMap(({ variants }) => variants.map(({ array }) => array));
      const derived = arrays.map(array => this.derivedOperations(index, array));
      const total = Object.fromEntries(sum);
      if (derived.some(counts => sameCounts(total, counts))) continue;
      throw new SpecError({
        where: this.document.at(["einsums", first.name]),
        got: `parts of ${this.einsumAt(index).tensor} that do ${inWords(total)}`,
        expected: inWords(derived[0] ?? {}),
      });
    }
  }
}

function sameCounts(a: Readonly<Record<string, Formula>>, b: Readonly<Record<string, Formula>>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every(name => String(a[name] ?? 0) === String(b[name] ?? 0));
}

const inWords = (counts: Readonly<Record<string, Formula>>): string => {
  const some = Object.entries(counts).filter(([, count]) => String(count) !== "0");
  return some.length === 0 ? "no operations" : some.map(([name, count]) => `${name}: ${count}`).join(", ");
};
