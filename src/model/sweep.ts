import { noScoreTerms, type ScoreChoice, type ScoreTerms, scoreTermsOf } from "../attention/score-terms.js";
import { SpecError, UsageError } from "../errors.js";
import type { Design } from "../spec/design.js";
import type { Document } from "../spec/document.js";
import { oneHeadNotes } from "../spec/one-head.js";
import type { Phase, Workload } from "../spec/workload.js";
import type { Accounting } from "./accounting.js";
import { type AttentionPoint, attentionPoints, checkPhase } from "./attention-point.js";
import { type CompiledDesign, compileDesign } from "./compile.js";
import { type Evaluation, evaluate } from "./evaluate.js";
import { FieldReads } from "./field-reads.js";
import { applyPatches, fieldsByName, type Patch } from "./patch.js";
import { chargedDesign, perTerms } from "./per-terms.js";
import { checkSettings, type ReadDesign } from "./settings.js";

/** A field and the values it takes: of a spec (`architecture.levels.buffer.bytes`), or of the workload (`workload.heads`). */
export interface Axis {
  readonly path: string;
  readonly values: readonly number[];
}

/**
 * Every design on every workload (in batches of its own size) at every length, crossed with every combination of the
 * axes' values. What is evaluated is the attention in a workload's layers, under their mask; of a model with several
 * kinds of layers each kind is a workload of its own.
 */
export interface SweepRequest {
  readonly designs: readonly Design[];
  readonly workloads: readonly Workload[];
  readonly lengths: readonly number[];
  readonly phase: Phase;
  /** Queries at once in decode. */
  readonly decodeQueries: number;
  readonly axes: readonly Axis[];
  readonly accounting: Accounting;
  /** What is charged of a soft-cap and a bias; nothing where absent. */
  readonly scores?: ScoreChoice;
}

/**
 * What is computed of each point. A point that cannot be (its tiles do not fit, say) has a message and no numbers. `util`
 * and `useful` are the busy and the useful share of the largest array's PE-cycles; those of arrays called 2d and 1d come
 * beside, and are absent where a design has none of that name.
 */
export const measures = [
  "cycles",
  "latencySeconds",
  "trafficBytes",
  "energyPj",
  "areaUm2",
  "util2d",
  "util1d",
  "useful2d",
  "useful1d",
  "util",
  "useful",
] as const;
export type Measure = (typeof measures)[number];

export interface SweepPoint {
  /** In the order of `measures`; null where a design has no such array, or a figure is not known. */
  readonly numbers: readonly (number | null)[];
  readonly bound: string;
  /** Energy and area of a buffer lie between the technology's sizes, or beyond them. */
  readonly estimated: boolean;
  readonly error: string;
}

/** A point by its coordinates in the grid. */
export interface Coordinates {
  readonly design: number;
  readonly workload: number;
  readonly length: number;
  /** Index of the value of each axis. */
  readonly axes: readonly number[];
}

/** What fixes the coordinates of a sweep's points: how many there are of each. */
export interface Grid {
  readonly designs: readonly unknown[];
  readonly workloads: readonly unknown[];
  readonly lengths: readonly number[];
  readonly axes: readonly Axis[];
}

export function sweepSize({ designs, workloads, lengths, axes }: Grid): number {
  return axes.reduce((n, { values }) => n * values.length, designs.length * workloads.length * lengths.length);
}

/** The coordinates of point `index`; the last axis varies fastest. */
export function coordinates({ workloads, lengths, axes }: Grid, index: number): Coordinates {
  const chosen: number[] = [];
  for (let k = axes.length - 1; k >= 0; k--) {
    const { length } = (axes[k] as Axis).values;
    chosen.unshift(index % length);
    index = Math.floor(index / length);
  }
  const length = index % lengths.length;
  index = Math.floor(index / lengths.length);
  return { design: Math.floor(index / workloads.length), workload: index % workloads.length, length, axes: chosen };
}

/** Evaluates points of a sweep; compiles each design once for all values of the fields that may vary. */
export function sweeper(request: SweepRequest, recorders: readonly FieldReads[] = []): (index: number) => SweepPoint {
  const { axes, accounting, phase, decodeQueries, scores } = request;
  const kinds = axes.map(({ path }) => kindOf(path));
  const variable = axes.flatMap((_, k) => (kinds[k] === "variable" ? [k] : []));
  const fixed = axes.flatMap((_, k) => (kinds[k] === "fixed" ? [k] : []));
  const compiled = new Map<string, CompiledDesign>();
  const designFor = ({ design, axes: at }: Coordinates, terms: ScoreTerms): CompiledDesign => {
    const key = [design, ...fixed.map(k => at[k]), terms === noScoreTerms ? "" : JSON.stringify(terms)].join();
    const known = compiled.get(key);
    if (known !== undefined) return known;
    const valueAt = (k: number): number => axes[k]?.values[at[k] as number] as number;
    const patchOf = (k: number, value: string | number): Patch => {
      const { path } = axes[k] as Axis;
      return { path, value, where: `--set ${path}` };
    };
    const patches = [...variable.map((k, i) => patchOf(k, `@${i}`)), ...fixed.map(k => patchOf(k, valueAt(k)))];
    const reads = recorders[design];
    const options = { corrections: accounting.corrections, patches, variables: variable.length, reads };
    const made = compileDesign(chargedDesign(request.designs[design] as Design, terms, scores).design, options);
    compiled.set(key, made);
    return made;
  };
  return index => {
    const at = coordinates(request, index);
    const valueAt = (k: number): number => axes[k]?.values[at.axes[k] as number] as number;
    let workload = request.workloads[at.workload] as Workload;
    axes.forEach(({ path }, k) => {
      if (kinds[k] === "workload") workload = withField(workload, path.slice("workload.".length), valueAt(k));
    });
    const seq = request.lengths[at.length] as number;
    const queries = phase === "decode" ? decodeQueries : seq;
    const design = designFor(at, scores === undefined ? noScoreTerms : scoreTermsOf(scores, workload, queries));
    try {
      const { batch } = workload;
      const [point] = attentionPoints(workload, { phase, decodeQueries, seq, batch });
      const { sizes, mask } = point as AttentionPoint;
      const found = evaluate(design, sizes, accounting, variable.map(valueAt), mask);
      const numbers = measures.map(measure => measureOf(measure, found));
      const odd = numbers.findIndex(n => n !== null && !Number.isFinite(n));
      if (odd >= 0) return failed(`${measures[odd]} is no number`);
      return { numbers, bound: found.bound, estimated: Object.keys(found.estimatedBuffers).length > 0, error: "" };
    } catch (error) {
      if (!(error instanceof SpecError || error instanceof UsageError)) throw error;
      return failed(error.message);
    }
  };
}

function measureOf(measure: Measure, found: Evaluation): number | null {
  const { utilization, use, largestArray, missing } = found;
  switch (measure) {
    case "util2d":
    case "util1d":
      return utilization[measure.slice("util".length)] ?? null;
    case "useful2d":
    case "useful1d":
      return use[measure.slice("useful".length)]?.useful ?? null;
    case "util":
      return utilization[largestArray] ?? null;
    case "useful":
      return use[largestArray]?.useful ?? null;
    case "energyPj":
    case "areaUm2":
      return missing.includes(measure) ? null : found[measure];
    default:
      return found[measure];
  }
}

/** A workload with another size. Heads that share no keys share none when there are more or fewer of them. */
function withField(workload: Workload, field: string, value: number): Workload {
  const alone = field === "heads" && workload.kvHeads === workload.heads;
  return { ...workload, [field]: value, ...(alone ? { kvHeads: value } : {}) };
}

const failed = (error: string): SweepPoint => ({ numbers: [], bound: "", estimated: false, error });

/** How a field is swept: through the workload, as a variable of one compiled design, or by compiling again. */
function kindOf(path: string): "workload" | "variable" | "fixed" {
  const [kind, ...rest] = path.split(".");
  if (kind === "workload") return "workload";
  const isFormula = kind !== "technology" && path !== "architecture.wordBits" && !rest.includes("tables");
  return isFormula ? "variable" : "fixed";
}

const workloadFields: readonly string[] = [
  "batch",
  "heads",
  "kvHeads",
  "headDim",
  "valueDim",
  "modelDim",
  "feedForward",
];

/**
 * Refuses a phase that a workload lacks, and axes that name no numeric field of every design, twice the same field, or
 * values out of range, or that no design reads. Returns a line for each that some designs do not read, and for a model's soft-cap
 * that a design has no place for.
 */
export function checkSweep(request: SweepRequest): readonly string[] {
  const paths = request.axes.map(({ path }) => path);
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice !== undefined) throw new UsageError({ where: "--set", got: `${twice} twice`, expected: "each field once" });
  for (const { path, values } of request.axes) {
    const [kind, field] = path.split(".");
    if (kind === "workload" && !workloadFields.includes(field ?? "")) {
      throw new UsageError({
        where: `--set ${path}`,
        got: `the field '${field}'`,
        expected: `one of ${workloadFields.join(", ")}`,
      });
    }
    if (!["workload", "architecture", "mapping", "binding", "technology"].includes(kind ?? "")) {
      const expected = "a field of architecture, mapping, binding, technology or workload";
      throw new UsageError({ where: `--set ${path}`, got: `"${kind}"`, expected });
    }
    const negative = values.find(value => !(value >= 0));
    if (negative !== undefined) {
      throw new UsageError({ where: `--set ${path}`, got: String(negative), expected: "values of at least 0" });
    }
  }
  for (const workload of request.workloads) checkPhase(workload, request.phase);
  checkNumeric(request);
  const heads = request.designs.flatMap(oneHeadNotes);
  return [...checkSettings(swept(request), probed(request)), ...scoreNotes(request), ...heads];
}

/** What a reader has to know of how soft-caps and biases are charged. */
function scoreNotes({ designs, workloads, lengths, phase, decodeQueries, scores }: SweepRequest): readonly string[] {
  if (scores === undefined) return [];
  const terms = workloads.flatMap(workload =>
    lengths.map(seq => scoreTermsOf(scores, workload, phase === "decode" ? decodeQueries : seq)),
  );
  return [...new Set(designs.flatMap(design => perTerms(design, terms, scores, own => own).notes))];
}

/** A field that takes words alone would take a variable's name for one. Throws SpecError. */
function checkNumeric({ axes, designs }: SweepRequest): void {
  for (const { path, values } of axes) {
    const [kind = ""] = path.split(".");
    for (const { architecture, mapping, binding, technology } of designs) {
      const documents: Readonly<Record<string, Document<unknown>>> = { architecture, mapping, binding, technology };
      const document = documents[kind];
      const field = fieldsByName(mapping.data.aliases ?? {})(path);
      const patch = { path: field, value: values[0] as number, where: `--set ${path}` };
      if (document !== undefined) applyPatches(document, kind, [patch]);
    }
  }
}

/** The axes that something may depend on or not: attention always depends on its own sizes. */
const swept = ({ axes }: SweepRequest): readonly { readonly path: string; readonly where: string }[] =>
  axes.flatMap(({ path }) =>
    path.startsWith("workload.") && !layerSizes.includes(path) ? [] : [{ path, where: `--set ${path}` }],
  );

const layerSizes: readonly string[] = ["workload.modelDim", "workload.feedForward"];

/** Points that are tried of each design, so that a misspelt field, or one that nothing reads, is refused before the sweep. */
const mostProbes = 64;

/** What a spread of each design's points reads; the designs that have a point that can be evaluated. */
function probed(request: SweepRequest): readonly ReadDesign[] {
  const recorders = request.designs.map(() => new FieldReads());
  const evaluateAt = sweeper(request, recorders);
  const each = sweepSize(request) / request.designs.length;
  const stride = Math.max(1, Math.floor(each / mostProbes));
  return request.designs.flatMap(({ name }, design) => {
    const reads = recorders[design] as FieldReads;
    let ran = false;
    for (let i = 0; i < each; i += stride) {
      ran = evaluateAt(design * each + i).error === "" || ran;
      if (ran && swept(request).every(({ path }) => reads.isRead(path))) break;
    }
    return ran ? [{ name, reads }] : [];
  });
}
