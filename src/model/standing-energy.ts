import type { Laid } from "./action-counts.js";
import type { CompiledDesign } from "./compile.js";
import type { Energy } from "./energy.js";
import { wordsAcross } from "./loop-nest.js";
import { instances } from "./timing.js";

const joulesToPj = 1e12;

/**
 * Adds what no access and no operation takes, where the architecture says it: the links of fan-outs, word by word (`hopPj`),
 * and the power that components take all the time (`staticWatts`).
 */
export function withStandingEnergy(
  design: CompiledDesign,
  energy: Energy,
  einsums: readonly Laid[],
  latencySeconds: number,
  values: Float64Array,
): Energy {
  const components = { ...energy.componentEnergyPj };
  const ofEinsums = { ...energy.einsumEnergyPj };
  let { energyPj } = energy;
  const charge = (component: string, own: number): void => {
    components[component] = (components[component] ?? 0) + own;
    energyPj += own;
  };
  for (const laid of einsums) {
    const { name } = laid.einsum;
    for (const [fanout, own] of linkEnergy(laid, values)) {
      charge(fanout, own);
      ofEinsums[name] = (ofEinsums[name] ?? 0) + own;
    }
  }
  for (const [name, watts] of staticPower(design, values)) {
    charge(`static.${name}`, watts * latencySeconds * joulesToPj);
  }
  return { energyPj, einsumEnergyPj: ofEinsums, componentEnergyPj: components };
}

/** By level and by array the watts that all its instances take all the time. */
function staticPower(design: CompiledDesign, values: Float64Array): readonly (readonly [string, number])[] {
  const levels = [...design.levels.values()].flatMap(({ name, fields }) => {
    const watts = fields.get("staticWatts")?.(values);
    if (watts === undefined) return [];
    // A fan-out is as many as it has instances.
    const count = instances(design, name, values) * (fields.get("size")?.(values) ?? 1);
    return [[name, watts * count] as const];
  });
  const arrays = [...design.arrayWatts].map(([array, watts]) => {
    const count = instances(design, design.architecture.arrays[array]?.at as string, values);
    return [array, watts(values) * count] as const;
  });
  return [...levels, ...arrays];
}

/** Picojoules that a machine takes in a second, whatever it does. */
export const staticPjPerSecond = (design: CompiledDesign, values: Float64Array): number =>
  staticPower(design, values).reduce((sum, [, watts]) => sum + watts * joulesToPj, 0);

/** Whether an architecture says anything of links or of power that flows all the time. */
export const hasStandingEnergy = (design: CompiledDesign): boolean =>
  design.arrayWatts.size > 0 ||
  [...design.levels.values()].some(({ fields }) => fields.has("hopPj") || fields.has("staticWatts"));

/** By fan-out the energy of its links for one Einsum, in picojoules. */
export function linkEnergy(laid: Laid, values: Float64Array): readonly (readonly [string, number])[] {
  const { einsum, shape, counts, kept } = laid;
  return einsum.path.flatMap(({ name, fields }, fanout) => {
    const hopPj = fields.get("hopPj")?.(values);
    if (hopPj === undefined) return [];
    const hops = fields.get("hopsPerWord")?.(values) ?? 1;
    let words = 0;
    shape.tensors.forEach((tensor, t) => {
      const levels = kept[t] ?? [];
      if (!levels.some(level => level < fanout)) return;
      const inner = levels.find(level => level > fanout);
      words += wordsAcross(shape, counts, tensor, fanout, inner);
    });
    return [[name, words * hops * hopPj] as const];
  });
}
