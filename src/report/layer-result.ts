import type { Accounting } from "../model/accounting.js";
import { type ArrayShares, arrayShares } from "../model/array-shares.js";
import type { AttentionPoint } from "../model/attention-point.js";
import type { CompiledDesign } from "../model/compile.js";
import { type Evaluation, evaluate } from "../model/evaluate.js";
import { layerProducts, productSizes } from "../model/layer.js";
import type { ArrayUse } from "../model/timing.js";
import type { Workload } from "../spec/workload.js";

export interface Costs {
  readonly cycles: number;
  readonly latencySeconds: number;
  readonly trafficBytes: number;
  readonly energyPj: number;
}

/** The same as it is shown: without the energy where it is not known. */
export type ShownCosts = Omit<Costs, "energyPj"> & Partial<Pick<Costs, "energyPj">>;

/** What can be said of a whole layer as of its attention alone, in the units of `Evaluation`. */
export type LayerTotals = Costs & Pick<Evaluation, "utilization" | "use" | "componentEnergyPj" | "bound">;

/** A layer: its attention and its matrix products, one after the other. */
export interface LayerEvaluation extends LayerTotals {
  readonly products: Readonly<Record<string, Evaluation>>;
}

/** A layer as `fusemax model --layer --json` prints it. */
export interface LayerResult extends ShownCosts, ArrayShares {
  readonly use: Evaluation["use"];
  /** What limits the parts of the layer (attention, each product) that take longest together. */
  readonly bound: string;
  readonly components: Readonly<Record<string, { readonly energyPj: number }>>;
  readonly products: Readonly<Record<string, ShownCosts>>;
}

/** Where a layer is around an attention: whose, at which point, and its products' design for the same machine. */
export interface LayerSetting {
  readonly workload: Workload;
  readonly point: AttentionPoint;
  readonly products: CompiledDesign;
  readonly accounting: Accounting;
  readonly variables?: readonly number[];
}

/** Completes an attention to its layer. Throws SpecError when a product does not fit the machine. */
export function evaluateLayer(
  attention: Evaluation,
  { workload, point, products, accounting, variables }: LayerSetting,
): LayerEvaluation {
  const found = layerProducts(workload, point).map(product => {
    const evaluation = evaluate(products, productSizes(product), { ...accounting, mapping: "search" }, variables);
    return [product.name, evaluation] as const;
  });
  const parts = [attention, ...found.map(([, evaluation]) => evaluation)];
  const sum = (of: (part: Evaluation) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const latencySeconds = sum(part => part.latencySeconds);
  const share = (of: (part: Evaluation) => number): number =>
    sum(part => of(part) * part.latencySeconds) / latencySeconds;
  const byArray = <T>(of: (array: string) => T) =>
    Object.fromEntries(Object.keys(attention.utilization).map(array => [array, of(array)] as const));
  const components = [...new Set(parts.flatMap(part => Object.keys(part.componentEnergyPj)))];
  const held = new Map<string, number>();
  for (const part of parts) held.set(part.bound, (held.get(part.bound) ?? 0) + part.latencySeconds);
  return {
    cycles: sum(part => part.cycles),
    latencySeconds,
    trafficBytes: sum(part => part.trafficBytes),
    energyPj: sum(part => part.energyPj),
    utilization: byArray(array => share(part => part.utilization[array] ?? 0)),
    use: byArray(array => meanUse(parts, array, share)),
    componentEnergyPj: Object.fromEntries(
      components.map(name => [name, sum(part => part.componentEnergyPj[name] ?? 0)]),
    ),
    bound: [...held].reduce((a, b) => (b[1] > a[1] ? b : a))[0],
    products: Object.fromEntries(found),
  };
}

/** What an array's PE-cycles are spent on in the mean over the layer's time. */
function meanUse(
  parts: readonly Evaluation[],
  array: string,
  share: (of: (part: Evaluation) => number) => number,
): ArrayUse {
  const mean = (of: (use: ArrayUse) => number): number =>
    share(part => {
      const use = part.use[array];
      return use === undefined ? 0 : of(use);
    });
  const fanouts = [...new Set(parts.flatMap(part => Object.keys(part.use[array]?.unfilled ?? {})))];
  return {
    useful: mean(use => use.useful),
    masked: mean(use => use.masked),
    unfilled: Object.fromEntries(fanouts.map(name => [name, mean(use => use.unfilled[name] ?? 0)])),
    dram: mean(use => use.dram),
    binding: mean(use => use.binding),
  };
}

/** @param missing figures that are not known (`Evaluation.missing`) */
export function layerResult(layer: LayerEvaluation, missing: Evaluation["missing"]): LayerResult {
  return {
    ...costsOf(layer, missing),
    ...arrayShares(layer.utilization),
    use: layer.use,
    bound: layer.bound,
    components: componentsOf(layer, missing),
    products: Object.fromEntries(
      Object.entries(layer.products).map(([name, product]) => [name, costsOf(product, missing)]),
    ),
  };
}

export function costsOf(costs: Costs, missing: Evaluation["missing"]): ShownCosts {
  const { cycles, latencySeconds, trafficBytes, energyPj } = costs;
  return { cycles, latencySeconds, trafficBytes, ...(missing.includes("energyPj") ? {} : { energyPj }) };
}

/** The energy of each component, where it is known. */
export const componentsOf = (
  { componentEnergyPj }: Pick<Evaluation, "componentEnergyPj">,
  missing: Evaluation["missing"],
): Readonly<Record<string, { readonly energyPj: number }>> =>
  missing.includes("energyPj")
    ? {}
    : Object.fromEntries(Object.entries(componentEnergyPj).map(([name, energyPj]) => [name, { energyPj }]));
