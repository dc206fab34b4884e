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

/** What a design costs at one length, or why it cannot be said. */
export interface CostPoint {
  readonly design: string;
  readonly label: string;
  readonly seq: number;
  readonly evaluation: Evaluation | null;
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
  readonly found: Map<string, Evaluation | string>;
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
  const made = { label: labelOf(design), compiled, found: new Map(), variables };
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

/** What a design costs in the state's machine and workload at a length. */
export function costOf(design: string, state: State, seq: number): CostPoint {
  const accounting = accountings[state.accounting];
  const { label, compiled, found, variables } = open(design, accounting);
  const values = variables(state);
  const { model, heads, headDim, valueDim, masked, phase, batch } = state;
  const key = [model, heads, headDim, valueDim, masked, phase, batch, seq, ...values].join();
  let result = found.get(key);
  if (result === undefined) {
    result = orSay(() => {
      const { sizes, region } = pointFor(state, seq);
      return evaluate(compiled, sizes, accounting, values, region);
    });
    if (found.size >= mostKept) found.clear();
    found.set(key, result);
  }
  return typeof result === "string"
    ? { design, label, seq, evaluation: null, problem: result }
    : { design, label, seq, evaluation: result, problem: null };
}

/** What is computed, or in words why it cannot be. */
function orSay(compute: () => Evaluation): Evaluation | string {
  try {
    return compute();
  } catch (error) {
    if (error instanceof FusemaxError) return error.message;
    throw error;
  }
}
