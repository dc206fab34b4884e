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

/** Energy per access of a level, and what one access moves. */
export interface Access {
  readonly readPj: number;
  readonly writePj: number;
  /** Bits that one access moves; one word, whatever its bits, where that is undefined. */
  readonly bits: number | undefined;
}

/** Words of so many bits in one access. */
export const wordsOf = ({ bits }: Access, wordBits: number): number => (bits === undefined ? 1 : bits / wordBits);

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

/** An access to words of so many bits. */
export type AccessOfBits = (bits: number) => Access;

/** The energies of each level's accesses at these sizes, by the level's index. */
export const accessCosts = (design: CompiledDesign, values: Float64Array): readonly AccessOfBits[] =>
  [...design.levels.values()].map(level => accessOf(design, level, values));

/** One Einsum's energy; its parts are added to `components`. */
export function einsumEnergy(
  design: CompiledDesign,
  counts: EinsumCounts,
  dramBytes: number,
  costs: readonly AccessOfBits[],
  isFree?: IsFree,
  components: Record<string, number> = {},
): number {
  const { figures } = design.words;
  let total = 0;
  const charge = (component: string, energy: number): void => {
    components[component] = (components[component] ?? 0) + energy;
    total += energy;
  };
  for (let t = 0; t < counts.accesses.length; t++) {
    const { levels } = counts.accesses[t] as EinsumCounts["accesses"][number];
    const bits = counts.bits[t] as number;
    for (const { level, reads, updates, fills } of levels) {
      const { name, spec, index, component } = counts.path[level] as CompiledLevel;
      if (spec.kind === "dram" || isFree?.("level", name, counts.name) === true) continue;
      const access = (costs[index] as AccessOfBits)(bits);
      const { readPj, writePj } = access;
      const words = wordsOf(access, bits);
      charge(component, (reads / words) * readPj + ((updates + fills) / words) * writePj);
    }
  }
  // The outermost level of every path is DRAM.
  const dram = counts.path[0] as CompiledLevel;
  const burst = (costs[dram.index] as AccessOfBits)(8);
  charge(dram.name, (dramBytes / wordsOf(burst, 8)) * burst.readPj);
  for (const { name, count } of counts.operations) {
    if (isFree?.("operation", name, counts.name) === true) continue;
    charge(`compute.${counts.array}`, count * (figures.of(counts.name, name)?.energyPj ?? 0));
  }
  return total;
}

/**
 * A buffer's access moves a row of its own width, DRAM's a burst: words of more bits are fewer in it. A register holds one
 * word.
 */
function accessOf(design: CompiledDesign, { spec, fields }: CompiledLevel, values: Float64Array): AccessOfBits {
  const { dram } = design.technology;
  const field = (name: string): number | undefined => fields.get(name)?.(values);
  const own = { readPj: field("energyPj.read"), writePj: field("energyPj.write") };
  switch (spec.kind) {
    case "dram": {
      const access = { readPj: dram.energyPj, writePj: dram.energyPj, bits: dram.bits };
      return () => access;
    }
    case "sram": {
      const bits = (field("rowWords") as number) * design.wordBytes * 8;
      const block = design.blocks.sram(field("bytes") as number, bits);
      const access = { readPj: own.readPj ?? block.readPj, writePj: own.writePj ?? block.writePj, bits };
      return () => access;
    }
    case "registers": {
      const depth = field("depth") as number;
      const ofBits = (wordBits: number): Access => {
        const block = design.blocks.registerFile(depth, wordBits);
        return { readPj: own.readPj ?? block.readPj, writePj: own.writePj ?? block.writePj, bits: undefined };
      };
      const { registersOfAnyWidth } = design.blocks;
      const usual = ofBits(design.wordBytes * 8);
      return registersOfAnyWidth ? ofBits : () => usual;
    }
    case "fanout":
      return () => nothing;
  }
}

const nothing: Access = { readPj: 0, writePj: 0, bits: undefined };
