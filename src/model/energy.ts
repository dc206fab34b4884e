import type { Accounting } from "./accounting.js";
import type { EinsumCounts } from "./action-counts.js";
import type { CompiledDesign } from "./compile.js";
import type { CompiledLevel } from "./compile-levels.js";

export interface Energy {
  readonly energyPj: number;
  readonly einsumEnergyPj: Readonly<Record<string, number>>;
  /** By memory level, and per array its operations as `compute.<array>`. */
  readonly componentEnergyPj: Readonly<Record<string, number>>;
}

/** Energy per access of a level, and the words that one access moves. */
export interface Access {
  readonly readPj: number;
  readonly writePj: number;
  readonly words: number;
}

/** Says what is not charged: the accesses of a level, or an operation, of an Einsum. */
export type IsFree = (kind: "level" | "operation", name: string, einsum: string) => boolean;

/** Accesses and operations times their energies. */
export function energyOf(
  design: CompiledDesign,
  counts: readonly EinsumCounts[],
  bytes: ReadonlyMap<string, number>,
  values: Float64Array,
  accounting: Accounting,
): Energy {
  const isFree = isFreeUnder(design, accounting);
  const costs = accessCosts(design, values);
  const components: Record<string, number> = {};
  const einsums: Record<string, number> = {};
  let energyPj = 0;
  for (const count of counts) {
    const own = einsumEnergy(design, count, bytes.get(count.name) ?? 0, costs, isFree, components);
    einsums[count.name] = own;
    energyPj += own;
  }
  return { energyPj, einsumEnergyPj: einsums, componentEnergyPj: components };
}

/** What an accounting does not charge; undefined where it charges all. */
export function isFreeUnder(design: CompiledDesign, accounting: Accounting): IsFree | undefined {
  const uncharged = (design.design.spec.data.unchargedWhenPublished ?? []).filter(
    ({ correction }) => !accounting.corrections.includes(correction),
  );
  if (uncharged.length === 0) return undefined;
  return (kind, name, einsum) =>
    uncharged.some(u => u[kind] === name && (u.einsums === undefined || u.einsums.includes(einsum)));
}

/** The energies of each level's accesses at these sizes, by the level's index. */
export const accessCosts = (design: CompiledDesign, values: Float64Array): readonly Access[] =>
  [...design.levels.values()].map(level => accessOf(design, level, values));

/** One Einsum's energy; its parts are added to `components`. */
export function einsumEnergy(
  design: CompiledDesign,
  counts: EinsumCounts,
  dramBytes: number,
  costs: readonly Access[],
  isFree?: IsFree,
  components: Record<string, number> = {},
): number {
  const { operations } = design.technology;
  let total = 0;
  const charge = (component: string, energy: number): void => {
    components[component] = (components[component] ?? 0) + energy;
    total += energy;
  };
  for (const { levels } of counts.accesses) {
    for (const { level, reads, updates, fills } of levels) {
      const { name, spec, index, component } = counts.path[level] as CompiledLevel;
      if (spec.kind === "dram" || isFree?.("level", name, counts.name) === true) continue;
      const { readPj, writePj, words } = costs[index] as Access;
      charge(component, (reads / words) * readPj + ((updates + fills) / words) * writePj);
    }
  }
  const dram = counts.path.find(({ spec }) => spec.kind === "dram");
  if (dram !== undefined) {
    const { readPj, words } = costs[dram.index] as Access;
    charge(dram.name, (dramBytes / design.wordBytes / words) * readPj);
  }
  for (const { name, count } of counts.operations) {
    if (isFree?.("operation", name, counts.name) === true) continue;
    charge(`compute.${counts.array}`, count * (operations[name]?.energyPj ?? 0));
  }
  return total;
}

function accessOf(design: CompiledDesign, { spec, fields }: CompiledLevel, values: Float64Array): Access {
  const { dram } = design.technology;
  const wordBits = design.wordBytes * 8;
  const field = (name: string): number | undefined => fields.get(name)?.(values);
  switch (spec.kind) {
    case "dram":
      return { readPj: dram.energyPj, writePj: dram.energyPj, words: dram.bits / wordBits };
    case "sram": {
      const words = field("rowWords") as number;
      const block = design.blocks.sram(field("bytes") as number, words * wordBits);
      return {
        readPj: field("energyPj.read") ?? block.readPj,
        writePj: field("energyPj.write") ?? block.writePj,
        words,
      };
    }
    case "registers": {
      const block = design.blocks.registerFile(field("depth") as number);
      return {
        readPj: field("energyPj.read") ?? block.readPj,
        writePj: field("energyPj.write") ?? block.writePj,
        words: 1,
      };
    }
    case "fanout":
      return { readPj: 0, writePj: 0, words: 1 };
  }
}
