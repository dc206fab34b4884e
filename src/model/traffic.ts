import type { EinsumCounts } from "./action-counts.js";
import type { CompiledDesign } from "./compile.js";
import type { Accesses } from "./loop-nest.js";

/** Bytes between DRAM and the chip for one Einsum. */
export function dramBytes(counts: EinsumCounts, design: CompiledDesign): number {
  return dramWords(counts, design).reduce((sum, words) => sum + words, 0) * design.wordBytes;
}

/**
 * Words per tensor. An output whose partial sums all come back is counted by its updates. A tensor that does not quite
 * fit the buffer spills: that share of its buffer accesses goes to DRAM, and of its DRAM words the rest stays.
 */
function dramWords({ accesses, levels, spilled }: EinsumCounts, design: CompiledDesign): readonly number[] {
  const kind = (a: Accesses): string | undefined => design.levels.get(levels[a.level] as string)?.spec.kind;
  return accesses.map(({ levels: at }, t) => {
    const dram = at.find(a => kind(a) === "dram");
    const own = dram === undefined ? 0 : moved(dram);
    const share = spilled[t] as number;
    if (share === 0) return own;
    const buffer = at.find(a => kind(a) === "sram");
    return buffer === undefined ? own : own * (1 - share) + share * moved(buffer);
  });
}

const moved = ({ reads, updates }: Accesses): number => (reads === updates ? updates : reads + updates);
