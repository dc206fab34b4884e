import { SpecError } from "../errors.js";
import type { Accounting } from "./accounting.js";
import { bytesKept, countLaid, type EinsumCounts, type Laid, layOut } from "./action-counts.js";
import type { CompiledDesign, CompiledLevel } from "./compile.js";
import type { CompiledEinsum } from "./compile-einsum.js";
import { accessCosts, einsumEnergy } from "./energy.js";
import { dramBytes } from "./traffic.js";

/**
 * Sets the symbols that a mapping leaves open: as published where the spec says so, else the best of an exhaustive
 * search. Returns how many mappings were tried. Throws SpecError when no mapping of the space fits the buffer.
 */
export function chooseMappings(
  design: CompiledDesign,
  einsums: readonly CompiledEinsum[],
  values: Float64Array,
  accounting: Accounting,
): number {
  const open = einsums.filter(({ choices }) => choices.length > 0);
  if (open.length === 0) return 0;
  for (const { choices } of open) for (const { slot } of choices) values[slot] = 1;
  let tried = 0;
  const alike = new Map<string, readonly number[]>();
  for (const einsum of open) {
    const published = einsum.choices.map(choice => choice.published?.(values) ?? 0);
    const chosen = accounting.mapping === "published" && published.every(split => split >= 1);
    if (chosen)
      einsum.choices.forEach(({ slot }, i) => {
        values[slot] = published[i] as number;
      });
    else {
      const key = `${einsum.mappingKey} ${einsum.ranks.map(({ size }) => values[size]).join()}`;
      const found = alike.get(key) ?? search(design, einsum, values, () => tried++);
      alike.set(key, found);
      setSplits(einsum, values, found);
    }
  }
  design.program.run(values);
  return tried;
}

const exact = { allInstances: false, overflow: false };

interface Found {
  readonly splits: readonly number[];
  readonly counts: EinsumCounts;
  readonly bytes: number;
  /** Asked for only where traffic ties. */
  energyPj?: number;
}

/** Tries every combination of splits; keeps the one with the least DRAM traffic, then the least energy. */
function search(
  design: CompiledDesign,
  einsum: CompiledEinsum,
  values: Float64Array,
  count: () => void,
): readonly number[] {
  const splits = einsum.choices.map(({ splitsOf }) => splitsFor(splitsOf(values)));
  const costs = accessCosts(design, values);
  const energy = (found: Found): number => {
    found.energyPj ??= einsumEnergy(design, found.counts, found.bytes, costs, () => false).total;
    return found.energyPj;
  };
  const at = splits.map(() => 0);
  let best: Found | undefined;
  for (let more = true; more; more = advance(at, splits)) {
    const current = at.map((i, k) => (splits[k] as readonly number[])[i] as number);
    setSplits(einsum, values, current);
    count();
    const laid = layOut(design, einsum, values);
    if (!fits(design, laid, values)) continue;
    const counts = countLaid(design, laid, values, exact);
    const found: Found = { splits: current, counts, bytes: dramBytes(counts, design) };
    if (
      best === undefined ||
      found.bytes < best.bytes ||
      (found.bytes === best.bytes && energy(found) < energy(best))
    ) {
      best = found;
    }
  }
  if (best === undefined) {
    throw new SpecError({
      where: einsum.at(["choose"]),
      got: `no split of its tiles (${splits.map(s => s.length).join(" x ")} tried) that fits the buffer`,
      expected: "one that does",
      mend: "a larger buffer, or loops that keep smaller tiles in it",
    });
  }
  return best.splits;
}

function setSplits({ choices, applyChoices }: CompiledEinsum, values: Float64Array, splits: readonly number[]): void {
  choices.forEach(({ slot }, i) => {
    values[slot] = splits[i] as number;
  });
  applyChoices(values);
}

/** Whether the tiles that the Einsum keeps fit each buffer on its way. */
function fits(design: CompiledDesign, laid: Laid, values: Float64Array): boolean {
  return laid.einsum.levelNames.every((name, level) => {
    const { spec, fields } = design.levels.get(name) as CompiledLevel;
    if (spec.kind !== "sram") return true;
    return bytesKept(laid, level, design.wordBytes) <= (fields.get("bytes")?.(values) ?? 0);
  });
}

/** Steps an odometer; false when it has gone round. */
function advance(at: number[], splits: readonly (readonly number[])[]): boolean {
  for (let k = 0; k < at.length; k++) {
    at[k] = (at[k] as number) + 1;
    if ((at[k] as number) < (splits[k] as readonly number[]).length) return true;
    at[k] = 0;
  }
  return false;
}

const known = new Map<number, readonly number[]>();

/** The splits of n tiles that are tried: into every divisor, and into every power of two with a partial last block. */
export function splitsFor(n: number): readonly number[] {
  const found = known.get(n);
  if (found !== undefined) return found;
  const splits = new Set<number>();
  for (let d = 1; d * d <= n; d++) {
    if (n % d === 0) splits.add(d).add(n / d);
  }
  for (let s = 1; s <= n; s *= 2) splits.add(s);
  const list = [...splits].sort((a, b) => a - b);
  known.set(n, list);
  return list;
}
