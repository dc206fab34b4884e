import { z } from "zod/mini";
import { architectureSchema } from "./architecture.js";
import { arithmeticFields } from "./arithmetic-fields.js";
import { bindingSchema } from "./binding.js";
import { designSchema } from "./design.js";
import { writtenMappingSchema } from "./mapping.js";
import { scheduleSchema } from "./schedule/document.js";
import { technologySchema } from "./technology.js";
import { workloadSchema } from "./workload.js";

/** The kinds of YAML files, each with the schema that checks it. */
export const fileSchemas = {
  architecture: architectureSchema,
  arithmetic: arithmeticFields,
  binding: bindingSchema,
  design: designSchema,
  mapping: writtenMappingSchema,
  schedule: scheduleSchema,
  technology: technologySchema,
  workload: workloadSchema,
} as const satisfies Readonly<Record<string, z.ZodMiniType>>;
export type FileKind = keyof typeof fileSchemas;
export const fileKinds = Object.keys(fileSchemas) as readonly FileKind[];

/** A JSON Schema, as far as those of the specs go (draft 2020-12). */
export interface JsonSchema {
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly (string | number)[];
  readonly const?: string | number;
  readonly default?: unknown;
}

/** The JSON Schema of a kind of files, for editors that complete and check YAML. */
export const jsonSchemaOf = (kind: FileKind): JsonSchema => ({
  title: `fusemax ${kind}`,
  ...(z.toJSONSchema(fileSchemas[kind], { io: "input", unrepresentable: "any" }) as JsonSchema),
});
