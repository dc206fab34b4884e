import { isCollection, isMap, type Node, type Pair, type ParsedNode } from "yaml";
import { z } from "zod/mini";
import { SpecError } from "../errors.js";
import { readYaml, type YamlText } from "./yaml.js";

// Messages of a schema come with a language, which the small build of the library leaves to its user.
z.config(z.locales.en());

/** The text of one spec and the name to call it by in messages (a path, or a name when it is built in). */
export interface SpecText {
  readonly file: string;
  readonly text: string;
  /** One of the package's own, not a user's. */
  readonly shipped?: boolean;
}

export type Path = readonly (string | number)[];

/** A spec that has been read: its data, and where each field is in its text. */
export interface Document<T> {
  readonly file: string;
  readonly data: T;
  /** `file:line:column path` of a field, for messages. */
  readonly at: (path: Path) => string;
  /** One of the package's own, not a user's. */
  readonly shipped: boolean;
  /** What the text says, before the schema: to change fields of, and to read again. */
  readonly raw: unknown;
  /**
   * Reads other raw data as if it was in this document's place; of several complaints, one about a changed field comes
   * first. Throws SpecError at `where` of the field.
   */
  readonly read: (raw: unknown, where: (path: Path) => string, changed?: readonly Path[]) => T;
}

/** Reads YAML and checks it against its schema. Throws SpecError at `file:line:column path`. */
export function readDocument<T>(source: SpecText, schema: z.ZodMiniType<T>): Document<T> {
  const { file } = source;
  const yaml = readYaml(file, source.text);
  const at = locator(file, yaml);
  const read = reader(schema);
  return { file, data: read(yaml.data, at), at, shipped: source.shipped === true, raw: yaml.data, read };
}

/**
 * The same document with other raw data under another schema: what was left out has been filled in.
 * Throws SpecError at the field that does not fit.
 */
export function withSchema<T>(document: Document<unknown>, raw: unknown, schema: z.ZodMiniType<T>): Document<T> {
  const read = reader(schema);
  return { ...document, raw, data: read(raw, document.at), read };
}

function reader<T>(schema: z.ZodMiniType<T>): Document<T>["read"] {
  return (raw, where, changed = []) => {
    const result = schema.safeParse(raw);
    if (result.success) return result.data;
    const { issues } = result.error;
    throw complaintOf(schema, where, raw, about(changed, issues) ?? deepest(issues));
  };
}

/** An issue of a changed field itself, in any branch of a union. */
function about(
  changed: readonly Path[],
  issues: readonly z.core.$ZodIssue[],
  base: Path = [],
): z.core.$ZodIssue | undefined {
  for (const issue of issues) {
    const path = [...base, ...(issue.path as Path)];
    const inner =
      issue.code === "invalid_union"
        ? issue.errors.map(branch => about(changed, branch, path)).find(found => found !== undefined)
        : undefined;
    if (inner !== undefined) return inner;
    if (changed.some(field => field.join(".") === path.join("."))) return { ...issue, path } as z.core.$ZodIssue;
  }
  return undefined;
}

/** Of a union's issues, those that got furthest into the document say most. */
function deepest(issues: readonly z.core.$ZodIssue[], base: Path = []): z.core.$ZodIssue {
  let best: z.core.$ZodIssue | undefined;
  for (const issue of issues) {
    const path = [...base, ...(issue.path as Path)];
    const inner =
      issue.code === "invalid_union"
        ? issue.errors
            .filter(branch => branch.length > 0)
            .map(branch => deepest(branch, path))
            .reduce<z.core.$ZodIssue | undefined>(
              (a, b) => (a !== undefined && depth(a) >= depth(b) ? a : b),
              undefined,
            )
        : undefined;
    const candidate =
      inner !== undefined && depth(inner) > path.length ? inner : ({ ...issue, path } as z.core.$ZodIssue);
    if (best === undefined || depth(candidate) > depth(best)) best = candidate;
  }
  return best as z.core.$ZodIssue;
}
const depth = (issue: z.core.$ZodIssue): number => issue.path.length + (issue.code === "unrecognized_keys" ? 1.5 : 0);

function complaintOf(
  schema: z.core.$ZodType,
  at: (path: Path) => string,
  raw: unknown,
  issue: z.core.$ZodIssue,
): SpecError {
  const path = issue.path as Path;
  const show = (value: unknown): string => {
    // JSON has no infinities and NaN: it would say null.
    const isOdd = typeof value === "number" && !Number.isFinite(value);
    const shown = value === undefined ? "nothing" : isOdd ? String(value) : JSON.stringify(value);
    return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
  };
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    return new SpecError({
      where: at([...path, key]),
      got: `the unknown key '${key}'`,
      expected: "only known keys",
      fix: "remove it or correct its spelling",
    });
  }
  const value = valueAt(raw, path);
  const got = show(value);
  const missing = value === undefined ? descriptionAt(schema, path, raw) : undefined;
  const fix: unknown = issue.code === "custom" ? issue.params?.["fix"] : missing && `add it (${missing})`;
  return new SpecError({
    where: at(path),
    got,
    expected: expectation(issue),
    ...(typeof fix === "string" ? { fix } : {}),
  });
}

/** What a schema says of the field at a path, without its full stop; undefined where it says nothing. */
function descriptionAt(schema: z.core.$ZodType, path: Path, raw: unknown): string | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const own = z.globalRegistry.get(schema)?.description?.replace(/\.$/, "");
  const [key, ...rest] = path;
  switch (def.type) {
    case "optional":
    case "nullable":
    case "default":
      return own ?? descriptionAt(def.innerType, path, raw);
    case "pipe":
      return own ?? descriptionAt(def.in, path, raw);
    case "union":
      return own !== undefined && key === undefined
        ? own
        : def.options.map(option => descriptionAt(option, path, raw)).find(text => text !== undefined);
    default:
  }
  if (key === undefined) return own;
  const inner = valueAt(raw, [key]);
  if (def.type === "object") {
    const field = def.shape[key];
    const kind = def.shape["kind"];
    const isOther = kind !== undefined && !z.safeParse(kind, valueAt(raw, ["kind"])).success;
    return field === undefined || isOther ? undefined : descriptionAt(field, rest, inner);
  }
  if (def.type === "record") return descriptionAt(def.valueType, rest, inner);
  return def.type === "array" ? descriptionAt(def.element, rest, inner) : undefined;
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      if (issue.expected === "int") return "a whole number";
      return `${/^[aeiou]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`;
    case "invalid_union":
      return issue.message.startsWith("Invalid") ? "one of the allowed forms (docs/model.md)" : issue.message;
    case "too_small":
      return bound(issue, issue.inclusive ? "of at least" : "above", issue.minimum);
    case "too_big":
      return bound(issue, issue.inclusive ? "of at most" : "below", issue.maximum);
    default:
      return issue.message.replace(/^Invalid (input|option): expected /, "");
  }
}

function bound({ origin, message }: { origin: string; message: string }, than: string, end: number | bigint): string {
  if (["number", "int"].includes(origin)) return `a number ${than} ${end}`;
  const [what, one, several] = counted.get(origin) ?? [];
  if (what === undefined) return message.replace(/^Too \w+: expected /, "");
  return `${what} ${than} ${end} ${Number(end) === 1 ? one : several}`;
}

/** What has a length: what it is called, and what one and several of its parts are. */
const counted: ReadonlyMap<string, readonly [string, string, string]> = new Map([
  ["array", ["a list", "entry", "entries"]],
  ["string", ["a text", "character", "characters"]],
]);

/** What raw data has at a path; undefined where the path ends before. */
export function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const key of path) value = (value as Record<string | number, unknown> | null | undefined)?.[key];
  return value;
}

/** Says the place of the deepest part of a path that exists in the text. */
export const locator =
  (file: string, { contents, place }: YamlText): ((path: Path) => string) =>
  path =>
    `${file}:${place(offsetOf(contents, path))}${path.length === 0 ? "" : ` ${path.join(".")}`}`;

/** Where in the text the deepest part of `path` begins. */
function offsetOf(contents: unknown, path: Path): number {
  let node = contents;
  let offset = 0;
  for (const key of path) {
    if (!isCollection(node)) break;
    if (isMap(node)) {
      const pair = (node.items as Pair<ParsedNode, ParsedNode | null>[]).find(
        p => String((p.key as { value?: unknown }).value) === String(key),
      );
      if (pair === undefined) break;
      offset = pair.key.range[0];
      node = pair.value;
    } else {
      node = node.items[Number(key)];
      offset = (node as Node | null | undefined)?.range?.[0] ?? offset;
    }
  }
  return offset;
}
