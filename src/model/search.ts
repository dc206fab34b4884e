import { SpecError } from "../errors.js";
import type { Accounting } from "./accounting.js";
import { bytesKept, countEinsum, countLaid, type EinsumCounts, type Laid, layOut, variantOf } from "./action-counts.js";
import type { CompiledDesign } from "./compile.js";
import type { CompiledEinsum } from "./compile-einsum.js";
import { accessCosts, einsumEnergy } from "./energy.js";
import type { VisibleRegion } from "./region.js";
import { blockSizes, type Candidate, type SearchSpace, searchSpace } from "./search-space.js";
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
  region: VisibleRegion | undefined,
): number {
  const open = einsums.filter(({ choices }) => choices.length > 0);
  if (open.length === 0) return 0;
  for (const { choices } of open) for (const { slot } of choices) values[slot] = 1;
  let tried = 0;
  for (const einsum of open) {
    const published = einsum.choices.map(choice => choice.published?.(values) ?? 0);
    const chosen = accounting.mapping === "published" && published.every(block => block >= 1);
    if (chosen)
      einsum.choices.forEach(({ slot }, i) => {
        values[slot] = published[i] as number;
      });
    else {
      const space = spaceOf(design, einsum, values, region);
      tried += space.candidates.length;
      setBlocks(einsum, values, search(design, einsum, values, region, space).blocks);
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
        const own = dramBytes(counts);
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

const exact = { allInstances: false, overflow: false };

const isOperation = (kind: "level" | "operation"): boolean => kind === "operation";

/** By design, the spaces that were searched, by all that they depend on: not capacities, and not energies. */
const searched = new WeakMap<CompiledDesign, Map<string, SearchSpace>>();
/** Spaces remembered for a design: enough for a sweep's lengths, few enough to hold. */
const mostRemembered = 2000;

/** The combinations of blocks that an Einsum may take at these sizes, with what earlier searches found out about them. */
function spaceOf(
  design: CompiledDesign,
  { choices, choiceInputs, mappingKey, at }: CompiledEinsum,
  values: Float64Array,
  region: VisibleRegion | undefined,
): SearchSpace {
  const inputs = choiceInputs.map(slot => values[slot]).join();
  const key = `${mappingKey} ${inputs} ${JSON.stringify(region)}`;
  const spaces = searched.get(design) ?? new Map<string, SearchSpace>();
  searched.set(design, spaces);
  const known = spaces.get(key);
  if (known !== undefined) return known;
  if (spaces.size >= mostRemembered) spaces.clear();
  const where = (): string => at(["choose"]);
  const sizes = choices.map(({ upTo, partial }) => blockSizes(upTo(values), partial(values) !== 0, where));
  const space = searchSpace(sizes, where);
  spaces.set(key, space);
  return space;
}

/**
 * Tries every combination of blocks; takes the one with the least DRAM traffic, then the least energy of DRAM and buffers
 * (what happens below does not depend on the blocks). What a combination moves and keeps is worked out once; which ones fit
 * and what their accesses cost depends on the buffers at hand.
 */
function search(
  design: CompiledDesign,
  einsum: CompiledEinsum,
  values: Float64Array,
  region: VisibleRegion | undefined,
  { sizes, candidates }: SearchSpace,
): Candidate {
  const buffers = einsum.path.flatMap(({ spec }, level) => (spec.kind === "sram" ? [level] : []));
  const capacities = buffers.map(level => einsum.path[level]?.fields.get("bytes")?.(values) ?? 0);
  const options = { ...exact, deepest: buffers.at(-1) ?? -1 };
  let last: { readonly candidate: Candidate; readonly laid: Laid } | undefined;
  const laidOut = (candidate: Candidate): Laid => {
    if (last?.candidate !== candidate) {
      setBlocks(einsum, values, candidate.blocks);
      last = { candidate, laid: layOut(design, einsum, values, region, 0) };
    }
    return last.laid;
  };
  const fits = (candidate: Candidate): boolean => {
    candidate.bytesKept ??= buffers.map(level => bytesKept(laidOut(candidate), level, values));
    return candidate.bytesKept.every((bytes, k) => bytes <= (capacities[k] as number));
  };
  const countsOf = (candidate: Candidate): EinsumCounts => {
    candidate.counts ??= countLaid(design, laidOut(candidate), values, options);
    return candidate.counts;
  };
  const traffic = (candidate: Candidate): number => {
    candidate.dramBytes ??= dramBytes(countsOf(candidate));
    return candidate.dramBytes;
  };
  const costs = accessCosts(design, values);
  const energies = new Map<Candidate, number>();
  const energy = (candidate: Candidate): number => {
    const known = energies.get(candidate);
    if (known !== undefined) return known;
    const found = einsumEnergy(design, countsOf(candidate), traffic(candidate), costs, isOperation);
    energies.set(candidate, found);
    return found;
  };
  const row = sizes[0]?.length ?? 1;
  let best: Candidate | undefined;
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i] as Candidate;
    if (!fits(candidate)) {
      // A larger block along the first choice fits no better: on to the next of the others.
      i += row - 1 - (i % row);
      continue;
    }
    const less = best === undefined ? -1 : traffic(candidate) - traffic(best);
    if (best === undefined || less < 0 || (less === 0 && energy(candidate) < energy(best))) best = candidate;
  }
  if (best === undefined) {
    throw new SpecError({
      where: einsum.at(["choose"]),
      got: `no block of its tiles (${sizes.map(s => s.length).join(" x ")} tried) that fits the buffer`,
      expected: "one that does",
      fix: "a larger buffer, or loops that keep smaller tiles in it",
    });
  }
  // Counts are large, and asked for again only where traffic ties with the least.
  if (last !== undefined) {
    for (const candidate of candidates) if (candidate.dramBytes !== best.dramBytes) candidate.counts = undefined;
  }
  return best;
}

function setBlocks({ choices, applyChoices }: CompiledEinsum, values: Float64Array, blocks: readonly number[]): void {
  choices.forEach(({ slot }, i) => {
    values[slot] = blocks[i] as number;
  });
  applyChoices(values);
}
