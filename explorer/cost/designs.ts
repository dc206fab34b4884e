import { FusemaxError } from "../../src/errors.js";
import { type Accounting, published } from "../../src/model/accounting.js";
import { attentionPoints, unmasked } from "../../src/model/attention-point.js";
import { bufferBytes } from "../../src/model/buffer.js";
import { type CompiledDesign, compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate } from "../../src/model/evaluate.js";
import { paperDesigns } from "../../src/model/evaluation.js";
import { productsOn } from "../../src/model/layer.js";
import type { Patch } from "../../src/model/patch.js";
import { checkResult } from "../../src/report/finite.js";
import { evaluateLayer, type LayerTotals } from "../../src/report/layer-result.js";
import type { Design } from "../../src/spec/design.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";
import { phases, type Workload, workloadSchema } from "../../src/spec/workload.js";
import { messageOf } from "../message.js";
import { bundledSpecs } from "../specs.js";
import { countedAs, customModel, type State } from "../state.js";

/** What the page shows of a design, of its attention or of a whole layer: plain data, which a worker can hand over. */
export interface Cost extends LayerTotals {
  readonly areaUm2: number;
  readonly bufferBytes: number;
  /** The part of the latency that is attention: all of it, unless a whole layer is asked for. */
  readonly attentionSeconds: number;
}

/** The published bandwidth is in GiB/s, whatever it is called; the corrected one in GB/s (correction `bandwidth`). */
export const bandwidthUnitName = (accounting: Accounting["name"]) => (accounting === "published" ? "GiB" : "1e9");
export const bandwidthUnit = (accounting: Accounting["name"]) => (accounting === "published" ? 2 ** 30 : 1e9);

/** The unit of the bandwidth as it is counted. */
export const bandwidthWords = (accounting: Accounting["name"]) => (accounting === "published" ? "GiB/s" : "GB/s");

const accountings: Readonly<Record<Accounting["name"], Accounting>> = {
  published,
  corrected: accountingOf("corrected", undefined),
};

/** A design whose hardware is left open: it is compiled once for each accounting, and moving a slider only evaluates it. */
interface OpenDesign {
  readonly label: string;
  readonly compiled: CompiledDesign;
  /** The matrix products of a layer on the same arrays and memories. */
  readonly products: () => CompiledDesign;
  readonly variables: (state: State) => readonly number[];
}

const opened = new Map<string, OpenDesign>();
/** By accounting and machine: designs on the same machine share the search for their products' blocks. */
const openedProducts = new Map<string, CompiledDesign>();

function open(name: string, accounting: Accounting): OpenDesign {
  const key = `${accounting.name} ${name}`;
  const known = opened.get(key);
  if (known !== undefined) return known;
  const design = loadDesign(bundledSpecs, name);
  const { levels } = design.architecture.data;
  const patches: Patch[] = [
    { path: "architecture.parameters.rows", value: "@0" },
    { path: "architecture.parameters.columns", value: "@1" },
    { path: "architecture.frequencyHz", value: "@2" },
  ];
  for (const [level, spec] of Object.entries(levels)) {
    const path = `architecture.levels.${level}`;
    if (spec.kind === "dram") patches.push({ path: `${path}.bytesPerSecond`, value: "@3" });
    if (spec.kind === "sram") patches.push({ path: `${path}.bytes`, value: "@4", relative: true });
  }
  const options = { corrections: accounting.corrections, patches, variables: 5 };
  const products = (): CompiledDesign => {
    const machine = `${accounting.name} ${design.architecture.data.name} ${design.technology.data.name}`;
    const compiled =
      openedProducts.get(machine) ?? compileDesign(productsOn(loadDesign(bundledSpecs, "product"), design), options);
    openedProducts.set(machine, compiled);
    return compiled;
  };
  const variables = ({ rows, columns, frequency, bandwidth, buffer }: State): readonly number[] => [
    rows,
    columns,
    frequency * 1e6,
    bandwidth * bandwidthUnit(accounting.name),
    buffer,
  ];
  const made: OpenDesign = { label: labelOf(design), compiled: compileDesign(design, options), products, variables };
  opened.set(key, made);
  return made;
}

/** The paper's label; its figures call FuseMax whole "+Binding". */
const labelOf = ({ name, label }: Design): string => (name === "fusemax" ? `${label} (FuseMax)` : label);

/** The place of a design in the palette, the markers and the dashes: that of the paper's figures. */
export const designSlot = (name: string): number => (paperDesigns as readonly string[]).indexOf(name);

export const designLabel = (name: string): string => open(name, published).label;

/** The model that is chosen, or one of the sizes that are typed in. */
export function workloadOf({ model, heads, headDim, valueDim, batch, masked }: State): Workload {
  if (model === customModel) {
    const modelDim = heads * headDim;
    const sizes = { batch, heads, headDim, valueDim, modelDim, feedForward: 4 * modelDim };
    return workloadSchema.parse({ name: customModel, source: "sizes typed into the explorer", phases, ...sizes });
  }
  const workload = loadWorkload(bundledSpecs, model);
  return masked === "none" ? unmasked(workload) : workload;
}

/** One design at one length in the state's machine and workload. */
export interface CostRequest {
  /** Of the settings that are compared with. */
  readonly pinned?: boolean;
  readonly design: string;
  readonly seq: number;
  readonly state: State;
}

/** What it costs, or why that cannot be said. */
export type CostResult = Cost | string;

/** Of the first kind of the model's layers: its attention, or all of it. */
export function computeCost({ design, seq, state }: CostRequest): CostResult {
  const accounting = accountings[countedAs(state)];
  const { compiled, products, variables } = open(design, accounting);
  const values = variables(state);
  try {
    const workload = workloadOf(state);
    const { phase, batch } = state;
    const [point] = attentionPoints(workload, { phase, seq, batch, decodeQueries: 1 });
    if (point === undefined) return `${workload.name} has no attention`;
    const attention = evaluate(compiled, point.sizes, accounting, values, point.mask);
    const setting = { workload, point, accounting, variables: values };
    const all = state.scope === "layer" ? evaluateLayer(attention, { ...setting, products: products() }) : attention;
    return checkResult({
      cycles: all.cycles,
      latencySeconds: all.latencySeconds,
      trafficBytes: all.trafficBytes,
      energyPj: all.energyPj,
      utilization: all.utilization,
      use: all.use,
      componentEnergyPj: all.componentEnergyPj,
      bound: all.bound,
      areaUm2: attention.areaUm2,
      bufferBytes: bufferBytes(compiled, point.sizes, values),
      attentionSeconds: attention.latencySeconds,
    });
  } catch (error) {
    if (error instanceof FusemaxError) return messageOf(error);
    throw error;
  }
}
