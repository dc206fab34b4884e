import { type FileKind, fileKinds, type JsonSchema, jsonSchemaOf } from "../spec/json-schema.js";

/** A field of a kind of files: its path (names of one's own as NAME, entries of lists as []), and what it says. */
export interface SpecField {
  readonly path: string;
  /** The types that it may have. */
  readonly types: readonly string[];
  /** Whether it is needed wherever it may be. */
  readonly required: boolean;
  readonly descriptions: readonly string[];
  /** Where a `kind` beside it says which fields there are: those that have this one; empty where all have. */
  readonly kinds: readonly string[];
}

/** Every field of a kind of files, in the order of its schema. */
export function fieldsOf(kind: FileKind): readonly SpecField[] {
  const fields = new Map<string, SpecField>();
  const kindsAt = new Map<string, number>();
  const add = (path: string, schema: JsonSchema, required: boolean, kinds: readonly string[]): void => {
    const known = fields.get(path);
    const union = (a: readonly string[] | undefined, b: readonly string[]): readonly string[] => [
      ...new Set([...(a ?? []), ...b]),
    ];
    fields.set(path, {
      path,
      types: union(known?.types, typesOf(schema)),
      required: (known?.required ?? true) && required,
      descriptions: union(known?.descriptions, schema.description === undefined ? [] : [schema.description]),
      kinds: union(known?.kinds, kinds),
    });
  };
  const visit = (schema: JsonSchema, path: string, kinds: readonly string[]): void => {
    const { properties = {}, required = [], additionalProperties, items } = schema;
    for (const [name, own] of Object.entries(properties)) {
      const inner = path === "" ? name : `${path}.${name}`;
      add(inner, own, required.includes(name), kinds);
      visit(own, inner, []);
    }
    if (typeof additionalProperties === "object")
      visit(additionalProperties, path === "" ? "NAME" : `${path}.NAME`, []);
    if (items !== undefined) visit(items, `${path}[]`, []);
    for (const branch of branchesOf(schema)) {
      const own = branch.properties?.["kind"]?.const;
      if (own !== undefined) kindsAt.set(path, (kindsAt.get(path) ?? 0) + 1);
      visit(branch, path, own === undefined ? [] : [String(own)]);
    }
  };
  visit(jsonSchemaOf(kind), "", []);
  return [...fields.values()].map(field => {
    const all = kindsAt.get(field.path.replace(/\.[^.]*$/, ""));
    return field.kinds.length === all ? { ...field, kinds: [] } : field;
  });
}

const branchesOf = ({ anyOf = [], oneOf = [] }: JsonSchema): readonly JsonSchema[] => [...anyOf, ...oneOf];

function typesOf(schema: JsonSchema): readonly string[] {
  if (schema.const !== undefined) return [String(schema.const)];
  if (schema.enum !== undefined) return schema.enum.map(String);
  const branches = branchesOf(schema);
  if (branches.length > 0) return branches.flatMap(typesOf);
  const { type = "any" } = schema;
  if (typeof type === "object") return type.join() === "number,string" ? ["formula"] : type;
  if (type === "array") return [schema.items === undefined ? "list" : `list of ${inWords(schema.items)}`];
  if (type !== "object") return [typeNames[type] ?? type];
  const { additionalProperties } = schema;
  return [typeof additionalProperties === "object" ? `map of ${inWords(additionalProperties)}` : "map"];
}
const inWords = (schema: JsonSchema): string => [...new Set(typesOf(schema))].join(" or ");
const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  boolean: "true or false",
};

/** The folder of `specs` where files of a kind lie. */
export const folders = {
  architecture: "architectures",
  arithmetic: "arithmetic",
  binding: "bindings",
  design: "designs",
  mapping: "mappings",
  schedule: "schedules",
  technology: "technologies",
  workload: "workloads",
} as const satisfies Readonly<Record<FileKind, string>>;

/** docs/spec-reference.md: a line for each field of every kind of files. */
export function specReference(): string {
  const cell = (text: string): string => text.replaceAll("|", "\\|");
  const parts = fileKinds.map(kind => {
    const rows = fieldsOf(kind).map(({ path, types, required, descriptions, kinds }) => {
      const type = types.every(t => /^[\w-]+$/.test(t)) ? types.join(", ") : types.join(" or ");
      const of = kinds.length === 0 ? "" : ` (${kinds.join(", ")})`;
      return `| \`${path}\` | ${cell(type)} | ${required ? "yes" : ""} | ${cell(descriptions.join(" Or: "))}${of} |`;
    });
    return [
      `## ${kind[0]?.toUpperCase()}${kind.slice(1)}`,
      "",
      `Files in \`specs/${folders[kind]}\`; \`fusemax schema ${kind}\` prints their JSON Schema.`,
      "",
      "| field | type | needed | what it says |",
      "| ----- | ---- | ------ | ------------ |",
      ...rows,
    ].join("\n");
  });
  return `${head}\n${parts.join("\n\n")}\n`;
}

const head = `# Fields of the specs

Written by \`fusemax schema --reference\` from the schemas that check the files; a test holds this page to it. NAME stands for names of your own, \`[]\` for an entry of
a list; in brackets the kinds of level that have a field. A formula is a number, or a text over sizes, parameters and fields of levels ([docs/model.md](model.md#what-a-design-is)).
Cascades are no YAML: [docs/cascades.md](cascades.md).

An editor with a YAML language server completes and checks a file whose first line names its schema, which \`fusemax schema architecture > architecture.schema.json\` writes:

\`\`\`yaml
# yaml-language-server: $schema=./architecture.schema.json
\`\`\`
`;
