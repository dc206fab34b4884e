import type { Level } from "../spec/architecture.js";
import type { Accounting } from "./accounting.js";
import type { EinsumCounts } from "./action-counts.js";
import type { CompiledDesign, CompiledLevel } from "./compile.js";
import { instances } from "./timing.js";

export interface Energy {
  readonly energyPj: number;
  readonly areaUm2: number;
  readonly einsumEnergyPj: Readonly<Record<string, number>>;
  /** By memory level, and per array its operations as `compute.<array>`. */
  readonly componentEnergyPj: Readonly<Record<string, number>>;
}

/** Energy per access of a level, and the words that one access moves. */
interface Access {
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
  const { operations } = design.design.technology.data;
  const uncharged = (design.design.spec.data.unchargedWhenPublished ?? []).filter(
    ({ correction }) => !accounting.corrections.includes(correction),
  );
  const costs = new Map([...design.levels.values()].map(level => [level.name, accessOf(design, level, values)]));
  const components: Record<string, number> = {};
  const einsums: Record<string, number> = {};
  for (const count of counts) {
    let total = 0;
    const charge = (component: string, energy: number): void => {
      components[component] = (components[component] ?? 0) + energy;
      total += energy;
    };
    for (const { levels } of count.accesses) {
      for (const { level, reads, updates, fills } of levels) {
        const name = count.levels[level] as string;
        const spec = design.levels.get(name)?.spec as Level;
        if (spec.kind === "dram" || uncharged.some(u => u.level === name)) continue;
        const { readPj, writePj, words } = costs.get(name) as Access;
        const component = spec.kind === "registers" ? (spec.sameAs ?? name) : name;
        charge(component, (reads / words) * readPj + ((updates + fills) / words) * writePj);
      }
    }
    const dram = [...design.levels.values()].find(({ spec }) => spec.kind === "dram");
    if (dram !== undefined) {
      const { readPj, words } = costs.get(dram.name) as Access;
      charge(dram.name, ((bytes.get(count.name) ?? 0) / design.wordBytes / words) * readPj);
    }
    for (const { name, count: times } of count.operations) {
      if (uncharged.some(u => u.operation === name && u.einsums?.includes(count.name))) continue;
      charge(`compute.${count.array}`, times * (operations[name]?.energyPj ?? 0));
    }
    einsums[count.name] = total;
  }
  return {
    energyPj: Object.values(einsums).reduce((sum, e) => sum + e, 0),
    areaUm2: areaOf(design, values),
    einsumEnergyPj: einsums,
    componentEnergyPj: components,
  };
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

/** Memories, register files and the operators of each PE. */
export function areaOf(design: CompiledDesign, values: Float64Array): number {
  const { operations } = design.design.technology.data;
  let area = 0;
  for (const { name, spec, fields } of design.levels.values()) {
    const own = fields.get("areaUm2")?.(values);
    const number = instances(design, name, values);
    if (own !== undefined) area += own * number * (spec.kind === "fanout" ? (fields.get("size")?.(values) ?? 1) : 1);
    else if (spec.kind === "sram") {
      const widthBits = (fields.get("rowWords")?.(values) ?? 1) * design.wordBytes * 8;
      area += number * design.blocks.sram(fields.get("bytes")?.(values) ?? 0, widthBits).areaUm2;
    } else if (spec.kind === "registers" && spec.sameAs === undefined) {
      area += number * design.blocks.registerFile(fields.get("depth")?.(values) ?? 1).areaUm2;
    }
  }
  for (const [array, cycles] of design.arrays) {
    const pe = [...cycles.keys()].reduce((sum, op) => sum + (operations[op]?.areaUm2 ?? 0), 0);
    area += pe * instances(design, design.architecture.arrays[array]?.at as string, values);
  }
  return area;
}
