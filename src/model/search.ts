import { SpecError } from "../errors.js";
import type { Accounting } from "./accounting.js";
import { bytesKept, countEinsum, countLaid, type EinsumCounts, type Laid, layOut, variantOf } from "./action-counts.js";
import type { CompiledDesign } from "./compile.js";
import type { CompiledEinsum } from "./compile-einsum.js";
import type { CompiledLevel } from "./compile-levels.js";
import { accessCosts, einsumEnergy } from "./energy.js";
import { dramBytes } from "./traffic.js";
import type { VisibleRegion } from "./visible-region.js";

/**
 * Sets the symbols that a mapping leaves open: as published where the spec says so, else the best of an exhaustive
 * search. Returns how many mappings were tried. Throws SpecError when no mapping of the space fits the buffer.
 */
export function chooseMappings(
  design: CompiledDesign,
  einsums: readonly CompiledEinsum[],
  values: Float64Array,
  accounting: Accounting,
  region: VisibleRegion | undefined,
): number {
  const open = einsums.filter(({ choices }) => choices.length > 0);
  if (open.length === 0) return 0;
  for (const { choices } of open) for (const { slot } of choices) values[slot] = 1;
  let tried = 0;
  const machine = machineKey(design, values) + (region === undefined ? "" : JSON.stringify(region));
  for (const einsum of open) {
    const published = einsum.choices.map(choice => choice.published?.(values) ?? 0);
    const chosen = accounting.mapping === "published" && published.every(block => block >= 1);
    if (chosen)
      einsum.choices.forEach(({ slot }, i) => {
        values[slot] = published[i] as number;
      });
    else {
      const sizes = [...einsum.ranks.map(({ size }) => values[size]), ...einsum.choices.map(c => c.upTo(values))];
      const key = `${einsum.mappingKey} ${sizes.join()} ${machine}`;
      const found = design.searched.get(key) ?? search(design, einsum, values, region);
      if (design.searched.size > mostRemembered) design.searched.clear();
      design.searched.set(key, found);
      tried += found.tried;
      setBlocks(einsum, values, found.blocks);
    }
  }
  design.program.run(values);
  return tried;
}

/**
 * Sets the rows of tables that are searched: for each the row with which the design takes the least energy, then the least
 * DRAM traffic. Returns how many were tried.
 */
export function chooseRows(design: CompiledDesign, values: Float64Array, region: VisibleRegion | undefined): number {
  let tried = 0;
  for (const { slot, rows } of design.tableChoices) {
    let best: { readonly row: number; readonly bytes: number; readonly energyPj: number } | undefined;
    for (const row of rows(values)) {
      values[slot] = row;
      design.program.run(values);
      const costs = accessCosts(design, values);
      let bytes = 0;
      let energyPj = 0;
      for (const einsum of design.einsums) {
        const counts = countEinsum(design, variantOf(einsum, values), values, exact, region);
        const own = dramBytes(counts, design);
        bytes += own;
        energyPj += einsumEnergy(design, counts, own, costs);
      }
      tried++;
      if (best === undefined || energyPj < best.energyPj || (energyPj === best.energyPj && bytes < best.bytes)) {
        best = { row, bytes, energyPj };
      }
    }
    values[slot] = best?.row ?? 0;
    design.program.run(values);
  }
  return tried;
}

/** Searches remembered for a design: enough for a sweep's lengths, few enough to hold. */
const mostRemembered = 20_000;

/** What a search's outcome depends on besides the Einsum: memories and fan-outs, and the variables that shape mappings. */
function machineKey(design: CompiledDesign, values: Float64Array): string {
  const levels = [...design.levels.values()].filter(({ spec }) => spec.kind !== "dram");
  const fields = levels.flatMap(({ fields }) => [...fields.values()].map(field => field(values)));
  return [...fields, ...design.searchVariables.map(i => values[design.variableSlots[i] as number])].join();
}

const exact = { allInstances: false, overflow: false };

const isOperation = (kind: "level" | "operation"): boolean => kind === "operation";

interface Found {
  readonly blocks: readonly number[];
  readonly counts: EinsumCounts;
  readonly bytes: number;
  /** Asked for only where traffic ties. */
  energyPj?: number;
}

/**
 * Tries every combination of blocks; keeps the one with the least DRAM traffic, then the least energy of DRAM and buffers
 * (what happens below does not depend on the blocks).
 */
function search(
  design: CompiledDesign,
  einsum: CompiledEinsum,
  values: Float64Array,
  region: VisibleRegion | undefined,
): { readonly blocks: readonly number[]; readonly tried: number } {
  const blocks = einsum.choices.map(({ upTo, partial }) => blockSizes(upTo(values), partial(values) !== 0));
  const costs = accessCosts(design, values);
  const kinds = einsum.levelNames.map(name => design.levels.get(name)?.spec.kind);
  const options = { ...exact, deepest: kinds.lastIndexOf("sram") };
  const energy = (found: Found): number => {
    found.energyPj ??= einsumEnergy(design, found.counts, found.bytes, costs, isOperation);
    return found.energyPj;
  };
  const at = blocks.map(() => 0);
  let best: Found | undefined;
  for (let more = true; more; more = advance(at, blocks)) {
    const current = at.map((i, k) => (blocks[k] as readonly number[])[i] as number);
    setBlocks(einsum, values, current);
    const laid = layOut(design, einsum, values, region);
    if (!fits(design, laid, values)) {
      // A larger block along the first choice fits no better: on to the next of the others.
      at[0] = (blocks[0] as readonly number[]).length - 1;
      continue;
    }
    const counts = countLaid(design, laid, values, options);
    const found: Found = { blocks: current, counts, bytes: dramBytes(counts, design) };
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
      got: `no block of its tiles (${blocks.map(s => s.length).join(" x ")} tried) that fits the buffer`,
      expected: "one that does",
      mend: "a larger buffer, or loops that keep smaller tiles in it",
    });
  }
  return { blocks: best.blocks, tried: blocks.reduce((product, sizes) => product * sizes.length, 1) };
}

function setBlocks({ choices, applyChoices }: CompiledEinsum, values: Float64Array, blocks: readonly number[]): void {
  choices.forEach(({ slot }, i) => {
    values[slot] = blocks[i] as number;
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
function advance(at: number[], blocks: readonly (readonly number[])[]): boolean {
  for (let k = 0; k < at.length; k++) {
    at[k] = (at[k] as number) + 1;
    if ((at[k] as number) < (blocks[k] as readonly number[]).length) return true;
    at[k] = 0;
  }
  return false;
}

/**
 * The sizes of a block of n tiles that are tried: its divisors and the powers of two; or, where blocks may leave a
 * partial last one, a set that does not depend on n (two sizes an octave, up to n), so that a longer sequence never
 * finds a better block than a shorter one could have.
 */
export function blockSizes(n: number, partial: boolean): readonly number[] {
  const known = partial ? partialSizes : dividingSizes;
  const found = known.get(n);
  if (found !== undefined) return found;
  const sizes = new Set<number>([n]);
  for (let size = 1; size <= n; size *= 2) {
    sizes.add(size);
    if (partial && 3 * size <= n) sizes.add(3 * size);
  }
  if (!partial) {
    for (let d = 1; d * d <= n; d++) {
      if (n % d === 0) sizes.add(d).add(n / d);
    }
  }
  const list = [...sizes].sort((a, b) => a - b);
  if (known.size > 1000) known.clear();
  known.set(n, list);
  return list;
}

const dividingSizes = new Map<number, readonly number[]>();
const partialSizes = new Map<number, readonly number[]>();
