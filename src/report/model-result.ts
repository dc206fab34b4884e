import { biasText, type Division } from "../attention/score-terms.js";
import { FusemaxError } from "../errors.js";
import type { Accounting } from "../model/accounting.js";
import { type ArrayShares, arrayShares } from "../model/array-shares.js";
import { type AttentionPoint, attentionPoints, type PointRequest } from "../model/attention-point.js";
import { type CompiledDesign, compileDesign } from "../model/compile.js";
import { correctionNames } from "../model/corrections.js";
import { type Evaluation, evaluate } from "../model/evaluate.js";
import { FieldReads } from "../model/field-reads.js";
import { productsOn } from "../model/layer.js";
import type { Patch } from "../model/patch.js";
import { perTerms } from "../model/per-terms.js";
import { checkSettings } from "../model/settings.js";
import type { ArrayUse } from "../model/timing.js";
import type { Design } from "../spec/design.js";
import { oneHeadNotes } from "../spec/one-head.js";
import type { Phase, Workload } from "../spec/workload.js";
import { arraysOf } from "./array-names.js";
import {
  componentsOf,
  costsOf,
  evaluateLayer,
  type LayerResult,
  layerResult,
  type ShownCosts,
} from "./layer-result.js";
import { operationsOf } from "./roofline.js";

/** One design on one workload at one length, as `fusemax model --json` prints it (schema fusemax.model/1). */
export interface ModelResult extends ShownCosts, ArrayShares {
  readonly design: string;
  /** The cascade that the design computes, by its name; null where it names none. */
  readonly cascade: string | null;
  readonly model: string;
  /** Which kind of the model's layers, where it has several; else null. */
  readonly layers: string | null;
  readonly phase: Phase;
  readonly batch: number;
  readonly seq: number;
  readonly queries: number;
  readonly keys: number;
  /** Query heads that share a key/value head. */
  readonly headsPerKey: number;
  /** How a cap of the scores is divided for, and the ranks of a bias; null for what is not charged. */
  readonly scores: { readonly softcap: Division | null; readonly bias: string | null };
  /** Absent where it is not known, as the energy then is. */
  readonly areaUm2?: number;
  /** Bits of the words that bytes, energy and area are for; of the widest operands where an arithmetic is charged. */
  readonly wordBits: number;
  /** The arithmetic whose words and operations are charged; null where all words have `wordBits`. */
  readonly arithmetic: string | null;
  /** Bits of an element of each kind of tensor, its share of scales included; null without an arithmetic. */
  readonly elementBits: Evaluation["elementBits"];
  /** Figures that are absent: the technology lacks what `lacking` lists. */
  readonly missing: readonly string[];
  readonly lacking: readonly string[];
  /** What stands for words that the technology has no figures for; null where nothing does. */
  readonly assumed: string | null;
  /** Buffers whose energy and area lie between the technology's sizes, or beyond them. */
  readonly estimatedBuffers: Evaluation["estimatedBuffers"];
  /** The array with the most PEs. */
  readonly largestArray: string;
  /** Per array what its PE-cycles are spent on. */
  readonly use: Readonly<Record<string, ArrayUse>>;
  /** dram, the array that never rests, or the binding. */
  readonly bound: string;
  /** Operations (a multiply-accumulate is two) per byte of DRAM traffic; absent where nothing passes DRAM. */
  readonly operationsPerByte?: number;
  /** How many keep the 2D array busy. */
  readonly balanceOperationsPerByte: number;
  readonly einsums: Readonly<Record<string, EinsumResult>>;
  readonly components: Readonly<Record<string, { readonly energyPj: number }>>;
  /** Area by component: levels, and the operators of an array as `compute.<array>`. Absent where it is not known. */
  readonly componentAreaUm2?: Readonly<Record<string, number>>;
  /** Mappings that a search compared. */
  readonly mappingsTried: number;
  /** Under `published`: each error left uncorrected, and latency and energy with it corrected relative to without. */
  readonly uncorrected: Readonly<Record<string, { readonly latency: number; readonly energy: number }>>;
  /** The whole layer around the attention, when it was asked for. */
  readonly layer?: LayerResult;
}

export interface EinsumResult {
  /** What the mapping's `aliases` and the published tables call it, where that is something else. */
  readonly alias?: string;
  readonly cycles: number;
  readonly array: string;
  readonly util: number;
  readonly energyPj?: number;
}

/** A point that a design cannot run, and why. */
export interface ModelFailure {
  readonly design: string;
  readonly model: string;
  readonly seq: number;
  readonly message: string;
}

/** Which points to model. */
export interface ModelRequest extends Omit<PointRequest, "seq" | "batch"> {
  readonly designs: readonly Design[];
  readonly workloads: readonly Workload[];
  /** Sequence lengths; without any, 4K or what a model was made for, if that is shorter. */
  readonly lengths?: readonly number[] | undefined;
  /** Sequences at once; without it, the workload's own. */
  readonly batch?: number | undefined;
  readonly accounting: Accounting;
  /** Fields of the designs' specs to replace. */
  readonly patches?: readonly Patch[];
  /** Whether to say what each correction would move (default: yes). */
  readonly effects?: boolean;
  /** The matrix product (specs/designs/product.yaml) with which to complete attention to a layer. */
  readonly product?: Design | undefined;
}

const defaultLength = 4096;

/** What was modelled, what could not be, and what a reader must know of the settings, a line each. */
export interface ModelResults {
  readonly results: readonly ModelResult[];
  readonly failures: readonly ModelFailure[];
  readonly notes: readonly string[];
}

/**
 * Models every design on every workload at every length. Throws SpecError, UsageError where no design runs any point, and
 * for a field that was set and that no design reads.
 * @example
 * ```ts
 * import { accountingOf, loadDesign, loadWorkload, modelResults, specFiles } from "fusemax/node";
 *
 * const { results } = modelResults({
 *   designs: ["flat", "fusemax"].map(name => loadDesign(specFiles, name)),
 *   workloads: [loadWorkload(specFiles, "bert")],
 *   lengths: [65536],
 *   phase: "prefill",
 *   decodeQueries: 1,
 *   accounting: accountingOf("corrected", undefined),
 * });
 * console.log(results.map(({ design, latencySeconds }) => `${design} ${latencySeconds}`).join(", ")); // flat 178.1954516425532, fusemax 7.4426598138297875
 * ```
 */
export function modelResults(request: ModelRequest): ModelResults {
  const { designs, accounting, patches = [] } = request;
  const points = pointsOf(request);
  const compiled = designs.map(design => {
    const reads = new FieldReads();
    const all = points.map(({ point }) => point.terms);
    return {
      name: design.name,
      reads,
      ...perTerms(design, all, request.scores, own => compileFor(own, request, reads)),
    };
  });
  const results: ModelResult[] = [];
  const failures: ModelFailure[] = [];
  let first: unknown;
  for (const { workload, seq, point } of points) {
    for (const { name, of, charged } of compiled) {
      try {
        const own = { ...point, terms: charged(point.terms) };
        results.push({ ...resultOf(of(point.terms), workload, own, accounting), seq });
      } catch (error) {
        if (!(error instanceof FusemaxError)) throw error;
        first ??= error;
        failures.push({ design: name, model: workload.name, seq, message: error.message });
      }
    }
  }
  if (results.length === 0 && first !== undefined) throw first;
  // A design that ran nowhere has read nothing.
  const ran = compiled.filter(({ name }) => results.some(({ design }) => design === name));
  const charged = compiled.flatMap(({ notes }) => notes);
  return { results, failures, notes: [...charged, ...designs.flatMap(oneHeadNotes), ...checkSettings(patches, ran)] };
}

/** One kind of a workload's layers at one length. */
export interface RequestedPoint {
  readonly workload: Workload;
  readonly seq: number;
  readonly point: AttentionPoint;
}

/** All points of a request, workload by workload. Throws UsageError for a phase that a workload does not have. */
export const pointsOf = (request: ModelRequest): readonly RequestedPoint[] =>
  request.workloads.flatMap(workload => {
    const { batch = workload.batch, lengths = [Math.min(defaultLength, workload.context ?? defaultLength)] } = request;
    return lengths.flatMap(seq =>
      attentionPoints(workload, { ...request, seq, batch }).map(point => ({ workload, seq, point })),
    );
  });

interface CompiledFor {
  readonly name: string;
  readonly compiled: CompiledDesign;
  readonly corrected: readonly { readonly name: string; readonly compiled: CompiledDesign }[];
  readonly products: CompiledDesign | undefined;
}

function compileFor(
  design: Design,
  { accounting, patches = [], effects = true, product }: ModelRequest,
  reads: FieldReads,
): CompiledFor {
  const { corrections } = accounting;
  const recorded = patches.length === 0 ? {} : { reads };
  return {
    name: design.name,
    compiled: compileDesign(design, { corrections, patches, ...recorded }),
    corrected: correctionNames
      .filter(() => effects && accounting.name === "published")
      .map(name => ({ name, compiled: compileDesign(design, { corrections: [name], patches }) })),
    products:
      product === undefined
        ? undefined
        : compileDesign(productsOn(product, design), {
            corrections,
            // The machine is the design's; the mapping and the binding are the product's own.
            patches: patches.filter(({ path }) => /^(architecture|technology)\./.test(path)),
            ...recorded,
          }),
  };
}

function resultOf(
  { name, compiled, corrected, products }: CompiledFor,
  workload: Workload,
  point: AttentionPoint,
  accounting: Accounting,
): Omit<ModelResult, "seq"> {
  const { sizes, mask, kind, phase, batch, queries, keys, group, terms } = point;
  const found = evaluate(compiled, sizes, accounting, [], mask);
  const effects =
    found.missing.length > 0
      ? []
      : corrected.flatMap(({ name, compiled }) => {
          try {
            const one = evaluate(compiled, sizes, { ...accounting, name: "corrected", corrections: [name] }, [], mask);
            const effect = {
              latency: one.latencySeconds / found.latencySeconds,
              energy: one.energyPj / found.energyPj,
            };
            // A design without energy has no ratio of it.
            return Number.isFinite(effect.latency) && Number.isFinite(effect.energy) ? [[name, effect] as const] : [];
          } catch (error) {
            // With the error corrected the design cannot run this at all (a schedule that overflows a register file).
            if (error instanceof FusemaxError) return [];
            throw error;
          }
        });
  const { cascade, mapping } = compiled.design;
  const at = {
    design: name,
    cascade: cascade?.name ?? null,
    model: workload.name,
    layers: kind.name,
    phase,
    batch,
    queries,
    keys,
    headsPerKey: group,
    scores: { softcap: terms.softcap, bias: terms.bias === null ? null : biasText(terms.bias) },
  };
  const layer =
    products === undefined
      ? {}
      : { layer: layerResult(evaluateLayer(found, { workload, point, products, accounting }), found.missing) };
  return { ...at, ...numbersOf(found, mapping.data.aliases ?? {}), uncorrected: Object.fromEntries(effects), ...layer };
}

function numbersOf(found: Evaluation, aliases: Readonly<Record<string, string>>) {
  const { missing } = found;
  const has = (figure: "energyPj" | "areaUm2"): boolean => !missing.includes(figure);
  const einsums = found.counts.map(({ name, array, cycles }) => {
    const alias = Object.keys(aliases).find(other => aliases[other] === name);
    const result = {
      ...(alias === undefined ? {} : { alias }),
      cycles,
      array,
      util: found.einsumUtilization[name] ?? 0,
      ...(has("energyPj") ? { energyPj: found.einsumEnergyPj[name] ?? 0 } : {}),
    };
    return [name, result] as const;
  });
  return {
    ...costsOf(found, missing),
    ...(has("areaUm2") ? { areaUm2: found.areaUm2, componentAreaUm2: found.componentAreaUm2 } : {}),
    wordBits: found.wordBits,
    arithmetic: found.arithmetic,
    elementBits: found.elementBits,
    missing,
    lacking: found.lacking,
    assumed: found.assumed,
    estimatedBuffers: found.estimatedBuffers,
    ...arrayShares(found.utilization),
    largestArray: found.largestArray,
    use: found.use,
    bound: found.bound,
    ...(found.trafficBytes === 0 ? {} : { operationsPerByte: operationsOf(found) / found.trafficBytes }),
    balanceOperationsPerByte: found.balanceOperationsPerByte,
    einsums: Object.fromEntries(einsums),
    components: componentsOf(found, missing),
    mappingsTried: found.mappingsTried,
  };
}

/**
 * The results as one flat table: a row a result; energy by component, the largest array's use, a layer's costs and the shares
 * of arrays that are not called 2d or 1d in further columns.
 * @param accounting in words
 * @example
 * ```ts
 * import { accountingOf, loadDesign, loadWorkload, modelResults, modelTable, specFiles } from "fusemax/node";
 *
 * const { results } = modelResults({
 *   designs: ["flat", "fusemax"].map(name => loadDesign(specFiles, name)),
 *   workloads: [loadWorkload(specFiles, "bert")],
 *   lengths: [65536],
 *   phase: "prefill",
 *   decodeQueries: 1,
 *   accounting: accountingOf("corrected", undefined),
 * });
 * console.log(modelTable(results, "corrected").rows.length); // 2
 * ```
 */
export function modelTable(results: readonly ModelResult[], accounting: string) {
  const components = [...new Set(results.flatMap(result => Object.keys(result.components)))];
  const others = arraysOf(results.map(({ utilization }) => utilization)).filter(name => name !== "2d" && name !== "1d");
  const used = [...new Set(results.map(({ largestArray }) => largestArray))].map(array => ({
    array,
    fanouts: [...new Set(results.flatMap(({ use }) => Object.keys(use[array]?.unfilled ?? {})))],
  }));
  const fields = [
    "design",
    "model",
    "batch",
    "seq",
    "cycles",
    "latencySeconds",
    "trafficBytes",
    "energyPj",
    "areaUm2",
    "util2d",
    "util1d",
    "bound",
    "operationsPerByte",
    "layers",
    "phase",
    "queries",
    "keys",
    "headsPerKey",
    "wordBits",
    "arithmetic",
  ] as const satisfies (keyof ModelResult)[];
  const uses = ["useful", "masked", "dram", "binding"] as const;
  const totals = ["cycles", "latencySeconds", "trafficBytes", "energyPj", "util2d", "util1d", "bound"] as const;
  const areas = [...new Set(results.flatMap(({ componentAreaUm2 = {} }) => Object.keys(componentAreaUm2)))];
  const layered = results.some(({ layer }) => layer !== undefined);
  const inLayer = [...new Set(results.flatMap(({ layer }) => Object.keys(layer?.components ?? {})))];
  return {
    columns: [
      ...fields,
      "accounting",
      ...components.map(name => `energyPj.${name}`),
      ...used.flatMap(({ array, fanouts }) => [
        ...uses.map(name => `${array}.${name}`),
        ...fanouts.map(name => `${array}.unfilled.${name}`),
      ]),
      ...(layered ? totals.map(name => `layer.${name}`) : []),
      ...inLayer.map(name => `layer.energyPj.${name}`),
      ...others.map(name => `util.${name}`),
      ...(layered ? others.map(name => `layer.util.${name}`) : []),
      ...areas.map(name => `areaUm2.${name}`),
    ],
    rows: results.map(result => [
      ...fields.map(field => result[field] ?? ""),
      accounting,
      ...components.map(name => result.components[name]?.energyPj ?? ""),
      ...used.flatMap(({ array, fanouts }) => [
        ...uses.map(name => result.use[array]?.[name] ?? ""),
        ...fanouts.map(name => result.use[array]?.unfilled[name] ?? ""),
      ]),
      ...(layered ? totals.map(name => result.layer?.[name] ?? "") : []),
      ...inLayer.map(name => result.layer?.components[name]?.energyPj ?? ""),
      ...others.map(name => result.utilization[name] ?? ""),
      ...(layered ? others.map(name => result.layer?.utilization[name] ?? "") : []),
      ...areas.map(name => result.componentAreaUm2?.[name] ?? ""),
    ]),
  };
}
