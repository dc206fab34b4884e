import type { Cascade } from "../../einsum/cascade.js";
import { SpecError } from "../../errors.js";
import { bindingSchema } from "../../spec/binding.js";
import { completeMapping } from "../../spec/complete-mapping.js";
import type { Design } from "../../spec/design.js";
import { type Document, type Path, withSchema } from "../../spec/document.js";
import type { FusionFacts } from "../../spec/fusion-facts.js";
import { type WrittenMapping, writtenMappingSchema } from "../../spec/mapping.js";
import { peOperations } from "../../spec/pe-operations.js";
import { needsNoPlace, type PlacedEinsum } from "../../spec/placement.js";
import type { Accounting } from "../accounting.js";
import type { AttentionPoint } from "../attention-point.js";
import { checkNumbers } from "../check-machine.js";
import { type CompiledDesign, compileDesign } from "../compile.js";
import { mapDesign } from "../evaluate.js";
import type { Patch } from "../patch.js";
import type { VisibleRegion } from "../region.js";
import { symbolValues } from "../sizes.js";
import { staticPjPerSecond } from "../standing-energy.js";
import type { Outcome } from "./goal.js";
import { type MapArray, machineOf } from "./machine.js";
import { batchOf, type MapRank, ranksOf } from "./ranks.js";
import { recurrencesOf } from "./recurrences.js";

/** An Einsum with what the mapper asks of it. */
export interface MapEinsum {
  readonly placed: PlacedEinsum;
  readonly name: string;
  /** Its ranks, by their place among the problem's, with the parts that it loops over. */
  readonly ranks: readonly { readonly rank: number; readonly middle: boolean; readonly inner: boolean }[];
  /** The ranks, by their place, that it reduces. */
  readonly reduced: ReadonlySet<number>;
  /** Ranks of the batch that it has and that are not cut. */
  readonly batch: readonly string[];
}

/** What there is to map: a cascade, a machine, a point. */
export interface MapperProblem {
  readonly design: Design;
  readonly cascade: Cascade;
  readonly compiled: CompiledDesign;
  readonly facts: FusionFacts;
  readonly accounting: Accounting;
  readonly point: AttentionPoint;
  readonly region: VisibleRegion | undefined;
  readonly ranks: readonly MapRank[];
  readonly einsums: readonly MapEinsum[];
  readonly arrays: readonly MapArray[];
  readonly dram: string;
  readonly buffer: string;
  /** A fan-out between DRAM and the buffer, to whose instances blocks are dealt. */
  readonly cores: string | undefined;
  readonly bufferBytes: number;
  /** Tensors that take the place of what they are made of, element by element, when nothing else reads that any more. */
  readonly inPlace: Readonly<Record<string, string>>;
  /** The Einsum, by its place, that makes a tensor; -1 for an input. */
  readonly makerOf: (tensor: string) => number;
  /** Whether a tensor is read outside of a block of Einsums, or is an output of the cascade. */
  readonly leaves: (tensor: string, from: number, to: number) => boolean;
  /** Einsums, by their places, that wait for each other from step to step: what is carried passes all of them. */
  readonly recurrences: readonly (readonly number[])[];
  /** What the mapping's file has besides its Einsums and partitions. */
  readonly written: Pick<WrittenMapping, "symbols" | "batch">;
  /** The values of the table of `compiled`, sizes filled in. */
  readonly values: Float64Array;
  /** What the machine takes all the time. */
  readonly staticPjPerSecond: number;
}

/** A time with the energy of what is done in it, and of what the machine takes meanwhile. */
export const withStaticEnergy = (
  { staticPjPerSecond: own }: MapperProblem,
  latencySeconds: number,
  energyPj: number,
): Outcome => ({ latencySeconds, energyPj: own === 0 ? energyPj : energyPj + own * latencySeconds });

const nowhere = (path: Path): string => `mapping ${path.join(".")}`;

/** A document that is in no file. */
const asDocument = <T>(raw: unknown, schema: Parameters<typeof withSchema<T>>[2]): Document<T> =>
  withSchema({ file: "mapper", data: undefined, at: nowhere, shipped: false, raw, read: () => undefined }, raw, schema);

/**
 * Makes a design's cascade and architecture ready to be mapped at a point; its own mapping and binding are not looked at.
 * @param patches of the architecture and the technology
 * Throws SpecError for a design without a cascade, and for what the mapper does not know how to lay out.
 */
export function mapperProblem(
  design: Design,
  point: AttentionPoint,
  accounting: Accounting,
  patches: readonly Patch[] = [],
): MapperProblem {
  const { cascade, architecture, spec } = design;
  if (cascade === undefined) {
    const expected = "a cascade: what is to be mapped";
    throw new SpecError({ where: spec.at(["cascade"]), got: "a design that names none", expected });
  }
  const machine = machineOf(design);
  const ranks = ranksOf(cascade, design, point);
  const { symbols, batch, batchRanks } = batchOf(cascade, point, ranks);
  const all = [...batchRanks.filter(r => r.size > 1), ...ranks];
  const partitions = Object.fromEntries(
    all.map((r, i) => [
      r.whole,
      { [r.outer]: "rest", [r.middle]: `@${2 * i}`, ...(r.inner === undefined ? {} : { [r.inner]: `@${2 * i + 1}` }) },
    ]),
  );
  const partsOf = (variable: string): readonly string[] => {
    const leaf = cascade.ranks.ofVariable(variable).name;
    const rank = ranks.find(r => r.name === leaf) ?? ranks.find(r => r.rank?.parts.includes(leaf));
    if (rank === undefined) return [leaf];
    if (rank.name === leaf) return [rank.outer, rank.middle, rank.inner as string];
    return leaf === rank.inner ? [rank.inner] : [rank.outer, rank.middle];
  };
  const inPlace = inPlaceOf(cascade);
  const base = asDocument(
    {
      name: "mapper",
      source: "mapper",
      symbols,
      batch,
      inPlace,
      partitions,
      einsums: Object.fromEntries(
        cascade.einsums
          .filter(einsum => !needsNoPlace(einsum))
          .map(einsum => {
            const parts = [...einsum.free, ...einsum.reduced].flatMap(partsOf);
            return [einsum.tensor, { array: Object.keys(architecture.data.arrays)[0], parts }];
          })
          .map(([name, entry]) => [
            name,
            canonical(entry as { array: string; parts: readonly string[] }, machine.dram),
          ]),
      ),
    },
    writtenMappingSchema,
  );
  const { complete, names } = completeOnce(base, design, cascade, machine.dram);
  const binding = asDocument(
    { name: "mapper", source: "mapper", phases: [{ name: "all", latency: names.join(" + ") }] },
    bindingSchema,
  );
  const compiled = compileDesign(
    {
      ...design,
      technology: weighed(design.technology),
      ...{ mapping: complete.mapping, placement: complete.placement, binding, schedule: undefined },
    },
    { corrections: accounting.corrections, patches, variables: 2 * all.length },
  );
  const values = new Float64Array(compiled.program.size);
  symbolValues(point.sizes).forEach((value, i) => {
    values[compiled.sizeSlots[i] as number] = value;
  });
  for (const slot of compiled.variableSlots) values[slot] = 1;
  compiled.program.run(values);
  checkNumbers(compiled, values);
  const sizeOf = (name: string): number => compiled.levels.get(name)?.fields.get("size")?.(values) ?? 1;
  const arrays = machine.arrays.map(({ name, levels, fanouts, registers }) => ({
    name,
    levels,
    registers,
    fanouts: fanouts.map(level => ({ level, size: sizeOf(level) })),
  }));
  const einsums = (complete.placement ?? []).map((placed): MapEinsum => {
    const parts = new Set(loopsOf(complete.mapping.data.einsums[placed.name]));
    const reduced = new Set(placed.einsum.reduced.flatMap(partsOf));
    return {
      placed,
      name: placed.name,
      ranks: all.flatMap(({ outer, inner }, rank) =>
        parts.has(outer) || (inner !== undefined && parts.has(inner))
          ? [{ rank, middle: parts.has(outer), inner: inner !== undefined && parts.has(inner) }]
          : [],
      ),
      reduced: new Set(
        all.flatMap(({ outer, inner }, rank) => (reduced.has(outer) || reduced.has(inner ?? "") ? [rank] : [])),
      ),
      batch: placed.batch.filter(rank => !all.some(({ whole }) => whole === rank)),
    };
  });
  const makers = new Map(einsums.map(({ placed }, e) => [placed.output, e]));
  return {
    design,
    cascade,
    compiled,
    facts: remembered(complete.facts),
    accounting,
    point,
    region:
      point.mask === undefined
        ? undefined
        : mapDesign(
            compiled,
            point.sizes,
            accounting,
            compiled.variableSlots.map(() => 1),
            point.mask,
          ).region,
    ranks: all,
    einsums,
    arrays,
    dram: machine.dram,
    buffer: machine.buffer,
    cores: machine.cores,
    bufferBytes: compiled.levels.get(machine.buffer)?.fields.get("bytes")?.(values) ?? 0,
    inPlace,
    recurrences: recurrencesOf(
      einsums.map(({ name }) =>
        complete.facts.reads(name).flatMap(({ tensor }) => {
          const maker = makers.get(tensor);
          return maker === undefined ? [] : [maker];
        }),
      ),
    ),
    makerOf: name => makers.get(name) ?? -1,
    leaves: (tensor, from, to) =>
      cascade.outputs.includes(tensor) ||
      einsums.some(({ placed }, e) => (e < from || e >= to) && placed.reads.some(read => read.tensor === tensor)),
    written: { symbols, batch },
    values,
    staticPjPerSecond: staticPjPerSecond(compiled, values),
  };
}

/** Where a technology gives no energies, the bytes that pass DRAM stand for them, one picojoule each: of two mappings as fast the one that moves less. */
const weighed = (technology: Design["technology"]): Design["technology"] => {
  const { data } = technology;
  if (data.lacks.length === 0) return technology;
  const table = data.sram.table.map(([width = 1, depth = 1]) => [width, depth, 0, 0, 0]);
  const free = { operations: {}, registerFile: { readPj: 0, writePj: 0, areaUm2: 0 }, sram: { ...data.sram, table } };
  return { ...technology, data: { ...data, ...free, dram: { energyPj: 1, bits: 8 } } };
};

const canonical = ({ array, parts }: { readonly array: string; readonly parts: readonly string[] }, dram: string) => ({
  array,
  loops: { [dram]: [...new Set(parts)] },
  keep: {},
});

function loopsOf(entry: unknown): readonly string[] {
  const { loops } = entry as { readonly loops: Readonly<Record<string, readonly string[]>> };
  return Object.values(loops).flat();
}

/** The base mapping filled in from the cascade, each Einsum on an array that can do it, with its batch and everything kept at DRAM. */
function completeOnce(base: Document<WrittenMapping>, design: Design, cascade: Cascade, dram: string) {
  const { architecture } = design;
  const raw = base.raw as {
    readonly einsums: Readonly<Record<string, { readonly loops: Readonly<Record<string, readonly string[]>> }>>;
  };
  const batchOfName = batchOfEinsums(base, cascade);
  const einsums = Object.fromEntries(
    Object.entries(raw.einsums).map(([name, entry]) => {
      const einsum = cascade.einsums.find(e => e.tensor === name && !needsNoPlace(e));
      const able = Object.entries(architecture.data.arrays).find(([, { operations }]) => {
        const needed = einsum === undefined ? {} : peOperations(einsum, op => Object.hasOwn(operations, op));
        return Object.keys(needed).every(op => Object.hasOwn(operations, op));
      });
      if (able === undefined) {
        const expected = `an array that can do it: ${Object.keys(architecture.data.arrays).join(", ")}`;
        throw new SpecError({
          where: architecture.at(["arrays"]),
          got: `no array for ${einsum?.text ?? name}`,
          expected,
        });
      }
      const reads = (einsum?.reads ?? []).map(({ tensor }) => tensor);
      const loops = { [dram]: [...(batchOfName.get(name) ?? []), ...(entry.loops[dram] ?? [])] };
      return [name, { ...entry, array: able[0], loops, keep: { [dram]: [name, ...reads] } }];
    }),
  );
  // What is carried has a name of its own: it is kept once its Einsums are placed.
  const keepAll = (placement: readonly PlacedEinsum[]) =>
    Object.fromEntries(
      Object.entries(einsums).map(([name, entry]) => {
        const placed = placement.find(p => p.name === name);
        const tensors = [...new Set([name, ...(placed?.reads ?? []).map(read => read.name)])];
        return [name, { ...(entry as object), keep: { [dram]: tensors } }];
      }),
    );
  const first = completeMapping(withSchema(base, { ...raw, einsums }, writtenMappingSchema), cascade, architecture);
  const second = withSchema(base, { ...raw, einsums: keepAll(first.placement ?? []) }, writtenMappingSchema);
  return { complete: completeMapping(second, cascade, architecture), names: Object.keys(einsums) };
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

/** The same facts, each worked out once. */
function remembered(facts: FusionFacts): FusionFacts {
  const once = <T>(ask: (name: string) => T): ((name: string) => T) => {
    const known = new Map<string, T>();
    return name => {
      if (!known.has(name)) known.set(name, ask(name));
      return known.get(name) as T;
    };
  };
  return {
    reads: once(name => facts.reads(name)),
    ranks: once(name => facts.ranks(name)),
    iterates: once(name => facts.iterates(name)),
    indexOf: once(name => facts.indexOf(name)),
    rankOf: once(name => facts.rankOf(name)),
    cascade: facts.cascade,
  };
}
