import type { Accounting } from "./accounting.js";
import type { EinsumCounts } from "./action-counts.js";
import type { CompiledDesign } from "./compile.js";
import type { CompiledLevel } from "./compile-levels.js";
import { type AccessOfBits, accessCosts, isFreeUnder, wordsOf } from "./energy.js";
import { dramWordsOf } from "./traffic.js";

/** What one Einsum does to one tensor at one level. */
export interface AccessAction {
  readonly einsum: string;
  readonly level: string;
  readonly tensor: string;
  /** Words served to the levels below, or read back to go on with a sum. */
  readonly reads: number;
  /** Words that came from below. */
  readonly updates: number;
  /** Words that came from above. */
  readonly fills: number;
  /** Bytes of all three; at DRAM of its traffic, after what spills there and stays. */
  readonly bytes: number;
  readonly energyPj: number;
}

/** What one Einsum computes on its array. */
export interface OperationAction {
  readonly einsum: string;
  readonly array: string;
  readonly operation: string;
  readonly count: number;
  readonly energyPj: number;
}

/** Every action that the model counts, with its energy. Links and static power are no actions. */
export interface ActionTable {
  readonly accesses: readonly AccessAction[];
  readonly operations: readonly OperationAction[];
}

/**
 * The actions of each Einsum's counts at the sizes that `values` stands for. The energies are those of `energyOf` under the
 * same accounting, tensor by tensor: together they are its Einsums' energies without those of links.
 */
export function actionTable(
  design: CompiledDesign,
  counts: readonly EinsumCounts[],
  values: Float64Array,
  accounting: Accounting,
): ActionTable {
  const isFree = isFreeUnder(design, accounting);
  const costs = accessCosts(design, values);
  const accesses = counts.flatMap((count): readonly AccessAction[] => {
    const outermost = count.path.find(({ spec }) => spec.kind === "dram");
    return count.accesses.flatMap(({ tensor, levels }, t): readonly AccessAction[] => {
      const words = dramWordsOf(count, t);
      const bits = count.bits[t] as number;
      const rows = levels.map(({ level, reads, updates, fills }): AccessAction => {
        const { name, spec, index } = count.path[level] as CompiledLevel;
        const isDram = spec.kind === "dram";
        const moved = isDram ? words : reads + updates + fills;
        const cost = (costs[index] as AccessOfBits)(bits);
        const free = isFree?.("level", name, count.name) === true && !isDram;
        const energyPj = isDram
          ? (words / wordsOf(cost, bits)) * cost.readPj
          : (reads / wordsOf(cost, bits)) * cost.readPj + ((updates + fills) / wordsOf(cost, bits)) * cost.writePj;
        const at = { einsum: count.name, level: name, tensor };
        return { ...at, reads, updates, fills, bytes: moved * (bits / 8), energyPj: free ? 0 : energyPj };
      });
      if (words === 0 || outermost === undefined || rows.some(({ level }) => level === outermost.name)) return rows;
      // Kept on chip alone, and spilled in part.
      const cost = (costs[outermost.index] as AccessOfBits)(bits);
      const at = { einsum: count.name, level: outermost.name, tensor, reads: 0, updates: 0, fills: 0 };
      const energyPj = (words / wordsOf(cost, bits)) * cost.readPj;
      return [{ ...at, bytes: words * (bits / 8), energyPj }, ...rows];
    });
  });
  const operations = counts.flatMap(({ name: einsum, array, operations: done }) =>
    done.map(({ name: operation, count }): OperationAction => {
      const free = isFree?.("operation", operation, einsum) === true;
      const energyPj = free ? 0 : count * (design.words.figures.of(einsum, operation)?.energyPj ?? 0);
      return { einsum, array, operation, count, energyPj };
    }),
  );
  return { accesses, operations };
}
