import { cpuEngine, type FormatName } from "fusemax";
import { float64Attention } from "./attention.js";
import { emulatedAttention, type LayerReport } from "./emulated.js";
import { encode } from "./encoder.js";
import type { EncoderModel } from "./model.js";

/** What a run computes its attention in: a number format of the array, or float64 without the array. */
export type Arithmetic = FormatName | "float64";

/** The encoder over one text in one arithmetic. */
export interface Run {
  readonly arithmetic: Arithmetic;
  /** [512], of length 1. */
  readonly embedding: Float64Array;
  /** One report a layer; none for float64. */
  readonly layers: readonly LayerReport[];
  /** The engine that emulated, or null for float64. */
  readonly engine: string | null;
  readonly seconds: number;
}

/** Encodes the tokens once. `note` gets a line of progress for each layer. */
export async function run(
  model: EncoderModel,
  ids: readonly number[],
  arithmetic: Arithmetic,
  note: (line: string) => void,
): Promise<Run> {
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  if (arithmetic === "float64") {
    const embedding = await encode(model, ids, float64Attention);
    note(`float64: done in ${seconds().toFixed(1)} s`);
    return { arithmetic, embedding, layers: [], engine: null, seconds: seconds() };
  }
  const engine = cpuEngine();
  try {
    const layers: LayerReport[] = [];
    const attention = emulatedAttention(engine, arithmetic, report => {
      layers.push(report);
      note(`${arithmetic}: attention of layer ${report.layer} emulated in ${report.emulateSeconds.toFixed(1)} s`);
    });
    const embedding = await encode(model, ids, attention);
    note(`${arithmetic}: done in ${seconds().toFixed(1)} s`);
    return { arithmetic, embedding, layers, engine: engine.adapter ?? engine.name, seconds: seconds() };
  } finally {
    await engine.close();
  }
}
