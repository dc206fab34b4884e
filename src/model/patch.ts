import { SpecError } from "../errors.js";
import type { Path } from "../spec/document.js";
import type { Formula } from "../spec/expression.js";

/** A field of a spec and what it becomes: `architecture.levels.buffer.bytes` -> 8 * MiB. */
export interface Patch {
  readonly path: string;
  readonly value: Formula | readonly string[];
  /** The field becomes its own value times `value`. */
  readonly relative?: boolean;
}

/** The spec with the patches that begin with its kind. The field must be there and hold a number, a
 * formula, or (for a list) names. */
export function applyPatches<T>(data: T, kind: string, patches: readonly Patch[], at: (path: Path) => string): T {
  const mine = patches.filter(({ path }) => path.startsWith(`${kind}.`));
  if (mine.length === 0) return data;
  const copy = structuredClone(data);
  for (const { path, value, relative = false } of mine) {
    const keys = path.split(".").slice(1);
    const last = keys.pop() as string;
    let parent: unknown = copy;
    for (const key of keys) parent = (parent as Record<string, unknown> | undefined)?.[key];
    const holder = parent as Record<string, unknown> | undefined;
    const old = typeof holder === "object" && holder !== null ? holder[last] : undefined;
    if (Array.isArray(old) ? !Array.isArray(value) : typeof old !== "number" && typeof old !== "string") {
      const near =
        typeof holder === "object" && holder !== null ? `one of ${Object.keys(holder).join(", ")}` : "a field";
      throw new SpecError({
        where: at(keys),
        got: `the field '${path}'`,
        expected: `${near} that holds a number or a formula`,
      });
    }
    (holder as Record<string, unknown>)[last] = relative ? `(${old}) * (${value})` : value;
  }
  return copy;
}
