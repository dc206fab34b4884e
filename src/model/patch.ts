import { namesNear } from "../einsum/source.js";
import { SpecError } from "../errors.js";
import type { Document, Path } from "../spec/document.js";
import type { Formula } from "../spec/expression.js";

/** A field of a spec and what it becomes: `architecture.levels.buffer.bytes` -> 8 * MiB. */
export interface Patch {
  readonly path: string;
  readonly value: Formula | readonly string[];
  /** The field becomes its own value times `value`. */
  readonly relative?: boolean;
  /** Who asks, for messages: `--set architecture.wordBits`. Without it, the place in the document. */
  readonly where?: string;
}

/**
 * The spec with the patches that begin with its kind, checked by its schema as if it had been written so. Throws SpecError
 * for a field that is not there, and for a value that the schema does not take there.
 */
export const applyPatches = <T>(document: Document<T>, kind: string, patches: readonly Patch[]): T =>
  patchDocument(document, kind, patches).data;

/** The same as a document: what its text would say, and its data. Throws SpecError. */
export function patchDocument<T>(document: Document<T>, kind: string, patches: readonly Patch[]): Document<T> {
  const mine = patches.filter(({ path }) => path.startsWith(`${kind}.`));
  if (mine.length === 0) return document;
  const raw = unshared(document.raw);
  for (const patch of mine) setField(raw, kind, patch, document.at);
  const where = (path: Path): string =>
    mine.find(patch => patch.path === [kind, ...path].join("."))?.where ?? document.at(path);
  const changed = mine.map(({ path }) => path.slice(kind.length + 1).split("."));
  return { ...document, raw, data: document.read(raw, where, changed) };
}

function setField(raw: unknown, kind: string, patch: Patch, at: (path: Path) => string): void {
  const { path, value, relative = false } = patch;
  const keys = path.slice(kind.length + 1).split(".");
  const last = keys.pop() as string;
  const holder = keys.reduce((inner: unknown, key) => (isHolder(inner) ? own(inner, key) : undefined), raw);
  const old = isHolder(holder) ? own(holder, last) : undefined;
  if (!isHolder(holder) || old === undefined || (isHolder(old) && !(Array.isArray(old) && isList(value)))) {
    const near = isHolder(holder)
      ? `one of ${namesNear(last, Object.keys(holder), ["the", kind, ...keys].join(" "))}`
      : "a field";
    throw new SpecError({
      where: patch.where ?? at(keys),
      got: `the field '${path}'`,
      expected: `${near} that holds a number or a formula`,
    });
  }
  // A list of its own: another patch may change one of its entries.
  holder[last] = relative ? product(old, value) : unshared(value);
}

/** Two numbers are multiplied here: not every field that takes a number takes a formula. */
const product = (old: unknown, value: Patch["value"]): Formula =>
  typeof old === "number" && typeof value === "number" ? old * value : `(${old}) * (${value})`;

const isHolder = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const isList = (value: Patch["value"]): boolean => typeof value === "object";
const own = (holder: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(holder, key) ? holder[key] : undefined;

/** A copy in which what was under two names (YAML's aliases) is two things: one of them is changed. */
function unshared(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unshared);
  if (!isHolder(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unshared(inner)]));
}

/** A mapping's field by the cascade's names: mapping.einsums.QK is mapping.einsums.BQK where QK is an alias. */
export const fieldsByName =
  (aliases: Readonly<Record<string, string>>) =>
  (field: string): string =>
    field.startsWith("mapping.")
      ? field
          .split(".")
          .map(key => aliases[key] ?? key)
          .join(".")
      : field;
