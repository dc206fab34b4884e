import type { EinsumCounts } from "./action-counts.js";
import type { Accesses, TensorAccesses } from "./loop-nest.js";

/**
 * Bytes between DRAM and the chip for one Einsum, of all tensors. An output whose partial sums all come back is counted by its
 * updates. A tensor that does not quite fit the buffer spills: that share of its buffer accesses goes to DRAM, and of its DRAM
 * words the rest stays.
 */
export function dramBytes(counts: EinsumCounts): number {
  let bytes = 0;
  for (let t = 0; t < counts.accesses.length; t++) bytes += dramWordsOf(counts, t) * ((counts.bits[t] as number) / 8);
  return bytes;
}

/** Words of one tensor, by its place in `accesses`. */
export function dramWordsOf({ accesses, path, spilled }: EinsumCounts, t: number): number {
  const at = (accesses[t] as TensorAccesses).levels;
  const kept = (kind: string): Accesses | undefined => at.find(({ level }) => path[level]?.spec.kind === kind);
  const dram = kept("dram");
  const own = dram === undefined ? 0 : moved(dram);
  const share = spilled[t] as number;
  const buffer = share === 0 ? undefined : kept("sram");
  return buffer === undefined ? own : own * (1 - share) + share * moved(buffer);
}

const moved = ({ reads, updates }: Accesses): number => (reads === updates ? updates : reads + updates);
