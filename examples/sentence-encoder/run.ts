import type { CheckResult } from "#fusemax/emulator/check";
import type { FormatName } from "#fusemax/numerics/format";
import { float64Attention, type LayerInputs } from "./attention.js";
import { checkLayer, type LayerEmulation } from "./emulated.js";
import { encode } from "./encoder.js";
import type { EncoderModel } from "./model.js";

/** What a run computes its attention in: a number format of the array, or float64 without the array. */
export type Arithmetic = FormatName | "float64";

/** Has one layer's attention emulated, here or in another thread. */
export type Emulate = (format: FormatName, inputs: LayerInputs) => Promise<LayerEmulation>;

/** The encoder over one text in one arithmetic. */
export interface Run {
  readonly arithmetic: Arithmetic;
  /** [512], of length 1. */
  readonly embedding: Float64Array;
  /** One report a layer; none for float64. */
  readonly layers: readonly LayerReport[];
}

/** How one layer's attention on the array went. */
export interface LayerReport {
  readonly heads: number;
  readonly tokens: number;
  readonly headDim: number;
  readonly engine: string;
  /** Against float64 attention on the same q, k and v. */
  readonly check: CheckResult;
}

/** Encodes the tokens once. `note` gets a line of progress for each layer. */
export async function run(
  model: EncoderModel,
  ids: readonly number[],
  arithmetic: Arithmetic,
  emulate: Emulate,
  note: (line: string) => void,
): Promise<Run> {
  const layers: LayerReport[] = [];
  const emulated = async (format: FormatName, inputs: LayerInputs): Promise<Float64Array> => {
    const { av, seconds, engine } = await emulate(format, inputs);
    note(`${format}: attention of layer ${inputs.layer} emulated in ${seconds.toFixed(1)} s`);
    const { heads, tokens, headDim } = inputs;
    layers.push({ heads, tokens, headDim, engine, check: await checkLayer(format, inputs, av) });
    return Float64Array.from(av);
  };
  const attention = arithmetic === "float64" ? float64Attention : (inputs: LayerInputs) => emulated(arithmetic, inputs);
  const embedding = await encode(model, ids, attention);
  note(`${arithmetic}: done`);
  return { arithmetic, embedding, layers };
}
