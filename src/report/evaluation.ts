import type { Table } from "./table.js";
import { textTable } from "./table.js";

/** A tensor's values in numbers; the first four over its finite values, absent where it has none. */
export interface TensorStatistics {
  readonly min?: number;
  readonly max?: number;
  readonly mean?: number;
  readonly rms?: number;
  /** How many values are infinite. */
  readonly infinite: number;
}

export interface ReportedTensor extends TensorStatistics {
  /** Rank variables, in the order of the axes. */
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  /** How its values are written. */
  readonly type: "F32" | "F64";
  /** Of its values as they are written: little-endian, row-major. */
  readonly sha256: string;
}

/** What `fusemax evaluate --json` prints. */
export interface EvaluationResult {
  readonly schema: "fusemax.evaluate/1";
  readonly cascade: string;
  readonly arithmetic: string;
  readonly scale: number;
  readonly engine: { readonly name: string; readonly adapter: string | null; readonly reason: string };
  readonly shape: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly from: string }>>;
  readonly tensors: Readonly<Record<string, ReportedTensor>>;
  readonly notes: readonly string[];
  readonly output: string | null;
  readonly seconds: number;
}

export function statisticsOf(values: Float32Array | Float64Array): TensorStatistics {
  let [finite, infinite, sum, squares] = [0, 0, 0, 0];
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const x of values) {
    if (!Number.isFinite(x)) {
      infinite += 1;
      continue;
    }
    finite += 1;
    sum += x / values.length;
    squares += (x / values.length) * x;
    if (x < min) min = x;
    if (x > max) max = x;
  }
  if (finite === 0) return { infinite };
  const share = values.length / finite;
  return { min, max, mean: sum * share, rms: Math.sqrt(squares * share), infinite };
}

/** The result for people: what was computed from what, and a line a tensor. */
export function evaluationText(result: EvaluationResult): string {
  const { cascade, arithmetic, scale, shape, inputs, tensors, notes, output, engine } = result;
  const sizes = Object.entries(shape).map(([rank, size]) => `${rank}=${size}`);
  const exponent = scale === 1 ? "" : `, exp of scale ${scale}`;
  const by = engine.name === "interpreter" ? "" : `, on ${engine.name}`;
  const sources = new Map<string, string[]>();
  for (const [name, { from }] of Object.entries(inputs)) sources.set(from, [...(sources.get(from) ?? []), name]);
  const given = [...sources].map(([from, names]) => `${names.join(", ")} from ${from}`);
  return `${[
    `${cascade} in ${arithmetic}${exponent}${by}: ${sizes.join(" ")}`,
    `inputs: ${given.join("; ") || "none"}`,
    "",
    textTable(tensorTable(tensors)),
    ...notes.map(note => `note: ${note}`),
    ...(output === null ? [] : [`written to ${output}`]),
  ].join("\n")}\n`;
}

/** Characters of a digest that a table shows; --json has all of them. */
const digestCharacters = 16;

function tensorTable(tensors: EvaluationResult["tensors"]): Table {
  const number = (x: number | undefined): string => (x === undefined ? "-" : String(Number(x.toPrecision(6))));
  return {
    columns: ["tensor", "shape", "min", "max", "mean", "rms", "sha256"],
    rows: Object.entries(tensors).map(([name, { axes, shape, min, max, mean, rms, sha256 }]) => [
      axes.length === 0 ? name : `${name}[${axes.join(",")}]`,
      shape.join(" x ") || "one value",
      ...[min, max, mean, rms].map(number),
      sha256.slice(0, digestCharacters),
    ]),
  };
}
