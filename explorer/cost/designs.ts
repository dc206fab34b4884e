import { FusemaxError } from "../../src/errors.js";
import { type Accounting, published } from "../../src/model/accounting.js";
import { type AttentionPoint, attentionPoints, unmasked } from "../../src/model/attention-point.js";
import { type CompiledDesign, compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { type Evaluation, evaluate } from "../../src/model/evaluate.js";
import type { Patch } from "../../src/model/patch.js";
import type { Design } from "../../src/spec/design.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";
import { phases, type Workload, workloadSchema } from "../../src/spec/workload.js";
import { bundledSpecs } from "../specs.js";
import type { State } from "../state.js";

/** The name by which the state calls sizes that are typed in. */
export const customModel = "custom";

/** What the page shows of an evaluation: plain data, which a worker can hand over. */
const shownFields = [
  "latencySeconds",
  "cycles",
  "utilization",
  "trafficBytes",
  "energyPj",
  "componentEnergyPj",
  "areaUm2",
  "bound",
] as const satisfies readonly (keyof Evaluation)[];
export type Cost = Pick<Evaluation, (typeof shownFields)[number]>;

/** What a design costs at one length, or why it cannot be said. */
export interface CostPoint {
  readonly design: string;
  readonly label: string;
  readonly seq: number;
  readonly evaluation: Cost | null;
  readonly problem: string | null;
}

/** The published bandwidth is in GiB/s, whatever it is called; the corrected one in GB/s (correction `bandwidth`). */
export const bandwidthUnitName = (accounting: State["accounting"]) => (accounting === "published" ? "GiB" : "1e9");
export const bandwidthUnit = (accounting: State["accounting"]) => (accounting === "published" ? 2 ** 30 : 1e9);

const accountings: Readonly<Record<State["accounting"], Accounting>> = {
  published,
  corrected: accountingOf("corrected", undefined),
};

/** A design whose hardware is left open: it is compiled once for each accounting, and moving a slider only evaluates it. */
interface OpenDesign {
  readonly label: string;
  readonly compiled: CompiledDesign;
  readonly found: Map<string, CostResult>;
  isSlow: boolean;
  readonly variables: (state: State) => readonly number[];
}

const opened = new Map<string, OpenDesign>();

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
  const compiled = compileDesign(design, { corrections: accounting.corrections, patches, variables: 5 });
  const variables = ({ rows, columns, frequency, bandwidth, buffer }: State): readonly number[] => [
    rows,
    columns,
    frequency * 1e6,
    bandwidth * bandwidthUnit(accounting.name),
    buffer,
  ];
  const made: OpenDesign = { label: labelOf(design), compiled, found: new Map(), isSlow: false, variables };
  opened.set(key, made);
  return made;
}

/** The paper's label; its figures call FuseMax whole "+Binding". */
const labelOf = ({ name, label }: Design): string => (name === "fusemax" ? `${label} (FuseMax)` : label);

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

/** Its attention in the first kind of its layers. Throws UsageError for a phase that the model does not have. */
export function pointFor(state: State, seq: number): AttentionPoint {
  const { phase, batch } = state;
  const [point] = attentionPoints(workloadOf(state), { phase, seq, batch, decodeQueries: 1 });
  return point as AttentionPoint;
}

/** Results kept for each design: back and forth on a slider, and a sweep over lengths, cost nothing the second time. */
const mostKept = 512;

/** One design at one length in the state's machine and workload. */
export interface CostRequest {
  readonly design: string;
  readonly seq: number;
  readonly state: State;
}

/** What it costs, or why that cannot be said. */
export type CostResult = Cost | string;

const designOf = ({ design, state }: CostRequest): OpenDesign => open(design, accountings[state.accounting]);

/** What the result depends on. */
export function costKey({ design, seq, state }: CostRequest): string {
  const { accounting, model, heads, headDim, valueDim, masked, phase, batch } = state;
  const { rows, columns, frequency, bandwidth, buffer } = state;
  const workload = [model, heads, headDim, valueDim, masked, phase, batch, seq];
  return [accounting, design, ...workload, rows, columns, frequency, bandwidth, buffer].join();
}

/** The point of a result; null while there is none. */
export const pointOf = (request: CostRequest, result: CostResult | null): CostPoint => ({
  design: request.design,
  label: designOf(request).label,
  seq: request.seq,
  evaluation: typeof result === "string" ? null : result,
  problem: typeof result === "string" ? result : null,
});

export function computeCost(request: CostRequest): CostResult {
  const { compiled, variables } = designOf(request);
  const { state, seq } = request;
  return orSay(() => {
    const { sizes, region } = pointFor(state, seq);
    const all = evaluate(compiled, sizes, accountings[state.accounting], variables(state), region);
    return Object.fromEntries(shownFields.map(field => [field, all[field]])) as unknown as Cost;
  });
}

export function remember(request: CostRequest, result: CostResult): void {
  const { found } = designOf(request);
  if (found.size >= mostKept) found.clear();
  found.set(costKey(request), result);
}

/** A design that once took longer than this, in milliseconds, is no longer computed between two frames. */
const slow = 5;

/** The result if it is known, else null. */
export const foundCost = (request: CostRequest): CostResult | null =>
  designOf(request).found.get(costKey(request)) ?? null;

/** The same, computed where that takes no longer than a frame allows: under `corrected` schedules are simulated. */
export function quickCost(request: CostRequest): CostResult | null {
  const known = foundCost(request);
  const design = designOf(request);
  if (known !== null || design.isSlow || request.state.accounting === "corrected") return known;
  const start = performance.now();
  const result = computeCost(request);
  design.isSlow = performance.now() - start > slow;
  remember(request, result);
  return result;
}

/** What is computed, or in words why it cannot be. */
function orSay(compute: () => Cost): CostResult {
  try {
    return compute();
  } catch (error) {
    if (error instanceof FusemaxError) return error.message;
    throw error;
  }
}
