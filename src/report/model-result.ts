import type { Accounting } from "../model/accounting.js";
import { compileDesign } from "../model/compile.js";
import { correctionNames } from "../model/corrections.js";
import { type Evaluation, evaluate } from "../model/evaluate.js";
import type { Patch } from "../model/patch.js";
import { sizesOf } from "../model/sizes.js";
import type { Design } from "../spec/design.js";
import type { Workload } from "../spec/workload.js";

/** One design on one workload at one length, as `fusemax model --json` prints it (schema fusemax.model/1). */
export interface ModelResult {
  readonly design: string;
  readonly model: string;
  readonly batch: number;
  readonly seq: number;
  readonly cycles: number;
  readonly latencySeconds: number;
  readonly trafficBytes: number;
  readonly energyPj: number;
  readonly areaUm2: number;
  readonly util2d: number;
  readonly util1d: number;
  /** dram, the array that never rests, or the binding. */
  readonly bound: string;
  /** Operations (a multiply-accumulate is two) per byte of DRAM traffic. */
  readonly operationsPerByte: number;
  readonly einsums: Readonly<Record<string, EinsumResult>>;
  readonly components: Readonly<Record<string, { readonly energyPj: number }>>;
  /** Mappings that a search compared. */
  readonly mappingsTried: number;
  /** Under `published`: each error left uncorrected, and latency and energy with it mended relative to without. */
  readonly uncorrected: Readonly<Record<string, { readonly latency: number; readonly energy: number }>>;
}

export interface EinsumResult {
  readonly cycles: number;
  readonly array: string;
  readonly util: number;
  readonly energyPj: number;
}

/** Which points to model. */
export interface ModelRequest {
  readonly designs: readonly Design[];
  readonly workloads: readonly Workload[];
  readonly lengths: readonly number[];
  readonly batch: number;
  readonly accounting: Accounting;
  /** Fields of the designs' specs to replace. */
  readonly patches?: readonly Patch[];
}

/** Models every design on every workload at every length. Throws SpecError, UsageError. */
export function modelResults({
  designs,
  workloads,
  lengths,
  batch,
  accounting,
  patches = [],
}: ModelRequest): readonly ModelResult[] {
  const byDesign = designs.map(design => ({
    design,
    compiled: compileDesign(design, { corrections: accounting.corrections, patches }),
    mended: correctionNames
      .filter(() => accounting.name === "published")
      .map(name => ({ name, compiled: compileDesign(design, { corrections: [name], patches }) })),
  }));
  return workloads.flatMap(workload =>
    lengths.flatMap(seq =>
      byDesign.map(({ design, compiled, mended }): ModelResult => {
        const sizes = sizesOf(workload, seq, batch);
        const found = evaluate(compiled, sizes, accounting);
        const effects = mended.map(({ name, compiled }) => {
          const one = evaluate(compiled, sizes, { ...accounting, name: "corrected", corrections: [name] });
          const effect = { latency: one.latencySeconds / found.latencySeconds, energy: one.energyPj / found.energyPj };
          return [name, effect] as const;
        });
        const point = { design: design.name, model: workload.name, batch, seq };
        return { ...point, ...numbersOf(found), uncorrected: Object.fromEntries(effects) };
      }),
    ),
  );
}

function numbersOf(found: Evaluation): Omit<ModelResult, "design" | "model" | "batch" | "seq" | "uncorrected"> {
  const einsums = found.counts.map(({ name, array, cycles }) => {
    const result = {
      cycles,
      array,
      util: found.einsumUtilization[name] ?? 0,
      energyPj: found.einsumEnergyPj[name] ?? 0,
    };
    return [name, result] as const;
  });
  const components = Object.entries(found.componentEnergyPj).map(([name, energyPj]) => [name, { energyPj }] as const);
  return {
    cycles: found.cycles,
    latencySeconds: found.latencySeconds,
    trafficBytes: found.trafficBytes,
    energyPj: found.energyPj,
    areaUm2: found.areaUm2,
    util2d: found.utilization["2d"] ?? 0,
    util1d: found.utilization["1d"] ?? 0,
    bound: found.bound,
    operationsPerByte: operations(found) / found.trafficBytes,
    einsums: Object.fromEntries(einsums),
    components: Object.fromEntries(components),
    mappingsTried: found.mappingsTried,
  };
}

const operations = ({ counts }: Evaluation): number =>
  counts.reduce(
    (sum, { operations }) =>
      sum + operations.reduce((own, { name, count }) => own + count * (name === "mac" ? 2 : 1), 0),
    0,
  );

/** The results as one flat table: a row a result, energy by component in further columns. */
export function modelTable(results: readonly ModelResult[]) {
  const components = [...new Set(results.flatMap(result => Object.keys(result.components)))];
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
  ] as const satisfies (keyof ModelResult)[];
  return {
    columns: [...fields, ...components.map(name => `energyPj.${name}`)],
    rows: results.map(result => [
      ...fields.map(field => result[field]),
      ...components.map(name => result.components[name]?.energyPj ?? ""),
    ]),
  };
}
