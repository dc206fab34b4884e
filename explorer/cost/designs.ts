import { FusemaxError } from "../../src/errors.js";
import { type Accounting, published } from "../../src/model/accounting.js";
import { type AttentionPoint, attentionPoints } from "../../src/model/attention-point.js";
import { type CompiledDesign, compileDesign } from "../../src/model/compile.js";
import { accountingOf } from "../../src/model/corrections.js";
import { type Evaluation, evaluate } from "../../src/model/evaluate.js";
import type { Patch } from "../../src/model/patch.js";
import { checkSizes, type Sizes } from "../../src/model/sizes.js";
import type { VisibleRegion } from "../../src/model/visible-region.js";
import type { Design } from "../../src/spec/design.js";
import { loadDesign, loadWorkload } from "../../src/spec/load.js";
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

/** A model's attention, in the first kind of its layers, as `fusemax model` prints it first; or the sizes that are typed in. */
export function pointFor(
  { model, heads, headDim, valueDim, batch }: State,
  seq: number,
): Pick<AttentionPoint, "sizes" | "region"> {
  if (model !== customModel) {
    const workload = loadWorkload(bundledSpecs, model);
    const [point] = attentionPoints(workload, { phase: "prefill", seq, batch, decodeQueries: 1 });
    return point as AttentionPoint;
  }
  const modelDim = heads * headDim;
  const own = { B: batch, H: heads, E: headDim, F: valueDim, M: seq, P: seq, modelDim, feedForward: 4 * modelDim };
  return { sizes: checkSizes(own), region: undefined };
}

/** Results kept for each design: back and forth on a slider, and a sweep over lengths, cost nothing the second time. */
const mostKept = 512;

/** What a design costs in the state's machine and workload at a length. */
export function costOf(design: string, state: State, seq: number): CostPoint {
  const accounting = accountings[state.accounting];
  const { label, compiled, found, variables } = open(design, accounting);
  const { sizes, region } = pointFor(state, seq);
  const values = variables(state);
  const key = [...Object.values(sizes), JSON.stringify(region), ...values].join();
  let result = found.get(key);
  if (result === undefined) {
    result = evaluateOrSay(compiled, sizes, accounting, values, region);
    if (found.size >= mostKept) found.clear();
    found.set(key, result);
  }
  return typeof result === "string"
    ? { design, label, seq, evaluation: null, problem: result }
    : { design, label, seq, evaluation: result, problem: null };
}

function evaluateOrSay(
  compiled: CompiledDesign,
  sizes: Sizes,
  accounting: Accounting,
  values: readonly number[],
  region: VisibleRegion | undefined,
): Evaluation | string {
  try {
    return evaluate(compiled, sizes, accounting, values, region);
  } catch (error) {
    if (error instanceof FusemaxError) return error.message;
    throw error;
  }
}
