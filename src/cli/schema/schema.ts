import { UsageError } from "../../errors.js";
import { jsonText } from "../../report/finite.js";
import { specReference } from "../../report/spec-reference.js";
import { type FileKind, fileKinds, jsonSchemaOf } from "../../spec/json-schema.js";

export interface SchemaOptions {
  readonly reference?: boolean;
}

/** Prints what the fields of spec files are. @throws UsageError for a kind that there is not */
export function runSchema(kind: string | undefined, { reference }: SchemaOptions): void {
  if (kind !== undefined && !isKind(kind)) {
    throw new UsageError({ where: "schema", got: `"${kind}"`, expected: `one of ${fileKinds.join(", ")}` });
  }
  if (reference === true) {
    if (kind === undefined) process.stdout.write(specReference());
    else throw new UsageError({ where: "--reference", got: kind, expected: "no kind: the page has all of them" });
    return;
  }
  const schemas =
    kind === undefined ? Object.fromEntries(fileKinds.map(k => [k, jsonSchemaOf(k)])) : jsonSchemaOf(kind);
  process.stdout.write(jsonText(schemas));
}

const isKind = (kind: string): kind is FileKind => (fileKinds as readonly string[]).includes(kind);
