import { type InputName, inputNames } from "../../attention/shape.js";
import { InputError } from "../../errors.js";
import { openArchive } from "../../io/open-archive.js";
import type { StoredTensor } from "../../io/stored-tensor.js";
import { type BesideName, besideNames } from "./beside-names.js";
import type { InputOptions } from "./input-files.js";
import { namesIn, prefixOf } from "./input-names.js";

export type Beside = Readonly<Partial<Record<BesideName, StoredTensor>>>;

/** Opens what `--input` holds beside the tensors that are Q, K and V, headers only. @throws InputError, UsageError */
export async function openBeside({ input, names = {} }: InputOptions): Promise<Beside> {
  if (input === undefined) return {};
  const archive = await openArchive("--input", input, "");
  const prefix = commonPrefix(namesIn(input, archive.names, names));
  if (prefix === null) return {};
  const found: Partial<Record<BesideName, StoredTensor>> = {};
  for (const name of besideNames) {
    if (archive.names.includes(prefix + name)) found[name] = await archive.tensor(prefix + name);
  }
  return found;
}

/** What is before all three; null where they differ in more than that. */
function commonPrefix(names: Readonly<Record<InputName, string>>): string | null {
  const [first, ...others] = inputNames.map(name => prefixOf(names[name]));
  return first !== undefined && others.every(other => other === first) ? first : null;
}

/** The one number of a tensor; undefined without one. @throws InputError for several */
export async function numberIn(tensor: StoredTensor | undefined): Promise<number | undefined> {
  if (tensor === undefined) return undefined;
  const values = await tensor.load();
  if (values.length === 1) return values[0];
  const { where, shape } = tensor;
  throw new InputError({ where, got: `shape [${shape.join(", ")}]`, expected: "one number" });
}

/** A line that says what is taken from the file without being asked for; null where that is nothing. */
export function besideNote(beside: Beside, overridden: readonly BesideName[]): string | null {
  const used = besideNames.filter(name => beside[name] !== undefined && !overridden.includes(name));
  if (used.length === 0) return null;
  return `the file's ${used.join(", ")} beside q, k and v ${used.length === 1 ? "is" : "are"} taken`;
}
