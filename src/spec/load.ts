import type { z } from "zod/mini";
import { type Cascade, parseCascade } from "../einsum/cascade.js";
import { namesNear } from "../einsum/source.js";
import { SpecError } from "../errors.js";
import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import { type Architecture, architectureSchema } from "./architecture.js";
import { arithmeticSchema } from "./arithmetic.js";
import { bindingSchema } from "./binding.js";
import { completeMapping } from "./complete-mapping.js";
import { declaredOperations, declaresOperations } from "./declared-operations.js";
import { type Design, type DesignSpec, designSchema } from "./design.js";
import { type Document, readDocument, type SpecText, withSchema } from "./document.js";
import type { CheckFusion } from "./fusion-facts.js";
import { mappingSchema, writtenMappingSchema } from "./mapping.js";
import { mappingAlone } from "./mapping-alone.js";
import { type ScheduleDocument, scheduleSchema } from "./schedule/document.js";
import { type Technology, technologySchema } from "./technology.js";
import { type Workload, workloadSchema } from "./workload.js";

export const specKinds = [
  "arithmetic",
  "architectures",
  "bindings",
  "cascades",
  "designs",
  "mappings",
  "schedules",
  "technologies",
  "workloads",
] as const;
export type SpecKind = (typeof specKinds)[number];

/** Where specs come from: the package's folder, a bundle in a browser, or a test's own texts. */
export interface SpecSource {
  /** The spec of that name, or of that file; undefined when there is none. `from` is the file that names it. */
  read(kind: SpecKind, name: string, from?: string): SpecText | undefined;
  names(kind: SpecKind): readonly string[];
  /** Checks what the Einsums of a design hand over (fusion.ts); left out where the specs have been checked before. */
  readonly checkFusion?: CheckFusion;
}

/** Whether a name is that of a file: for cascades .cascade or .txt, else YAML. All others are names of the package's own. */
export const isFileName = (kind: SpecKind, name: string): boolean =>
  (kind === "cascades" ? /\.(cascade|txt)$/i : /\.ya?ml$/i).test(name);

/** @param from the document that names the spec, or in words who does */
function find<T>(
  source: SpecSource,
  kind: SpecKind,
  name: string,
  schema: z.ZodMiniType<T>,
  from: Document<unknown> | string,
): Document<T> {
  return readOnce(kind, textOf(source, kind, name, from), schema);
}

function textOf(source: SpecSource, kind: SpecKind, name: string, from: Document<unknown> | string): SpecText {
  const text = source.read(kind, name, typeof from === "string" ? undefined : from.file);
  if (text !== undefined) return text;
  const field = kind === "technologies" ? "technology" : kind.replace(/s$/, "");
  throw new SpecError({
    where: typeof from === "string" ? from : from.at([field]),
    got: `"${name}"`,
    expected: `one of ${namesNear(name, source.names(kind), `specs/${kind}`)} or a ${kind === "cascades" ? "cascade's" : "YAML"} file`,
    ...(name === "none" && (kind === "mappings" || kind === "bindings")
      ? { fix: "a design without one is for fusemax map, which finds both: --out writes them" }
      : {}),
  });
}

const documents = new Map<string, { readonly text: string; readonly document: Document<unknown> }>();

/** Designs share architectures and technologies: each text is parsed and checked once. */
function readOnce<T>(kind: SpecKind, source: SpecText, schema: z.ZodMiniType<T>): Document<T> {
  const key = `${kind} ${source.shipped === true} ${source.file}`;
  const known = documents.get(key);
  if (known?.text === source.text) return known.document as Document<T>;
  const document = readDocument(source, schema);
  documents.set(key, { text: source.text, document });
  return document;
}

const cascades = new Map<string, Cascade>();

/** The cascade that a design names. Throws SpecError where there is none of that name, CascadeError in its text. */
function findCascade(source: SpecSource, name: string, from: Document<unknown>): Cascade {
  const { file, text } = textOf(source, "cascades", name, from);
  const known = cascades.get(file);
  if (known?.source.lines.join("\n") === text) return known;
  const cascade = parseCascade(text, file);
  cascades.set(file, cascade);
  return cascade;
}

/** A spec by its name or file, and who names it. */
export interface NamedSpec {
  readonly name: string;
  readonly where: string;
}

/** What stands in the place of parts that a design names. */
export interface ReplacedParts {
  readonly technology?: NamedSpec | undefined;
  readonly arithmetic?: NamedSpec | undefined;
}

/**
 * Reads a design and all that it names, its mapping checked against its cascade and filled in from it. Throws SpecError,
 * at `where` if there is no such design.
 * @example
 * ```ts
 * import { loadDesign, specFiles } from "fusemax/node";
 *
 * const design = loadDesign(specFiles, "fusemax"); // or the path of a .yaml file
 * console.log(design.name, design.spec.data.cascade); // fusemax attention-1-pass
 * ```
 */
export function loadDesign(
  source: SpecSource,
  name: string,
  where = "design",
  { technology, arithmetic }: ReplacedParts = {},
): Design {
  const spec = find(source, "designs", name, designSchema, where);
  const architecture = find(source, "architectures", spec.data.architecture, architectureSchema, spec);
  const written = find(source, "mappings", spec.data.mapping, writtenMappingSchema, spec);
  const cascade = spec.data.cascade === undefined ? undefined : findCascade(source, spec.data.cascade, spec);
  const complete = cascade === undefined ? mappingAlone(written) : completeMapping(written, cascade, architecture);
  const { mapping, placement, facts } = complete;
  source.checkFusion?.(mapping.data, architecture.data, facts, mapping.at);
  return {
    name: spec.data.name,
    label: spec.data.label,
    spec,
    cascade,
    architecture,
    mapping,
    placement,
    declared: declaredOperations(written.data, placement ?? []),
    binding: find(source, "bindings", spec.data.binding, bindingSchema, spec),
    schedule:
      spec.data.schedule === undefined
        ? undefined
        : find(source, "schedules", spec.data.schedule, scheduleSchema, spec),
    technology: findTechnology(source, architecture, technology),
    arithmetic: find(
      source,
      "arithmetic",
      arithmetic?.name ?? spec.data.arithmetic ?? defaultArithmetic,
      arithmeticSchema,
      arithmetic?.where ?? spec,
    ),
    arithmeticBy: arithmetic !== undefined ? "command" : spec.data.arithmetic !== undefined ? "design" : "default",
  };
}

/**
 * What a design says itself: its name, and the names of its parts, which are not looked at. Throws SpecError, at `where` if
 * there is no such design.
 */
export function loadDesignSpec(source: SpecSource, name: string, where = "design"): Document<DesignSpec> {
  return find(source, "designs", name, designSchema, where);
}

/** Of designs that name none. */
export const defaultArithmetic = "bf16";

/** The technology that stands in the place of an architecture's own, or that. */
const findTechnology = (
  source: SpecSource,
  architecture: Document<Architecture>,
  given: NamedSpec | undefined,
): Document<Technology> =>
  find(
    source,
    "technologies",
    given?.name ?? architecture.data.technology,
    technologySchema,
    given?.where ?? architecture,
  );

/**
 * Reads a design's cascade, architecture and technology, for a mapping that is yet to be found: what it names as binding and
 * schedule is not looked at, and need not be there; of its mapping, where it has one, the operations that it declares. Throws
 * SpecError, at `where` if there is no such design.
 */
export function loadUnmapped(
  source: SpecSource,
  name: string,
  where = "design",
  { technology }: Pick<ReplacedParts, "technology"> = {},
): Design {
  const spec = find(source, "designs", name, designSchema, where);
  const architecture = find(source, "architectures", spec.data.architecture, architectureSchema, spec);
  const cascade = spec.data.cascade === undefined ? undefined : findCascade(source, spec.data.cascade, spec);
  const nothing = { name: "none", source: "none" };
  const empty = <T>(data: object, schema: z.ZodMiniType<T>): Document<T> =>
    withSchema(spec, { ...nothing, ...data }, schema);
  return {
    name: spec.data.name,
    label: spec.data.label,
    spec,
    cascade,
    architecture,
    mapping: empty({ tensors: {}, einsums: {} }, mappingSchema),
    placement: undefined,
    declared: cascade === undefined ? [] : declaredIn(source, spec, cascade, architecture),
    binding: empty({ phases: [{ name: "none", latency: 0 }] }, bindingSchema),
    schedule: undefined,
    technology: findTechnology(source, architecture, technology),
    arithmetic: find(source, "arithmetic", spec.data.arithmetic ?? defaultArithmetic, arithmeticSchema, spec),
    arithmeticBy: spec.data.arithmetic !== undefined ? "design" : "default",
  };
}

/** What a design's own mapping declares, if it has one and that declares anything: it is then held to its cascade. Throws SpecError. */
function declaredIn(
  source: SpecSource,
  spec: Document<DesignSpec>,
  cascade: Cascade,
  architecture: Document<Architecture>,
): Design["declared"] {
  const text = source.read("mappings", spec.data.mapping, spec.file);
  const written = text === undefined ? undefined : readOnce("mappings", text, writtenMappingSchema);
  if (written === undefined || !declaresOperations(written.data)) return [];
  return declaredOperations(written.data, completeMapping(written, cascade, architecture).placement ?? []);
}

/**
 * Reads an arithmetic. Throws SpecError, at `where` if there is none of that name.
 * @example
 * ```ts
 * import { loadArithmetic, specFiles } from "fusemax/node";
 *
 * console.log(loadArithmetic(specFiles, "fa4-fp8").operands.p.type.name); // fp8-e4m3
 * ```
 */
export function loadArithmetic(source: SpecSource, name: string, where = "arithmetic"): ArithmeticSpec {
  return find(source, "arithmetic", name, arithmeticSchema, where).data;
}

/**
 * Reads a workload. Throws SpecError, at `where` if there is none of that name.
 * @example
 * ```ts
 * import { loadWorkload, specFiles } from "fusemax/node";
 *
 * const { heads, kvHeads, context } = loadWorkload(specFiles, "llama-3-8b");
 * console.log(heads, kvHeads, context); // 32 8 8192
 * ```
 */
export function loadWorkload(source: SpecSource, name: string, where = "workload"): Workload {
  return find(source, "workloads", name, workloadSchema, where).data;
}

/**
 * Reads a schedule of its own, to be put in the place of a design's. Throws SpecError, at `where` if there is none of
 * that name.
 */
export function loadSchedule(source: SpecSource, name: string, where = "schedule"): Document<ScheduleDocument> {
  return find(source, "schedules", name, scheduleSchema, where);
}
