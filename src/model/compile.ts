import { namesNear } from "../einsum/source.js";
import { SpecError } from "../errors.js";
import type { Architecture } from "../spec/architecture.js";
import type { Design } from "../spec/design.js";
import { type Document, type Path, valueAt } from "../spec/document.js";
import { type ElementRole, elementBits, elementRoles } from "../spec/element-bits.js";
import { type Compiled, compileExpression, type Formula, namesIn, parseExpression } from "../spec/expression.js";
import type { Corrections } from "../spec/fields.js";
import type { EinsumMapping, Mapping } from "../spec/mapping.js";
import type { Technology } from "../spec/technology.js";
import { withOperations } from "./arithmetic-operations.js";
import { type BlockLibrary, blockLibrary } from "./building-blocks.js";
import { type CompiledEinsum, compileEinsum } from "./compile-einsum.js";
import { type CompiledLevel, checkEnds, checkReached, compileLevels, numericFields } from "./compile-levels.js";
import { type Define, definePartitions, defineTable } from "./declare.js";
import type { FieldReads, Place } from "./field-reads.js";
import { maskRoles } from "./mask-ranks.js";
import { applyPatches, fieldsByName, type Patch } from "./patch.js";
import { workloadSymbols } from "./sizes.js";
import { compileSymbols, type Definition, type Program, scoped } from "./symbols.js";
import { type Words, wordsOf } from "./words.js";

export interface CompiledPhase {
  readonly name: string;
  readonly einsums: readonly string[];
  /** Cycles of computation, over a table whose `#QK` slots hold each Einsum's busy cycles. */
  readonly cycles: Compiled;
}

/** A design turned into closures over one table of values, to be run for many sizes. */
export interface CompiledDesign {
  readonly design: Design;
  readonly architecture: Architecture;
  readonly mapping: Mapping;
  readonly technology: Technology;
  readonly program: Program;
  readonly frequencyHz: Compiled;
  /** Of the architecture's own words: of a buffer's rows, and of tensors where no arithmetic is charged. */
  readonly wordBytes: number;
  readonly words: Words;
  /** Bits of an element of each kind of tensor; undefined where no arithmetic is charged. */
  readonly elementBits: ((values: Float64Array) => Readonly<Record<ElementRole, number>>) | undefined;
  readonly levels: ReadonlyMap<string, CompiledLevel>;
  /** Per array the cycles of each operation it has. */
  readonly arrays: ReadonlyMap<string, ReadonlyMap<string, Compiled>>;
  /** Per array the unit (`array.unit`) of each operation that one does beside the rest of a PE. */
  readonly units: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Per array, where its architecture says it, the power of one PE in watts, whatever it does. */
  readonly arrayWatts: ReadonlyMap<string, Compiled>;
  readonly einsums: readonly { readonly name: string; readonly variants: readonly CompiledEinsum[] }[];
  readonly phases: readonly CompiledPhase[];
  readonly blocks: BlockLibrary;
  /** The names of the places that tensors take in a buffer: tensors that are in another's place share one. */
  readonly seats: readonly string[];
  /** Where each Einsum's busy cycles go in the table of values. */
  readonly busySlots: ReadonlyMap<string, number>;
  /** Tables whose row is searched for: its slot, and the rows to try. */
  readonly tableChoices: readonly {
    readonly slot: number;
    readonly rows: (values: Float64Array) => readonly number[];
  }[];
  /** Where the swept variables are in the table of values, in order. */
  readonly variableSlots: readonly number[];
  readonly sizeSlots: readonly number[];
  readonly reads: FieldReads | undefined;
  /** Compiles one more Einsum over the same table of values. Throws SpecError as `compileDesign` does. */
  readonly compileMore: (name: string, spec: EinsumMapping) => CompiledEinsum;
  /** Where a field of the architecture is, or who set it. */
  readonly inArchitecture: (path: Path) => Place;
}

/** What to change in a design before it is compiled. */
export interface CompileOptions {
  /** Names of corrections: the specs' own `corrections` of those names are applied. */
  readonly corrections?: readonly string[];
  /** Fields to replace, after the corrections. A field set to `@0`, `@1`, … becomes a variable. */
  readonly patches?: readonly Patch[];
  /** How many variables there are. */
  readonly variables?: number;
  /** Records which fields of the specs the evaluations of this design read. */
  readonly reads?: FieldReads | undefined;
}

/**
 * Makes a design ready to be evaluated. Throws SpecError at the field that is at fault.
 * @example
 * ```ts
 * import { compileDesign, loadDesign, specFiles } from "fusemax/node";
 *
 * const design = compileDesign(loadDesign(specFiles, "flat"));
 * console.log(design.einsums.length); // 6
 * ```
 */
export function compileDesign(design: Design, options: CompileOptions = {}): CompiledDesign {
  const { variables = 0, reads } = options;
  const realField = fieldsByName(design.mapping.data.aliases ?? {});
  reads?.named(realField);
  const patches = (options.patches ?? []).map(patch => ({ ...patch, path: realField(patch.path) }));
  if (design.cascade !== undefined) refuseDerived(patches);
  const patched = <T>(kind: string, document: Document<T>, corrections: readonly Patch[] = []): T => {
    const data = applyPatches(document, kind, [...corrections, ...patches]);
    return reads === undefined ? data : reads.watch(data, kind);
  };
  const architecture = patched(
    "architecture",
    design.architecture,
    correctionsOf("architecture", design.architecture, options),
  );
  const written = patched("mapping", design.mapping, correctionsOf("mapping", design.mapping, options));
  const binding = patched("binding", design.binding, correctionsOf("binding", design.binding, options));
  const technology = patched("technology", design.technology);
  const words = wordsOf(design, { architecture, technology }, options);
  const mapping = withOperations(written, words.operations);

  const definitions = new Map<string, Definition>();
  const define: Define = (name, rule, at, scope) => {
    const key = scope === undefined ? name : scoped(scope, name);
    if (workloadSymbols.includes(name) && scope === undefined) {
      throw new SpecError({
        where: at(),
        got: `the symbol '${name}'`,
        expected: "a name that the workload does not give",
      });
    }
    definitions.set(key, { at, scope, rule });
  };
  const placesIn =
    (kind: "architecture" | "mapping" | "binding" | "technology") =>
    (path: Path): Place => {
      const field = [kind, ...path].join(".");
      const setter = patches.find(patch => patch.path === field)?.where;
      return Object.assign(() => setter ?? design[kind].at(path), { field });
    };
  const [inArchitecture, inMapping, inBinding] = [placesIn("architecture"), placesIn("mapping"), placesIn("binding")];
  for (const [name, formula] of Object.entries(architecture.parameters)) {
    define(name, formula, inArchitecture(["parameters", name]));
  }
  for (const [name, level] of Object.entries(architecture.levels)) {
    for (const [field, formula] of numericFields(level)) {
      define(`${name}.${field}`, formula, inArchitecture(["levels", name, ...field.split(".")]));
    }
  }
  for (const [name, formula] of Object.entries(mapping.symbols ?? {}))
    define(name, formula, inMapping(["symbols", name]));
  const tables = Object.entries(mapping.tables ?? {}).map(([name, table]) => ({
    ...defineTable(name, table, define, inMapping),
    searched: table.search === 1,
  }));
  definePartitions(mapping.partitions ?? {}, define, path => inMapping(["partitions", ...path]));

  const inWords = (): string => design.mapping.at(["tensors"]);
  define("expMacs", words.exponentialMacs, inWords);
  for (const tensor of Object.keys(mapping.tensors)) {
    if (/^\w+$/.test(tensor)) define(`${tensor}.wordBytes`, `(${words.bits(tensor)}) / 8`, inWords);
  }

  const inputs = [...workloadSymbols, ...Array.from({ length: variables }, (_, i) => `@${i}`)];
  const einsumSpecs = Object.entries(mapping.einsums).map(([name, spec]) => {
    const list: readonly EinsumMapping[] = "variants" in spec ? spec.variants : [spec];
    return {
      name,
      variants: list.map((variant, i) => {
        const path: Path = "variants" in spec ? ["einsums", name, "variants", i] : ["einsums", name];
        const scope = list.length === 1 ? name : `${name}[${i}]`;
        for (const [symbol, formula] of Object.entries(variant.symbols ?? {})) {
          define(symbol, formula, inMapping([...path, "symbols", symbol]), scope);
        }
        definePartitions(variant.partitions ?? {}, define, p => inMapping([...path, "partitions", ...p]), scope);
        for (const symbol of Object.keys(variant.choose ?? {})) inputs.push(scoped(scope, symbol));
        return { variant, path, scope };
      }),
    };
  });
  const searchedTables = tables.filter(({ searched }) => searched);
  inputs.push(...searchedTables.map(({ name }) => `${name}.row`));
  inputs.push(...einsumSpecs.map(({ name }) => busyName(name)));
  const program = compileSymbols(inputs, definitions, reads);
  const nowhere = () => "model";

  checkEnds(architecture, inArchitecture);
  const levels = compileLevels(architecture, program, inArchitecture);
  checkReached(architecture, levels, inArchitecture);
  const arrays = new Map(
    Object.entries(architecture.arrays).map(([name, { operations }]) => [
      name,
      new Map(
        Object.entries(operations).map(([op, cycles]) => {
          const at = inArchitecture(["arrays", name, "operations", op]);
          if (!(op in technology.operations) && technology.lacks.length === 0) {
            const expected = `one of ${namesNear(op, Object.keys(technology.operations), technology.name)}`;
            throw new SpecError({ where: at(), got: `the operation '${op}'`, expected });
          }
          return [op, program.compile(cycles, undefined, at)];
        }),
      ),
    ]),
  );
  const seats = new Map<string, number>();
  const roleOf = maskRoles(program, inputs.map(program.inputSlot));
  const context = {
    architecture,
    mapping,
    program,
    roleOf,
    levels,
    seats,
    ranks: new Map(),
    bits: words.bits,
    at: design.mapping.at,
    place: inMapping,
  };
  const einsums = einsumSpecs.map(({ name, variants }) => ({
    name,
    variants: variants.map(({ variant, path, scope }) => compileEinsum(name, variant, path, scope, context)),
  }));
  const busySlots = new Map(einsums.map(({ name }) => [name, program.inputSlot(busyName(name))]));
  const phases = binding.phases.map(({ name, latency }, i) =>
    compilePhase(
      name,
      latency,
      { busySlots, aliases: mapping.aliases ?? {} },
      program,
      inBinding(["phases", i, "latency"]),
    ),
  );
  checkAllBound(design, einsums, phases);
  return {
    design,
    architecture,
    mapping,
    technology,
    program,
    frequencyHz: program.compile(architecture.frequencyHz, undefined, inArchitecture(["frequencyHz"])),
    wordBytes: architecture.wordBits / 8,
    words,
    elementBits: compileElementBits(words, program, inWords),
    levels,
    arrays,
    units: unitsOf(architecture, inArchitecture),
    arrayWatts: new Map(
      Object.entries(architecture.arrays).flatMap(([name, { staticWatts }]) =>
        staticWatts === undefined
          ? []
          : [[name, program.compile(staticWatts, undefined, inArchitecture(["arrays", name, "staticWatts"]))] as const],
      ),
    ),
    einsums,
    phases,
    blocks: blockLibrary({ data: technology, at: path => placesIn("technology")(path)() }),
    seats: [...seats.keys()],
    busySlots,
    tableChoices: searchedTables.map(({ name, first, candidates }) => {
      const keys = first.map(key => program.slotOf(key, undefined, nowhere));
      return { slot: program.slotOf(`${name}.row`, undefined, nowhere), rows: values => candidates(values, keys) };
    }),
    variableSlots: Array.from({ length: variables }, (_, i) => program.inputSlot(`@${i}`)),
    sizeSlots: workloadSymbols.map(name => program.inputSlot(name)),
    reads,
    compileMore: (name, spec) => compileEinsum(name, spec, ["einsums", name], name, context),
    inArchitecture,
  };
}

/** Checks that each operation of a unit is one of its array's, in one unit. Throws SpecError. */
function unitsOf({ arrays }: Architecture, at: (path: Path) => Place): CompiledDesign["units"] {
  const byArray = Object.entries(arrays).flatMap(([array, { units, operations }]) => {
    if (units === undefined) return [];
    const unitOf = new Map<string, string>();
    for (const [unit, done] of Object.entries(units)) {
      for (const [i, operation] of done.entries()) {
        const where = at(["arrays", array, "units", unit, i])();
        if (!Object.hasOwn(operations, operation)) {
          const expected = `one of its operations ${Object.keys(operations).join(", ")}`;
          throw new SpecError({ where, got: `the operation '${operation}'`, expected });
        }
        const other = unitOf.get(operation);
        if (other !== undefined) {
          throw new SpecError({ where, got: `${operation} in ${other} too`, expected: "each operation in one unit" });
        }
        unitOf.set(operation, `${array}.${unit}`);
      }
    }
    return [[array, unitOf] as const];
  });
  return new Map(byArray);
}

function compileElementBits({ arithmetic }: Words, program: Program, at: () => string): CompiledDesign["elementBits"] {
  if (arithmetic === undefined) return undefined;
  const bits = elementRoles.map(role => [role, program.compile(elementBits(arithmetic, role), undefined, at)] as const);
  return values =>
    Object.fromEntries(bits.map(([role, of]) => [role, of(values)])) as Readonly<Record<ElementRole, number>>;
}

/** What a design's cascade says cannot be set beside it. Throws SpecError. */
function refuseDerived(patches: readonly Patch[]): void {
  const derived = /^mapping\.(tensors|inPlace)\.|^mapping\.einsums\..*\.(inputs|output)(\.|$)/;
  const patch = patches.find(({ path, where }) => where !== undefined && derived.test(path));
  if (patch === undefined) return;
  throw new SpecError({
    where: patch.where ?? patch.path,
    got: "a field that the design's cascade gives",
    expected: "one of the mapping's own",
    fix: "a design with another cascade has others",
  });
}

/** What a spec itself says that the asked-for corrections change in it, but for fields that no longer have the value at fault. */
function correctionsOf(
  kind: string,
  { data, at }: Document<{ readonly corrections?: Corrections | undefined }>,
  { corrections = [] }: CompileOptions,
): readonly Patch[] {
  return corrections.flatMap(name =>
    Object.entries(data.corrections?.[name] ?? {}).flatMap(([path, change]): readonly Patch[] => {
      const patch = { path: `${kind}.${path}`, where: at(["corrections", name, path]) };
      if (typeof change !== "object" || !("from" in change)) return [{ ...patch, value: change }];
      return isWritten(data, path, change.from) ? [{ ...patch, value: change.to }] : [];
    }),
  );
}

/** Whether a field is absent, which a patch reports, or has a formula, spaces aside. */
function isWritten(data: unknown, path: string, formula: Formula): boolean {
  const found = valueAt(data, path.split("."));
  const written = (value: unknown): string => String(value).replaceAll(" ", "");
  return found === undefined || written(found) === written(formula);
}

const busyName = (einsum: string): string => `#${einsum}`;

function compilePhase(
  name: string,
  latency: Formula,
  { busySlots, aliases }: Pick<CompiledDesign, "busySlots"> & { readonly aliases: Readonly<Record<string, string>> },
  program: Program,
  at: () => string,
): CompiledPhase {
  const expression = parseExpression(latency, at);
  const real = (word: string): string => aliases[word] ?? word;
  const einsums = namesIn(expression)
    .map(real)
    .filter(word => busySlots.has(word));
  const cycles = compileExpression(
    expression,
    word => busySlots.get(real(word)) ?? program.slotOf(word, undefined, at, [...busySlots.keys()]),
  );
  return { name, einsums, cycles };
}

/** An Einsum that no phase runs would cost nothing. */
function checkAllBound(
  design: Design,
  einsums: readonly { readonly name: string }[],
  phases: readonly CompiledPhase[],
): void {
  const unbound = einsums.find(({ name }) => !phases.some(phase => phase.einsums.includes(name)));
  if (unbound === undefined) return;
  throw new SpecError({
    where: design.binding.at(["phases"]),
    got: `no phase that runs ${unbound.name}`,
    expected: `every Einsum of the mapping ${design.mapping.data.name}`,
    fix: `put ${unbound.name} into a phase's latency`,
  });
}
