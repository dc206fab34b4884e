import type { ArithmeticSpec } from "../../src/numerics/arithmetic.js";
import { plain } from "../../src/report/units.js";
import { type State, writeSize } from "../state.js";
import { type AskedAttention, maskWords } from "./attention.js";

/** Everything that a result depends on, in words by its name. */
export type Settings = Readonly<Record<string, string>>;

/** A stretch of tensors that stands in the place of generated inputs. */
interface NamedFiles {
  readonly files: readonly File[];
}

const fileWords = ({ files }: NamedFiles): string =>
  files.map(({ name, size, lastModified }) => `${name} (${size} bytes, ${lastModified})`).join(", ");

export function settingsOf(
  state: State,
  { workload, scale, softcap, masks }: AskedAttention,
  arithmetic: ArithmeticSpec,
  dropped: NamedFiles | null,
): Settings {
  const { spread, seed, m0, engine, runModel } = state;
  const { queries, keys, heads, kvHeads, headDim, valueDim } = workload.shape;
  const inputs: Settings =
    dropped === null
      ? {
          queries: writeSize(queries),
          keys: writeSize(keys),
          heads: String(heads),
          "key/value heads": String(kvHeads),
          E: String(headDim),
          F: String(valueDim),
          spread: plain(spread),
          seed: String(seed),
        }
      : { files: fileWords(dropped) };
  const { name } = arithmetic;
  return {
    arithmetic: name,
    [definition]: JSON.stringify(arithmetic),
    engine,
    model: runModel,
    mask: maskWords(workload),
    ...(masks.length === 0 ? {} : { "mask files": fileWords({ files: masks.map(({ file }) => file) }) }),
    scale: plain(scale),
    cap: softcap === undefined ? "none" : plain(softcap),
    "keys per tile": String(m0),
    ...inputs,
  };
}

const definition = "definition";
/** Settings that are no words. */
const inWords: Readonly<Record<string, string>> = {
  [definition]: `an earlier text of the arithmetic`,
  files: "other inputs",
  "mask files": "other mask files",
};

/**
 * What a result is of, as far as it is not what any of the settings say now: "seed 0, keys 1K". Null where it is of one
 * of them.
 */
export function differences(of: Settings, now: readonly Settings[]): string | null {
  const nearest = now.find(({ arithmetic }) => arithmetic === of["arithmetic"]) ?? now[0] ?? {};
  const all = [...new Set([...Object.keys(of), ...Object.keys(nearest)])].filter(name => of[name] !== nearest[name]);
  if (all.length === 0) return null;
  const named = all.filter(name => name !== definition || !all.includes("arithmetic"));
  return [...new Set(named.map(name => inWords[name] ?? (name in of ? `${name} ${of[name]}` : "other inputs")))].join(
    ", ",
  );
}
