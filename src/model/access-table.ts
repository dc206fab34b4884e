import type { Block } from "./building-blocks.js";
import type { CompiledDesign } from "./compile.js";
import { type AccessOfBits, accessCosts, wordsOf } from "./energy.js";
import { instances } from "./timing.js";

/** What one access of a memory costs, and how large it is. */
export interface MemoryCost {
  readonly level: string;
  readonly kind: "dram" | "sram" | "registers";
  /** How many there are. */
  readonly instances: number;
  /** Bytes of one; absent for DRAM. */
  readonly bytes?: number;
  readonly wordsPerAccess: number;
  readonly readPj: number;
  readonly writePj: number;
  /** Of one instance, and of all; absent where the specs give none (DRAM), and for registers that are another level's. */
  readonly areaUm2?: number;
  readonly allAreaUm2?: number;
  /** The level whose registers these are. */
  readonly sameAs?: string;
  /** Where the technology's table of buffers has it. */
  readonly origin?: Block["origin"];
}

/** What one operation of a PE costs. */
export interface OperatorCost {
  readonly array: string;
  readonly operation: string;
  readonly pes: number;
  readonly cycles: number;
  readonly energyPj: number;
  readonly areaUm2: number;
}

/** Energy and area of a design's memories and operators. `values` stands for the sizes at which its formulas are taken. */
export function accessTable(
  design: CompiledDesign,
  values: Float64Array,
  componentAreaUm2: Readonly<Record<string, number>>,
): { readonly memories: readonly MemoryCost[]; readonly operators: readonly OperatorCost[] } {
  const costs = accessCosts(design, values);
  const memories = [...design.levels.values()].flatMap(({ name, spec, index, fields }): readonly MemoryCost[] => {
    if (spec.kind === "fanout") return [];
    const access = (costs[index] as AccessOfBits)(design.wordBytes * 8);
    const { readPj, writePj } = access;
    const words = wordsOf(access, design.wordBytes * 8);
    const count = instances(design, name, values);
    const all = componentAreaUm2[name];
    const depth = fields.get("depth")?.(values);
    const bytes = spec.kind === "registers" ? (depth ?? 0) * design.wordBytes : fields.get("bytes")?.(values);
    return [
      {
        level: name,
        kind: spec.kind,
        instances: count,
        ...(bytes === undefined ? {} : { bytes }),
        wordsPerAccess: words,
        readPj,
        writePj,
        ...(all === undefined ? {} : { areaUm2: all / count, allAreaUm2: all }),
        ...(spec.kind === "registers" && spec.sameAs !== undefined ? { sameAs: spec.sameAs } : {}),
        ...(spec.kind === "sram"
          ? { origin: design.blocks.sram(bytes ?? 1, words * design.wordBytes * 8).origin }
          : {}),
      },
    ];
  });
  const operators = [...design.arrays].flatMap(([array, operations]) =>
    [...operations].flatMap(([operation, cycles]): readonly OperatorCost[] => {
      const pes = instances(design, design.architecture.arrays[array]?.at as string, values);
      return design.words.figures
        .operators(array, operation)
        .map(cost => ({ array, operation, pes, cycles: cycles(values), ...cost }));
    }),
  );
  return { memories, operators };
}
