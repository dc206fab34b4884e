import { SpecError } from "../errors.js";
import type { Architecture, Level } from "../spec/architecture.js";
import type { Design } from "../spec/design.js";
import type { Document, Path } from "../spec/document.js";
import { type Compiled, compileExpression, type Formula, namesIn, parseExpression } from "../spec/expression.js";
import type { Corrections } from "../spec/fields.js";
import type { EinsumMapping, Mapping } from "../spec/mapping.js";
import { type BlockLibrary, blockLibrary } from "./building-blocks.js";
import { type CompiledEinsum, compileEinsum } from "./compile-einsum.js";
import { applyPatches, type Patch } from "./patch.js";
import { workloadSymbols } from "./sizes.js";
import { compileSymbols, type Definition, type Program, scoped } from "./symbols.js";

/** A level with its formulas ready to run. */
export interface CompiledLevel {
  readonly name: string;
  readonly spec: Level;
  /** The fan-outs around it: how many instances there are. */
  readonly around: readonly string[];
  /** The level's numbers by field name. */
  readonly fields: ReadonlyMap<string, Compiled>;
}

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
  readonly program: Program;
  readonly frequencyHz: Compiled;
  readonly wordBytes: number;
  readonly levels: ReadonlyMap<string, CompiledLevel>;
  /** Per array the cycles of each operation it has. */
  readonly arrays: ReadonlyMap<string, ReadonlyMap<string, Compiled>>;
  readonly einsums: readonly { readonly name: string; readonly variants: readonly CompiledEinsum[] }[];
  readonly phases: readonly CompiledPhase[];
  readonly blocks: BlockLibrary;
  /** Where each Einsum's busy cycles go in the table of values. */
  readonly busySlots: ReadonlyMap<string, number>;
  /** The variables that a mapping search's outcome may depend on: not the clock, DRAM, the binding or an operation's cycles. */
  readonly searchVariables: readonly number[];
  /** Outcomes of mapping searches, by all that they depend on. */
  readonly searched: Map<string, { readonly blocks: readonly number[]; readonly tried: number }>;
  /** Tables whose row is searched for: its slot, and the rows to try. */
  readonly tableChoices: readonly {
    readonly slot: number;
    readonly rows: (values: Float64Array) => readonly number[];
  }[];
  /** Where the swept variables stand in the table of values, in order. */
  readonly variableSlots: readonly number[];
  readonly sizeSlots: readonly number[];
}

/** What to change in a design before it is compiled. */
export interface CompileOptions {
  /** Names of corrections: the specs' own `corrections` of those names are applied. */
  readonly corrections?: readonly string[];
  /** Fields to replace, after the corrections. A field set to `@0`, `@1`, … becomes a variable. */
  readonly patches?: readonly Patch[];
  /** How many variables there are. */
  readonly variables?: number;
}

/** Makes a design ready to be evaluated. Throws SpecError at the field that is at fault. */
export function compileDesign(design: Design, options: CompileOptions = {}): CompiledDesign {
  const { variables = 0 } = options;
  const patched = <T extends { readonly corrections?: Corrections | undefined }>(
    kind: string,
    document: Document<T>,
  ): T =>
    applyPatches(
      document.data,
      kind,
      [...correctionsOf(kind, document, options), ...(options.patches ?? [])],
      document.at,
    );
  const architecture = patched("architecture", design.architecture);
  const mapping = patched("mapping", design.mapping);
  const binding = patched("binding", design.binding);
  const technology = applyPatches(design.technology.data, "technology", options.patches ?? [], design.technology.at);

  const definitions = new Map<string, Definition>();
  const define = (name: string, rule: Definition["rule"], at: () => string, scope?: string): void => {
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
  const inArchitecture = (path: Path) => () => design.architecture.at(path);
  const inMapping = (path: Path) => () => design.mapping.at(path);
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
  const program = compileSymbols(inputs, definitions);
  const nowhere = () => "model";

  const levels = compileLevels(architecture, program, inArchitecture);
  const arrays = new Map(
    Object.entries(architecture.arrays).map(([name, { operations }]) => [
      name,
      new Map(
        Object.entries(operations).map(([op, cycles]) => {
          const at = inArchitecture(["arrays", name, "operations", op]);
          if (!(op in technology.operations)) {
            const expected = `one of ${Object.keys(technology.operations).join(", ")}`;
            throw new SpecError({ where: at(), got: `the operation '${op}'`, expected });
          }
          return [op, program.compile(cycles, undefined, at)];
        }),
      ),
    ]),
  );
  const context = { architecture, mapping, program, at: design.mapping.at };
  const einsums = einsumSpecs.map(({ name, variants }) => ({
    name,
    variants: variants.map(({ variant, path, scope }) => compileEinsum(name, variant, path, scope, context)),
  }));
  const busySlots = new Map(einsums.map(({ name }) => [name, program.slotOf(busyName(name), undefined, nowhere)]));
  const phases = binding.phases.map(({ name, latency }, i) =>
    compilePhase(name, latency, busySlots, program, () => design.binding.at(["phases", i, "latency"])),
  );
  checkAllBound(design, einsums, phases);
  return {
    design,
    architecture,
    mapping,
    program,
    frequencyHz: program.compile(architecture.frequencyHz, undefined, inArchitecture(["frequencyHz"])),
    wordBytes: architecture.wordBits / 8,
    levels,
    arrays,
    einsums,
    phases,
    blocks: blockLibrary({ ...design.technology, data: technology }),
    busySlots,
    searchVariables: Array.from({ length: variables }, (_, i) => i).filter(i =>
      (options.patches ?? []).some(({ path, value }) => value === `@${i}` && !timingOnly(path, architecture)),
    ),
    searched: new Map(),
    tableChoices: searchedTables.map(({ name, first, candidates }) => {
      const keys = first.map(key => program.slotOf(key, undefined, nowhere));
      return { slot: program.slotOf(`${name}.row`, undefined, nowhere), rows: values => candidates(values, keys) };
    }),
    variableSlots: Array.from({ length: variables }, (_, i) => program.slotOf(`@${i}`, undefined, nowhere)),
    sizeSlots: workloadSymbols.map(name => program.slotOf(name, undefined, nowhere)),
  };
}

/** What a spec itself says that the asked-for corrections change in it. */
function correctionsOf(
  kind: string,
  { data }: Document<{ readonly corrections?: Corrections | undefined }>,
  { corrections = [] }: CompileOptions,
): readonly Patch[] {
  return corrections.flatMap(name =>
    Object.entries(data.corrections?.[name] ?? {}).map(([path, value]) => ({ path: `${kind}.${path}`, value })),
  );
}

function timingOnly(path: string, { levels }: Architecture): boolean {
  const [kind, section, name = ""] = path.split(".");
  if (kind === "binding" || section === "frequencyHz" || section === "arrays") return true;
  return section === "levels" && levels[name]?.kind === "dram";
}

const busyName = (einsum: string): string => `#${einsum}`;

function numericFields(level: Level): [string, Formula][] {
  return Object.entries(level).flatMap(([field, value]): [string, Formula][] => {
    if (["kind", "within", "sameAs"].includes(field) || value === undefined) return [];
    if (typeof value !== "object") return [[field, value as Formula]];
    return Object.entries(value as Record<string, Formula>).map(([part, formula]) => [`${field}.${part}`, formula]);
  });
}

type Define = (name: string, rule: Definition["rule"], at: () => string, scope?: string) => void;

function defineTable(
  name: string,
  table: NonNullable<Mapping["tables"]>[string],
  define: Define,
  inMapping: (path: Path) => () => string,
): DeclaredTable {
  const at = inMapping(["tables", name]);
  const keys = table.by.map(key => table.columns.indexOf(key));
  const narrow = table.rows.findIndex(row => row.length !== table.columns.length);
  if (narrow >= 0 || keys.includes(-1) || table.rows.length === 0) {
    throw new SpecError({
      where: inMapping(narrow >= 0 ? ["tables", name, "rows", narrow] : ["tables", name])(),
      got: narrow >= 0 ? `a row of ${table.rows[narrow]?.length} cells` : "a table without rows or keys",
      expected: `rows of the ${table.columns.length} columns, keyed by some of them`,
    });
  }
  // The largest key that is not above the workload's, first key first; the smallest where all are above.
  const matching = (wanted: readonly number[]): readonly number[] => {
    let rows = table.rows.map((_, i) => i);
    wanted.forEach((value, k) => {
      const column = keys[k] as number;
      const cell = (i: number): number => table.rows[i]?.[column] as number;
      const below = rows.map(cell).filter(key => key <= value);
      const best = below.length > 0 ? Math.max(...below) : Math.min(...rows.map(cell));
      rows = rows.filter(i => cell(i) === best);
    });
    return rows;
  };
  const read = (values: Float64Array, slots: readonly number[]): number[] => slots.map(slot => values[slot] as number);
  if (table.search !== 1) {
    const compute = (values: Float64Array, slots: readonly number[]): number =>
      matching(read(values, slots))[0] as number;
    define(`${name}.row`, { reads: table.by, compute }, at);
  }
  table.columns.forEach((column, c) => {
    const compute = (values: Float64Array, slots: readonly number[]): number =>
      table.rows[values[slots[0] as number] as number]?.[c] as number;
    define(`${name}.${column}`, { reads: [`${name}.row`], compute }, at);
  });
  const first = table.by.slice(0, 1);
  return { name, first, candidates: (values, slots) => matching(read(values, slots)) };
}

/** A table as it is declared: which rows a search may choose from, by its first key. */
interface DeclaredTable {
  readonly name: string;
  readonly first: readonly string[];
  readonly candidates: (values: Float64Array, slots: readonly number[]) => readonly number[];
}

function definePartitions(
  partitions: Readonly<Record<string, Readonly<Record<string, Formula>>>>,
  define: Define,
  at: (path: Path) => () => string,
  scope?: string,
): void {
  for (const [rank, parts] of Object.entries(partitions)) {
    const bounds = Object.entries(parts);
    bounds.forEach(([part, formula], i) => {
      if (formula !== "rest") {
        define(part, formula, at([rank, part]), scope);
        return;
      }
      if (i > 0) {
        const mend = "write the parts outermost first";
        throw new SpecError({
          where: at([rank, part])(),
          got: "rest",
          expected: "rest only for the outermost part",
          mend,
        });
      }
      const inner = bounds.slice(1).map(([name]) => name);
      const compute = (values: Float64Array, [size, ...parts]: readonly number[]): number =>
        Math.ceil((values[size as number] as number) / parts.reduce((p, s) => p * Math.max(1, values[s] as number), 1));
      define(part, { reads: [rank, ...inner], compute }, at([rank, part]), scope);
    });
  }
}

function compileLevels(
  architecture: Architecture,
  program: Program,
  at: (path: Path) => () => string,
): ReadonlyMap<string, CompiledLevel> {
  const compiled = new Map<string, CompiledLevel>();
  for (const [name, spec] of Object.entries(architecture.levels)) {
    const around: string[] = [];
    const seen = [name];
    for (let level: Level = spec; level.kind !== "dram"; ) {
      const parent: string = level.within;
      const next = architecture.levels[parent];
      const where = at(["levels", seen.at(-1) as string, "within"]);
      if (next === undefined) {
        const expected = `one of the levels ${Object.keys(architecture.levels).join(", ")}`;
        throw new SpecError({ where: where(), got: `the unknown level '${parent}'`, expected });
      }
      if (seen.includes(parent)) {
        const got = `a circle of levels: ${[...seen, parent].join(" within ")}`;
        throw new SpecError({ where: where(), got, expected: "levels that end at DRAM" });
      }
      seen.push(parent);
      if (next.kind === "fanout") around.push(parent);
      level = next;
    }
    const fields = new Map(
      numericFields(spec).map(([field, formula]) => [
        field,
        program.compile(formula, undefined, at(["levels", name, ...field.split(".")])),
      ]),
    );
    compiled.set(name, { name, spec, around, fields });
  }
  return compiled;
}

function compilePhase(
  name: string,
  latency: Formula,
  busySlots: ReadonlyMap<string, number>,
  program: Program,
  at: () => string,
): CompiledPhase {
  const expression = parseExpression(latency, at);
  const einsums = namesIn(expression).filter(word => busySlots.has(word));
  const cycles = compileExpression(expression, word => busySlots.get(word) ?? program.slotOf(word, undefined, at));
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
    mend: `put ${unbound.name} into a phase's latency`,
  });
}
