import type { Level } from "../spec/architecture.js";
import type { Accounting } from "./accounting.js";
import type { EinsumCounts } from "./action-counts.js";
import type { CompiledDesign, CompiledLevel } from "./compile.js";

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

/** Accesses and operations times their energies. */
export function energyOf(
  design: CompiledDesign,
  counts: readonly EinsumCounts[],
  bytes: ReadonlyMap<string, number>,
  values: Float64Array,
  accounting: Accounting,
): Energy {
  const uncharged = (design.design.spec.data.unchargedWhenPublished ?? []).filter(
    ({ correction }) => !accounting.corrections.includes(correction),
  );
  const isFree = (kind: "level" | "operation", name: string, einsum: string): boolean =>
    uncharged.some(u => u[kind] === name && (u.einsums === undefined || u.einsums.includes(einsum)));
  const costs = accessCosts(design, values);
  const components: Record<string, number> = {};
  const einsums: Record<string, number> = {};
  let energyPj = 0;
  for (const count of counts) {
    const { total, byComponent } = einsumEnergy(design, count, bytes.get(count.name) ?? 0, costs, isFree);
    for (const [name, energy] of byComponent) components[name] = (components[name] ?? 0) + energy;
    einsums[count.name] = total;
    energyPj += total;
  }
  return { energyPj, einsumEnergyPj: einsums, componentEnergyPj: components };
}

/** The energies of each level's accesses at these sizes. */
export const accessCosts = (design: CompiledDesign, values: Float64Array): ReadonlyMap<string, Access> =>
  new Map([...design.levels.values()].map(level => [level.name, accessOf(design, level, values)]));

/** One Einsum's energy, whole and by component. `isFree` says what is not charged. */
export function einsumEnergy(
  design: CompiledDesign,
  counts: EinsumCounts,
  dramBytes: number,
  costs: ReadonlyMap<string, Access>,
  isFree: (kind: "level" | "operation", name: string, einsum: string) => boolean,
): { readonly total: number; readonly byComponent: ReadonlyMap<string, number> } {
  const { operations } = design.design.technology.data;
  const byComponent = new Map<string, number>();
  let total = 0;
  const charge = (component: string, energy: number): void => {
    byComponent.set(component, (byComponent.get(component) ?? 0) + energy);
    total += energy;
  };
  for (const { levels } of counts.accesses) {
    for (const { level, reads, updates, fills } of levels) {
      const name = counts.levels[level] as string;
      const spec = design.levels.get(name)?.spec as Level;
      if (spec.kind === "dram" || isFree("level", name, counts.name)) continue;
      const { readPj, writePj, words } = costs.get(name) as Access;
      const component = spec.kind === "registers" ? (spec.sameAs ?? name) : name;
      charge(component, (reads / words) * readPj + ((updates + fills) / words) * writePj);
    }
  }
  const dram = counts.levels.findIndex(name => design.levels.get(name)?.spec.kind === "dram");
  if (dram >= 0) {
    const name = counts.levels[dram] as string;
    const { readPj, words } = costs.get(name) as Access;
    charge(name, (dramBytes / design.wordBytes / words) * readPj);
  }
  for (const { name, count } of counts.operations) {
    if (isFree("operation", name, counts.name)) continue;
    charge(`compute.${counts.array}`, count * (operations[name]?.energyPj ?? 0));
  }
  return { total, byComponent };
}

function accessOf(design: CompiledDesign, { spec, fields }: CompiledLevel, values: Float64Array): Access {
  const { dram } = design.design.technology.data;
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
