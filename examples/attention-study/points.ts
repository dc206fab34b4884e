import { accountingOf, loadDesign, loadWorkload, modelResults } from "fusemax";
import { specFiles } from "fusemax/node";
import type { ModelResult } from "#fusemax/report/model-result";

export const designs = ["unfused", "flat", "fusemax"] as const;
export type DesignName = (typeof designs)[number];
export const phases = ["prefill", "decode"] as const;
export const lengths = [8 * 1024, 128 * 1024] as const;

/** Models of specs/workloads with the names that fit under a chart's bar. */
export const models: Readonly<Record<string, string>> = {
  "gpt-2": "GPT-2",
  "gpt-3": "GPT-3",
  "llama-2-7b": "Llama 2 7B",
  "llama-3-8b": "Llama 3 8B",
  "llama-3-70b": "Llama 3 70B",
  "mistral-7b": "Mistral 7B",
  "mixtral-8x22b": "Mixtral",
  "qwen3-8b": "Qwen3 8B",
  "qwen3-30b-a3b": "Qwen3 30B",
  "gemma-2-9b": "Gemma 2",
  "phi-3-mini": "Phi-3",
  "deepseek-v3-expanded": "DeepSeek exp.",
  "deepseek-v3-absorbed": "DeepSeek abs.",
};

/** A result of words whose energy and area the technology has, as all of this study's are. */
export type KnownResult = ModelResult & Required<Pick<ModelResult, "energyPj" | "areaUm2">>;

function known(result: ModelResult): KnownResult {
  const { energyPj, areaUm2 } = result;
  if (energyPj === undefined || areaUm2 === undefined)
    throw new Error(`${result.design} lacks ${result.missing.join()}`);
  return { ...result, energyPj, areaUm2 };
}

/** One model (and kind of its layers) at one length in one phase, on every design. */
export interface Row {
  readonly label: string;
  readonly phase: (typeof phases)[number];
  readonly seq: number;
  readonly on: Readonly<Record<DesignName, KnownResult>>;
}

/** Every model at every length in both phases, with a batch of one: all it does is multiply decode's attention. */
export function studyRows(accounting: "published" | "corrected"): readonly Row[] {
  const product = loadDesign(specFiles, "product");
  return phases.flatMap(phase => {
    const { results } = modelResults({
      designs: designs.map(name => loadDesign(specFiles, name)),
      workloads: Object.keys(models).map(name => loadWorkload(specFiles, name)),
      lengths,
      batch: 1,
      phase,
      decodeQueries: 1,
      accounting: accountingOf(accounting, undefined),
      effects: false,
      product,
    });
    const labels = new Map(Object.entries(models).map(([file, label]) => [loadWorkload(specFiles, file).name, label]));
    return Array.from({ length: results.length / designs.length }, (_, i): Row => {
      const own = results.slice(i * designs.length, (i + 1) * designs.length);
      const [first] = own;
      if (first === undefined) throw new Error("a point without results");
      const kind = first.layers === null ? "" : ` ${first.layers}`;
      return {
        label: `${labels.get(first.model)}${kind}`,
        phase,
        seq: first.seq,
        on: Object.fromEntries(own.map(result => [result.design, known(result)])) as Row["on"],
      };
    });
  });
}

/** FuseMax and FLAT on one attention whose scores are capped in one way, or not. */
export interface CapRow {
  readonly scores: string;
  readonly fusemax: KnownResult;
  readonly flat: KnownResult;
}

/** Gemma 2's global layers: without its soft-cap, with the division on dividers of four cycles and of one, by multiply-adds. */
export function capRows(seq: number, phase: Row["phase"]): readonly CapRow[] {
  const quick = [{ path: "architecture.arrays.1d.operations.divide", value: 1 }];
  const ways = [
    { scores: "not capped", softcap: "off", division: "divider", patches: [] },
    { scores: "divided in 4 cycles", softcap: "model", division: "divider", patches: [] },
    { scores: "divided in 1 cycle", softcap: "model", division: "divider", patches: quick },
    { scores: "by multiply-adds", softcap: "model", division: "multiply-adds", patches: [] },
  ] as const;
  return ways.map(({ scores, softcap, division, patches }): CapRow => {
    const { results } = modelResults({
      designs: ["fusemax", "flat"].map(name => loadDesign(specFiles, name)),
      workloads: [loadWorkload(specFiles, "gemma-2-9b")],
      lengths: [seq],
      phase,
      decodeQueries: 1,
      accounting: accountingOf("corrected", undefined),
      effects: false,
      scores: { softcap, division, bias: null },
      patches,
    });
    const of = (design: string): KnownResult => {
      const found = results.find(own => own.design === design && own.layers === "global");
      if (found === undefined) throw new Error(`no result of ${design}`);
      return known(found);
    };
    return { scores, fusemax: of("fusemax"), flat: of("flat") };
  });
}

/** An array of other sides, on Llama 3 70B's decode. */
export interface ShapeRow {
  readonly rows: number;
  readonly columns: number;
  readonly result: KnownResult;
}

/** FuseMax with arrays of other shapes: rows take keys, columns take the queries of heads that share them. */
export function shapeRows(model: string, seq: number): readonly ShapeRow[] {
  return [64, 256, 1024, 4096].flatMap(rows =>
    [4, 8, 16, 64, 256]
      .filter(columns => rows * columns <= 65536)
      .map(columns => {
        const { results } = modelResults({
          designs: [loadDesign(specFiles, "fusemax")],
          workloads: [loadWorkload(specFiles, model)],
          lengths: [seq],
          batch: 1,
          phase: "decode",
          decodeQueries: 1,
          accounting: accountingOf("corrected", undefined),
          effects: false,
          patches: [
            { path: "architecture.parameters.rows", value: rows },
            { path: "architecture.parameters.columns", value: columns },
          ],
        });
        return { rows, columns, result: known(results[0] as ModelResult) };
      }),
  );
}
