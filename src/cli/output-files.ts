import { resolve } from "node:path";
import { UsageError } from "../errors.js";
import { checkWritable } from "../io/atomic-write.js";

/** @throws UsageError for a file name with an ending that is not written */
export function requireEnding(option: string, path: string | undefined, endings: readonly string[]): void {
  if (path === undefined || endings.some(ending => path.toLowerCase().endsWith(ending))) return;
  const expected = `a file name that ends in ${endings.join(" or ")}`;
  throw new UsageError({ where: option, got: path, expected });
}

/** Paths by the options that name them. */
type Paths = Readonly<Record<string, string | undefined>>;

/**
 * Every output has a path of its own, which no input has either, and can be written.
 * @throws UsageError, InputError
 */
export async function requireOwnPaths(inputs: readonly (readonly [option: string, path: string])[], outputs: Paths) {
  const taken = new Map(inputs.map(([option, path]) => [resolve(path), option]));
  for (const [option, path] of Object.entries(outputs)) {
    if (path === undefined) continue;
    const other = taken.get(resolve(path));
    if (other !== undefined) {
      const got = `${path}, the file of ${other}`;
      throw new UsageError({ where: option, got, expected: "a path of its own" });
    }
    taken.set(resolve(path), option);
    await checkWritable(path);
  }
}
