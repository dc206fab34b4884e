import { SpecError } from "../errors.js";
import type { Accounting } from "./accounting.js";
import { countEinsum, type EinsumCounts } from "./action-counts.js";
import type { CompiledDesign } from "./compile.js";
import type { CompiledEinsum } from "./compile-einsum.js";
import { einsumEnergy } from "./energy.js";
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
  for (const einsum of open) {
    const published = einsum.choices.map(choice => choice.published?.(values) ?? 0);
    const chosen = accounting.mapping === "published" && published.every(split => split >= 1);
    if (chosen)
      einsum.choices.forEach(({ slot }, i) => {
        values[slot] = published[i] as number;
      });
    else tried += search(design, einsum, values);
  }
  design.program.run(values);
  return tried;
}

const exact = { allInstances: false, overflow: false };

/** Tries every combination of splits; keeps the one with the least DRAM traffic, then the least energy. */
function search(design: CompiledDesign, einsum: CompiledEinsum, values: Float64Array): number {
  const { choices } = einsum;
  const splits = choices.map(({ splitsOf }) => splitsFor(splitsOf(values)));
  const at = choices.map(() => 0);
  let best: { readonly splits: readonly number[]; readonly bytes: number; energy: number | undefined } | undefined;
  let tried = 0;
  const energy = (counts: EinsumCounts): number =>
    einsumEnergy(design, counts, dramBytes(counts, design), values, () => false).total;
  for (let more = true; more; more = advance(at, splits)) {
    const current = at.map((i, k) => (splits[k] as readonly number[])[i] as number);
    const counts = countWith(design, einsum, values, current);
    tried++;
    if (!fits(design, counts, values)) continue;
    const bytes = dramBytes(counts, design);
    if (best !== undefined && bytes > best.bytes) continue;
    if (best === undefined || bytes < best.bytes) {
      best = { splits: current, bytes, energy: undefined };
      continue;
    }
    best.energy ??= energy(countWith(design, einsum, values, best.splits));
    const now = energy(countWith(design, einsum, values, current));
    if (now < best.energy) best = { splits: current, bytes, energy: now };
  }
  if (best === undefined) {
    throw new SpecError({
      where: einsum.at(["choose"]),
      got: `no split of ${tried} whose tiles fit the buffer`,
      expected: "one that does",
      mend: "a larger buffer, or loops that keep smaller tiles in it",
    });
  }
  setSplits(design, einsum, values, best.splits);
  return tried;
}

function setSplits(
  design: CompiledDesign,
  { choices }: CompiledEinsum,
  values: Float64Array,
  splits: readonly number[],
): void {
  choices.forEach(({ slot }, i) => {
    values[slot] = splits[i] as number;
  });
  design.program.run(values);
}

function countWith(
  design: CompiledDesign,
  einsum: CompiledEinsum,
  values: Float64Array,
  splits: readonly number[],
): EinsumCounts {
  setSplits(design, einsum, values, splits);
  return countEinsum(design, einsum, values, exact);
}

function fits(design: CompiledDesign, { accesses, levels, tiles }: EinsumCounts, values: Float64Array): boolean {
  const used = new Map<string, number>();
  accesses.forEach(({ levels: at }, t) => {
    at.forEach(({ level }, k) => {
      const name = levels[level] as string;
      if (design.levels.get(name)?.spec.kind !== "sram") return;
      used.set(name, (used.get(name) ?? 0) + (tiles[t]?.[k] as number) * design.wordBytes);
    });
  });
  return [...used].every(([name, bytes]) => bytes <= (design.levels.get(name)?.fields.get("bytes")?.(values) ?? 0));
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
