import type { Cascade } from "../../einsum/cascade.js";
import { bindingSchema } from "../../spec/binding.js";
import { completeMapping } from "../../spec/complete-mapping.js";
import type { Design } from "../../spec/design.js";
import { type Document, type Path, withSchema } from "../../spec/document.js";
import { type WrittenMapping, writtenMappingSchema } from "../../spec/mapping.js";
import { needsNoPlace } from "../../spec/placement.js";
import type { Accounting } from "../accounting.js";
import type { AttentionPoint } from "../attention-point.js";
import { checkNumbers } from "../check-machine.js";
import { compileDesign } from "../compile.js";
import type { Patch } from "../patch.js";
import { symbolValues } from "../sizes.js";
import { type MapEntry, operationsOf } from "./entry.js";
import type { Machine } from "./machine.js";
import { batchOf, ranksOf } from "./ranks.js";

const nowhere = (path: Path): string => `mapping ${path.join(".")}`;

/** A document that is in no file. */
const asDocument = <T>(raw: unknown, schema: Parameters<typeof withSchema<T>>[2]): Document<T> =>
  withSchema({ file: "mapper", data: undefined, at: nowhere, shipped: false, raw, read: () => undefined }, raw, schema);

/** What is laid: a design's cascade over its machine, at the sizes of a point. */
interface BaseTask {
  readonly design: Design;
  readonly cascade: Cascade;
  readonly entries: readonly MapEntry[];
  readonly machine: Machine;
  readonly point: AttentionPoint;
  readonly accounting: Accounting;
  readonly patches: readonly Patch[];
}

/** A cascade laid over a machine in the plainest way, compiled: every loop at DRAM, sizes of parts as variables. */
export function baseOf(task: BaseTask) {
  const plain = layBase(task, 1);
  const sizes = task.machine.arrays.flatMap(({ fanouts }) => fanouts.map(level => plain.sizeOf(level)));
  // Where fan-outs are of several sizes, what fills one is a part of what fills another.
  return new Set(sizes.filter(size => size > 1)).size > 1 ? layBase(task, 2) : plain;
}

function layBase({ design, cascade, entries, machine, point, accounting, patches }: BaseTask, tileParts: 1 | 2) {
  const own = ranksOf(cascade, design, point, tileParts);
  const { symbols, batch, batchRanks } = batchOf(cascade, point, own, machine.shared !== undefined);
  const ranks = [...batchRanks.filter(r => r.size > 1), ...own];
  const partitions = Object.fromEntries(
    ranks.map(({ whole, outer, middle, tile }, r) => {
      const slot = r * (1 + tileParts);
      const within = tile.map((part, k) => [part, `@${slot + 1 + k}`]);
      return [whole, { [outer]: "rest", [middle]: `@${slot}`, ...Object.fromEntries(within) }];
    }),
  );
  const partsOf = (variable: string): readonly string[] => {
    const leaf = cascade.ranks.ofVariable(variable).name;
    const rank = own.find(r => r.name === leaf) ?? own.find(r => r.rank?.parts.includes(leaf));
    if (rank === undefined) return [leaf];
    if (rank.name === leaf) return [rank.outer, rank.middle, ...rank.tile];
    return leaf === rank.tile.at(-1) ? rank.tile : [rank.outer, rank.middle];
  };
  const inPlace = inPlaceOf(cascade);
  const common = { name: "mapper", source: "mapper", symbols, batch, inPlace, partitions };
  const base = asDocument({ ...common, einsums: {} }, writtenMappingSchema);
  const complete = completeOnce(base, { design, cascade, entries, machine }, partsOf);
  const binding = asDocument(
    {
      name: "mapper",
      source: "mapper",
      phases: [{ name: "all", latency: entries.map(({ name }) => name).join(" + ") }],
    },
    bindingSchema,
  );
  const { mapping, placement } = complete;
  const compiled = compileDesign(
    { ...design, technology: weighed(design.technology), mapping, placement, binding, schedule: undefined },
    { corrections: accounting.corrections, patches, variables: ranks.length * (1 + tileParts) },
  );
  const values = new Float64Array(compiled.program.size);
  symbolValues(point.sizes).forEach((value, i) => {
    values[compiled.sizeSlots[i] as number] = value;
  });
  for (const slot of compiled.variableSlots) values[slot] = 1;
  compiled.program.run(values);
  checkNumbers(compiled, values);
  const sizeOf = (level: string): number => compiled.levels.get(level)?.fields.get("size")?.(values) ?? 1;
  return { ranks, written: { symbols, batch }, inPlace, partsOf, complete, compiled, values, sizeOf, tileParts };
}

/** Where a technology gives no energies, the bytes that pass DRAM stand for them, one picojoule each: of two mappings as fast the one that moves less. */
const weighed = (technology: Design["technology"]): Design["technology"] => {
  const { data } = technology;
  if (data.lacks.length === 0) return technology;
  const table = data.sram.table.map(([width = 1, depth = 1]) => [width, depth, 0, 0, 0]);
  const free = { operations: {}, registerFile: { readPj: 0, writePj: 0, areaUm2: 0 }, sram: { ...data.sram, table } };
  return { ...technology, data: { ...data, ...free, dram: { energyPj: 1, bits: 8 } } };
};

export function loopsOf(entry: unknown): readonly string[] {
  const { loops } = entry as { readonly loops: Readonly<Record<string, readonly string[]>> };
  return Object.values(loops).flat();
}

/** The base mapping filled in from the cascade, each Einsum on an array that can do it, with its batch and everything kept at DRAM. */
function completeOnce(
  base: Document<WrittenMapping>,
  { design, cascade, entries, machine: { dram } }: Pick<BaseTask, "design" | "cascade" | "entries" | "machine">,
  partsOf: (variable: string) => readonly string[],
) {
  const { architecture } = design;
  const { arrays } = architecture.data;
  const batchOfTensor = batchOfEinsums(base, cascade);
  const laid = (entry: MapEntry, keep: readonly string[]): object => {
    const { einsum, part } = entry;
    const found = Object.keys(arrays).flatMap(array => {
      const own = operationsOf(entry, array, arrays);
      return own === undefined ? [] : [{ array, ...own }];
    });
    const [able] = found;
    const parts = [...new Set([...einsum.free, ...einsum.reduced].flatMap(partsOf))];
    return {
      array: able?.array ?? "",
      ...(part === undefined ? {} : { of: einsum.tensor }),
      ...(part === undefined && able?.source === undefined
        ? {}
        : { operations: able?.operations, source: able?.source }),
      loops: { [dram]: [...(batchOfTensor.get(einsum.tensor) ?? []), ...parts] },
      keep: { [dram]: keep },
    };
  };
  const complete = (keepOf: (entry: MapEntry) => readonly string[]) => {
    const einsums = Object.fromEntries(entries.map(entry => [entry.name, laid(entry, keepOf(entry))]));
    const raw = { ...(base.raw as object), einsums };
    return completeMapping(withSchema(base, raw, writtenMappingSchema), cascade, architecture);
  };
  const first = complete(({ einsum }) => [...new Set([einsum.tensor, ...einsum.reads.map(({ tensor }) => tensor)])]);
  // What is carried has a name of its own: it is kept once its Einsums are placed.
  return complete(({ name, einsum }) => {
    const placed = first.placement?.find(own => own.name === name);
    return [...new Set([einsum.tensor, ...(placed?.reads ?? []).map(read => read.name)])];
  });
}

/** The ranks of the batch of each Einsum: those of the inputs that it is made of. */
function batchOfEinsums({ data }: Document<WrittenMapping>, cascade: Cascade): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>(Object.entries(data.batch ?? {}));
  const order = [...new Set([...found.values()].flat())];
  for (let changed = true; changed; ) {
    changed = false;
    for (const { tensor, reads } of cascade.einsums) {
      const all = new Set([tensor, ...reads.map(read => read.tensor)].flatMap(name => found.get(name) ?? []));
      if (all.size === (found.get(tensor)?.length ?? 0)) continue;
      found.set(
        tensor,
        order.filter(rank => all.has(rank)),
      );
      changed = true;
    }
  }
  // A rank of the batch that is cut is looped over by its parts.
  const cut = data.partitions ?? {};
  return new Map(
    [...found].map(([name, ranks]) => [name, ranks.flatMap(r => (cut[r] === undefined ? [r] : Object.keys(cut[r])))]),
  );
}

/** What each Einsum may write over: what it reads element by element, where no later Einsum reads that. */
function inPlaceOf(cascade: Cascade): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const inputs = new Set(cascade.inputs);
  cascade.einsums.forEach((einsum, i) => {
    if (needsNoPlace(einsum) || einsum.iteration !== null || einsum.reduced.length > 0) return;
    const own = einsum.indices.map(({ terms }) => terms.map(({ variable }) => variable).join("+")).sort();
    const read = einsum.reads.find(({ tensor, indices }) => {
      const variables = indices.map(({ terms }) => terms.map(({ variable }) => variable).join("+")).sort();
      const written = cascade.tensors.get(tensor);
      const isLater = cascade.einsums.some((other, j) => j > i && other.reads.some(r => r.tensor === tensor));
      const isPlain = !inputs.has(tensor) && written?.iterative === null && !cascade.outputs.includes(tensor);
      return isPlain && !isLater && variables.join() === own.join() && !Object.values(found).includes(tensor);
    });
    if (read !== undefined) found[einsum.tensor] = found[read.tensor] ?? read.tensor;
  });
  return found;
}
