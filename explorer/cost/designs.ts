import { FusemaxError } from "../../src/errors.js";
import { type Accounting, published } from "../../src/model/accounting.js";
import { attentionPoints, unmasked } from "../../src/model/attention-point.js";
import { bufferBytes } from "../../src/model/buffer.js";
import { type CompiledDesign, compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { evaluate } from "../../src/model/evaluate.js";
import { productsOn } from "../../src/model/layer.js";
import type { Patch } from "../../src/model/patch.js";
import { checkResult } from "../../src/report/finite.js";
import { evaluateLayer, type LayerTotals } from "../../src/report/layer-result.js";
import type { Design } from "../../src/spec/design.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";
import { phases, type Workload, workloadSchema } from "../../src/spec/workload.js";
import { isPaperDesign } from "../design/names.js";
import { type OwnDesign, ownName } from "../design/own.js";
import { loadOwn } from "../design/source.js";
import { messageOf } from "../message.js";
import { bundledSpecs } from "../specs.js";
import { countedAs, customModel, type Hardware, hardware, initialState, type State } from "../state.js";

/** What the page shows of a design, of its attention or of a whole layer: plain data, which a worker can hand over. */
export interface Cost extends Omit<LayerTotals, "energyPj"> {
  /** Absent where the design's technology does not say. */
  readonly energyPj?: number;
  readonly areaUm2?: number;
  readonly bufferBytes: number;
  /** The part of the latency that is attention: all of it, unless a whole layer is asked for. */
  readonly attentionSeconds: number;
  readonly machine: MachineFacts;
}

/** What a design computes on, at the settings. */
export interface MachineFacts {
  readonly frequencyHz: number;
  readonly dramBytesPerSecond: number;
  /** Per array its PEs. */
  readonly pes: Readonly<Record<string, number>>;
  /** The array with the most of them. */
  readonly largestArray: string;
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
  readonly compiled: CompiledDesign;
  /** The matrix products of a layer on the same arrays and memories. */
  readonly products: () => CompiledDesign;
}

const opened = new Map<string, OpenDesign>();
/** By accounting and machine: designs on the same machine share the search for their products' blocks. */
const openedProducts = new Map<string, CompiledDesign>();
/** Each text of the visitor's design is one of its own. */
const mostOpened = 200;

/** Where each setting goes. */
const fieldOf: Readonly<Record<Hardware, (design: Design) => readonly Pick<Patch, "path" | "relative">[]>> = {
  rows: () => [{ path: "architecture.parameters.rows" }],
  columns: () => [{ path: "architecture.parameters.columns" }],
  buffer: design => levelsOf(design, "sram").map(level => ({ path: `${level}.bytes`, relative: true })),
  bandwidth: design => levelsOf(design, "dram").map(level => ({ path: `${level}.bytesPerSecond` })),
  frequency: () => [{ path: "architecture.frequencyHz" }],
};

const levelsOf = ({ architecture }: Design, kind: "sram" | "dram"): readonly string[] =>
  Object.entries(architecture.data.levels).flatMap(([name, spec]) =>
    spec.kind === kind ? [`architecture.levels.${name}`] : [],
  );

/** @param set the settings that take the place of the design's own */
function open(name: string, own: OwnDesign | null, accounting: Accounting, set: readonly Hardware[]): OpenDesign {
  const isOwn = name === ownName && own !== null;
  const key = `${accounting.name} ${name} ${isOwn ? own.id : ""} ${set.join()}`;
  const known = opened.get(key);
  if (known !== undefined) return known;
  const design = isOwn ? loadOwn(own) : loadDesign(bundledSpecs, name);
  const patches = set.flatMap((field, i) => fieldOf[field](design).map((at): Patch => ({ ...at, value: `@${i}` })));
  const options = { corrections: accounting.corrections, patches, variables: set.length };
  const products = (): CompiledDesign => {
    const machine = isOwn
      ? key
      : `${accounting.name} ${design.architecture.data.name} ${design.technology.data.name} ${set.join()}`;
    const compiled =
      openedProducts.get(machine) ?? compileDesign(productsOn(loadDesign(bundledSpecs, "product"), design), options);
    openedProducts.set(machine, compiled);
    return compiled;
  };
  const made: OpenDesign = { compiled: compileDesign(design, options), products };
  if (opened.size >= mostOpened) opened.clear();
  opened.set(key, made);
  return made;
}

/**
 * The hardware that a design has from the settings: all of it for the paper's, whose own the defaults are; for others what
 * has been set to something else, and what is swept.
 */
const settingsOf = (design: string, state: State, swept: readonly string[]): readonly Hardware[] =>
  hardware.filter(field => isPaperDesign(design) || state[field] !== initialState[field] || swept.includes(field));

const settingOf = (field: Hardware, { [field]: value }: State, accounting: Accounting): number => {
  if (field === "frequency") return value * 1e6;
  return field === "bandwidth" ? value * bandwidthUnit(accounting.name) : value;
};

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
  /** Settings of hardware that are as they say, also where they are the defaults. */
  readonly swept?: readonly string[];
  readonly design: string;
  readonly seq: number;
  readonly state: State;
}

/** What it costs, or why that cannot be said. */
export type CostResult = Cost | string;

/** Of the first kind of the model's layers: its attention, or all of it. */
export function computeCost({ design, seq, state, swept = [] }: CostRequest): CostResult {
  const accounting = accountings[countedAs(state)];
  try {
    const set = settingsOf(design, state, swept);
    const { compiled, products } = open(design, state.own, accounting, set);
    const values = set.map(field => settingOf(field, state, accounting));
    const workload = workloadOf(state);
    const { phase, batch } = state;
    const [point] = attentionPoints(workload, { phase, seq, batch, decodeQueries: 1 });
    if (point === undefined) return `${workload.name} has no attention`;
    const attention = evaluate(compiled, point.sizes, accounting, values, point.mask);
    const setting = { workload, point, accounting, variables: values };
    const all = state.scope === "layer" ? evaluateLayer(attention, { ...setting, products: products() }) : attention;
    const { missing, frequencyHz, dramBytesPerSecond, pes, largestArray } = attention;
    return checkResult({
      cycles: all.cycles,
      latencySeconds: all.latencySeconds,
      trafficBytes: all.trafficBytes,
      utilization: all.utilization,
      use: all.use,
      bound: all.bound,
      bufferBytes: bufferBytes(compiled, point.sizes, values),
      attentionSeconds: attention.latencySeconds,
      machine: { frequencyHz, dramBytesPerSecond, pes, largestArray },
      componentEnergyPj: missing.includes("energyPj") ? {} : all.componentEnergyPj,
      ...(missing.includes("energyPj") ? {} : { energyPj: all.energyPj }),
      ...(missing.includes("areaUm2") ? {} : { areaUm2: attention.areaUm2 }),
    });
  } catch (error) {
    if (error instanceof FusemaxError) return messageOf(error);
    throw error;
  }
}
