import { accountingOf, loadDesign, loadWorkload, modelResults } from "fusemax";
import { loadArithmetic, specFiles } from "fusemax/node";
import type { ArithmeticSpec } from "#fusemax/numerics/arithmetic";
import type { ModelResult } from "#fusemax/report/model-result";
import type { Design } from "#fusemax/spec/design";
import { exp2Coefficients } from "../arithmetic-study/polynomial.js";

/** What a design is run on. Batches are the workload's own in prefill (BERT: 64) unless given. */
export interface Scenario {
  readonly name: string;
  readonly model: string;
  readonly phase: "prefill" | "decode";
  readonly seq: number;
  readonly batch?: number;
}

const K = 1024;
const one = { batch: 1 } as const;

/** BERT has no mask; Llama 3's layers are causal; DeepSeek-V3's 128 query heads share one latent key. */
export const scenarios: readonly Scenario[] = [
  ...[1, 4, 16, 64, 256, 1024].map(k => ({
    name: k === 1024 ? "BERT 1M" : `BERT ${k}K`,
    model: "bert",
    phase: "prefill" as const,
    seq: k * K,
  })),
  { name: "Llama 3 8B causal 8K", model: "llama-3-8b", phase: "prefill", seq: 8 * K, ...one },
  { name: "Llama 3 8B causal 128K", model: "llama-3-8b", phase: "prefill", seq: 128 * K, ...one },
  { name: "Llama 3 8B decode 128K", model: "llama-3-8b", phase: "decode", seq: 128 * K, ...one },
  { name: "Llama 3 70B decode 128K", model: "llama-3-70b", phase: "decode", seq: 128 * K, ...one },
  { name: "DeepSeek-V3 absorbed decode 8K", model: "deepseek-v3-absorbed", phase: "decode", seq: 8 * K, ...one },
  { name: "DeepSeek-V3 absorbed decode 128K", model: "deepseek-v3-absorbed", phase: "decode", seq: 128 * K, ...one },
];

/** A machine of the search: FuseMax's with other numbers. */
export interface Machine {
  readonly rows: number;
  readonly columns: number;
  readonly bufferBytes: number;
  readonly arithmetic: ArithmeticName;
  /** Lanes of the 1D array for each column; 1 where absent. */
  readonly lanes?: number;
}

export const arithmeticNames = ["bf16", "bf16-reciprocal", "bf16-cubic", "bf16-quadratic"] as const;
export type ArithmeticName = (typeof arithmeticNames)[number];

/** `bf16`, the same with one reciprocal per query, and that with a cubic or a quadratic exponential besides. */
export function arithmeticOf(name: ArithmeticName): ArithmeticSpec {
  if (name === "bf16" || name === "bf16-cubic") return loadArithmetic(specFiles, name);
  const reciprocal = { ...loadArithmetic(specFiles, "bf16"), name, normalize: "reciprocal" } as const;
  if (name === "bf16-reciprocal") return reciprocal;
  return { ...reciprocal, exp: { ...reciprocal.exp, coefficients: exp2Coefficients(2) } };
}

export const fusemaxMachine: Machine = { rows: 256, columns: 256, bufferBytes: 16 * K * K, arithmetic: "bf16" };

export const machineName = ({ rows, columns, bufferBytes, arithmetic, lanes = 1 }: Machine): string =>
  `${rows} x ${columns}, ${bufferBytes / (K * K)} MiB, ${arithmetic}${lanes === 1 ? "" : `, ${lanes} lanes a query`}`;

const accounting = accountingOf("corrected", undefined);
const fusemax = loadDesign(specFiles, "fusemax");
/** FuseMax with several lanes a query, and a schedule in which the 2D array leaves no slot empty. */
const wide = loadDesign(specFiles, "beyond-wide");

/** A result of words whose energy and area the technology has. */
export type Cost = ModelResult & Required<Pick<ModelResult, "energyPj" | "areaUm2">>;

interface Patch {
  readonly path: string;
  readonly value: number;
}

/** Models, with the cycles of the schedule's simulation; null where its tiles do not fit the buffer. */
function modelled(design: Design, patches: readonly Patch[], scenario: Scenario): Cost | null {
  const { results, failures } = modelResults({
    designs: [design],
    workloads: [loadWorkload(specFiles, scenario.model)],
    lengths: [scenario.seq],
    ...(scenario.batch === undefined ? {} : { batch: scenario.batch }),
    ...{ phase: scenario.phase, decodeQueries: 1, accounting, effects: false, patches },
  });
  const [result] = results;
  if (result === undefined) {
    if (failures.length > 0) return null;
    throw new Error(`no result for ${scenario.name}`);
  }
  const { energyPj, areaUm2 } = result;
  if (energyPj === undefined || areaUm2 === undefined)
    throw new Error(`${result.design} lacks ${result.missing.join()}`);
  return { ...result, energyPj, areaUm2 };
}

const field = (name: string, value: number): Patch => ({ path: `architecture.${name}`, value });

/** What a machine takes; null where the tiles do not fit its buffer, or a schedule's values its register files. Operands and sums have the arithmetic's bits. */
export function costOf(machine: Machine, scenario: Scenario): Cost | null {
  const { rows, columns, bufferBytes, arithmetic, lanes = 1 } = machine;
  const data = arithmeticOf(arithmetic);
  const base = lanes === 1 ? fusemax : wide;
  const design = { ...base, arithmetic: { ...base.arithmetic, data }, arithmeticBy: "command" as const };
  const patches = [
    field("parameters.rows", rows),
    field("parameters.columns", columns),
    field("levels.buffer.bytes", bufferBytes),
    ...(lanes === 1 ? [] : [field("parameters.lanes", lanes)]),
  ];
  try {
    return modelled(design, patches, scenario);
  } catch (error) {
    // The only point of the request cannot be run: its tiles do not fit the buffer, or its values the register files.
    if (error instanceof Error && /over its|in a PE's register file/.test(error.message)) return null;
    throw error;
  }
}

/** What a design of specs/designs takes, as it ships. */
export function costOfDesign(name: string, scenario: Scenario, patches: readonly Patch[] = []): Cost {
  const own = loadDesign(specFiles, name);
  const found = modelled({ ...own, arithmeticBy: "command" }, patches, scenario);
  if (found === null) throw new Error(`${name} does not run ${scenario.name}`);
  return found;
}

/** Rows that the global buffer reads per cycle, as a patch. */
export const ports = (rows: number): readonly Patch[] => [field("timing.bufferReadRows", rows)];
