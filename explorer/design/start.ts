import { parseDocument } from "yaml";
import { loadDesignSpec, type SpecKind } from "../../src/spec/load.js";
import { bundledSpecs } from "../specs.js";
import { type OwnDesign, ownDesign, rootFile } from "./own.js";

/** The parts of a design that are files of their own here: the design's field, what it names, its file. */
export const parts = [
  { field: "architecture", kind: "architectures", file: "architecture.yaml" },
  { field: "mapping", kind: "mappings", file: "mapping.yaml" },
  { field: "binding", kind: "bindings", file: "binding.yaml" },
  { field: "schedule", kind: "schedules", file: "schedule.yaml" },
  { field: "arithmetic", kind: "arithmetic", file: "arithmetic.yaml" },
  { field: "cascade", kind: "cascades", file: "einsums.cascade" },
] as const satisfies readonly { readonly field: string; readonly kind: SpecKind; readonly file: string }[];
export type Part = (typeof parts)[number];

/** The text of a shipped spec. */
export type TextOf = (kind: SpecKind, name: string) => string;

/** A copy of a shipped design: its own file and a file for each part that it names. It costs what the shipped one costs. */
export function copyOf(base: string, textOf: TextOf): OwnDesign {
  const { data } = loadDesignSpec(bundledSpecs, base);
  const named = parts.flatMap(part => {
    const name = data[part.field];
    return name === undefined ? [] : [{ ...part, name }];
  });
  const fields = Object.fromEntries(named.map(({ field, file }) => [field, file]));
  const design = withFields(textOf("designs", base), {
    ...{ name: `my-${data.name}`, label: `My ${data.label}` },
    ...fields,
  });
  const files = named.map(({ kind, name, file }) => [file, textOf(kind, name)] as const);
  return ownDesign(base, { [rootFile]: design, ...Object.fromEntries(files) });
}

/** A YAML text with some of its fields set, all else as it was written. */
function withFields(text: string, fields: Readonly<Record<string, string>>): string {
  const document = parseDocument(text);
  for (const [field, value] of Object.entries(fields)) document.set(field, value);
  return document.toString({ lineWidth: 0 });
}

/** The design with a part that it names none of yet: a copy of a shipped one to begin with. */
export function withPart({ base, files }: OwnDesign, part: Part, textOf: TextOf): OwnDesign {
  const text = files[rootFile] ?? "";
  const line = `${part.field}: ${part.file}`;
  const named = new RegExp(`^${part.field}:.*$`, "m");
  const design = named.test(text) ? text.replace(named, line) : `${text.replace(/\n*$/, "\n")}${line}\n`;
  return ownDesign(base, { ...files, [rootFile]: design, [part.file]: textOf(part.kind, usualPart[part.field]) });
}

/** What a part begins with where the design has none. */
const usualPart: Readonly<Record<Part["field"], string>> = {
  architecture: "fusemax",
  mapping: "fusemax",
  binding: "fusemax",
  schedule: "fusemax",
  arithmetic: "bf16",
  cascade: "attention-1-pass",
};

/** The design with another text of one of its files. */
export const withText = ({ base, files }: OwnDesign, file: string, text: string): OwnDesign =>
  ownDesign(base, { ...files, [file]: text });
