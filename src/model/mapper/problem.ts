import type { Cascade } from "../../einsum/cascade.js";
import type { Rank } from "../../einsum/ranks.js";
import { attentionRoles } from "../../einsum/roles.js";
import { splitOf } from "../../einsum/split.js";
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
import { type CompiledDesign, compileDesign } from "../compile.js";
import { mapDesign } from "../evaluate.js";
import type { VisibleRegion } from "../region.js";
import { symbolValues, workloadSymbols } from "../sizes.js";
import { staticPjPerSecond } from "../standing-energy.js";
import type { Outcome } from "./goal.js";

/**
 * A rank as the mapper cuts it: over blocks (a loop at DRAM), over the tiles of a block (a loop at the buffer), and within a
 * tile (a loop at the buffer, or in space).
 */
export interface MapRank {
  readonly name: string;
  /** What the partition is called: the rank, or the one that the cascade cuts. */
  readonly whole: string;
  readonly outer: string;
  readonly middle: string;
  /** Undefined for ranks of the batch. */
  readonly inner: string | undefined;
  readonly size: number;
  /** The cascade's rank; undefined for the batch. */
  readonly rank: Rank | undefined;
}

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

/** An array with the levels on its way. */
export interface MapArray {
  readonly name: string;
  /** From DRAM to its registers. */
  readonly levels: readonly string[];
  /** Fan-outs within the buffer, outermost first. */
  readonly fanouts: readonly { readonly level: string; readonly size: number }[];
  readonly registers: string;
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

/** A document that stands in no file. */
const asDocument = <T>(raw: unknown, schema: Parameters<typeof withSchema<T>>[2]): Document<T> =>
  withSchema({ file: "mapper", data: undefined, at: nowhere, shipped: false, raw, read: () => undefined }, raw, schema);

/**
 * Makes a design's cascade and architecture ready to be mapped at a point; its own mapping and binding are not looked at.
 * Throws SpecError for a design without a cascade, and for what the mapper does not know how to lay out.
 */
export function mapperProblem(design: Design, point: AttentionPoint, accounting: Accounting): MapperProblem {
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
    { ...design, mapping: complete.mapping, placement: complete.placement, binding, schedule: undefined },
    { corrections: accounting.corrections, variables: 2 * all.length },
  );
  const values = new Float64Array(compiled.program.size);
  symbolValues(point.sizes).forEach((value, i) => {
    values[compiled.sizeSlots[i] as number] = value;
  });
  for (const slot of compiled.variableSlots) values[slot] = 1;
  compiled.program.run(values);
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

/** The way from DRAM to each array: fan-outs around the buffer, the buffer that all share, fan-outs within it. */
function machineOf({ architecture }: Design) {
  const { levels, arrays } = architecture.data;
  const ways = Object.entries(arrays).map(([name, { at }]) => {
    const way: string[] = [];
    for (let level: string | undefined = at; level !== undefined; ) {
      way.unshift(level);
      const spec: (typeof levels)[string] | undefined = levels[level];
      level = spec === undefined || spec.kind === "dram" ? undefined : spec.within;
    }
    return { name, way };
  });
  const kindOf = (level: string): string => levels[level]?.kind ?? "";
  const fail = (got: string, expected: string): SpecError =>
    new SpecError({ where: architecture.at(["levels"]), got, expected });
  const buffers = new Set(ways.map(({ way }) => way.findLast(level => kindOf(level) === "sram") ?? ""));
  const [buffer = ""] = buffers;
  if (buffers.size !== 1 || buffer === "") {
    throw fail(
      `arrays with the buffers ${[...buffers].join(", ") || "none"}`,
      "one level of kind sram that all arrays share",
    );
  }
  const [first] = ways;
  const outside = first?.way.slice(0, first.way.indexOf(buffer)) ?? [];
  const cores = outside.filter(level => kindOf(level) === "fanout");
  if (cores.length > 1) throw fail(`the fan-outs ${cores.join(", ")} around ${buffer}`, "one at the most");
  return {
    dram: outside[0] ?? "",
    buffer,
    cores: cores[0],
    arrays: ways.map(({ name, way }) => ({
      name,
      levels: way,
      registers: way.at(-1) ?? "",
      fanouts: way.slice(way.indexOf(buffer)).filter(level => kindOf(level) === "fanout"),
    })),
  };
}

/** The cascade's ranks as the mapper cuts them. */
function ranksOf(cascade: Cascade, { spec }: Design, point: AttentionPoint): readonly MapRank[] {
  const roles = attentionRoles(cascade);
  const taken = new Set(cascade.ranks.ranks.flatMap(({ names, parts }) => [...names, ...parts]));
  const fresh = (name: string): string => {
    let free = name;
    while (taken.has(free)) free += "_";
    taken.add(free);
    return free;
  };
  const symbol = (name: string): string =>
    roles === null
      ? name === "P"
        ? "queries"
        : name
      : ({ [roles.queries]: "queries", [roles.keys]: "M", [roles.e]: "E", [roles.f]: "F" }[name] ?? name);
  const packed = packedQueries(point) ? point.group : 1;
  const parts = new Set(cascade.ranks.ranks.flatMap(rank => (rank.parts.length > 1 ? rank.parts : [])));
  return cascade.ranks.ranks
    .filter(rank => !parts.has(rank.name))
    .map((rank): MapRank => {
      const source = symbol(rank.name);
      if (!workloadSymbols.includes(source)) {
        const expected = `ranks that a workload has sizes for: ${workloadSymbols.join(", ")}`;
        throw new SpecError({ where: spec.at(["cascade"]), got: `the rank ${rank.name} of ${cascade.name}`, expected });
      }
      const size = (point.sizes as unknown as Readonly<Record<string, number>>)[source] ?? 1;
      const at = { name: rank.name, whole: rank.name, size: source === "queries" ? size * packed : size, rank };
      const [first, second] = rank.parts.length === 1 ? [] : splitOf(cascade, rank);
      if (rank.parts.length === 1) {
        return { ...at, outer: fresh(`${rank.name}2`), middle: fresh(`${rank.name}1`), inner: fresh(`${rank.name}0`) };
      }
      if (rank.parts.length !== 2 || first === undefined || second === undefined) {
        const got = `the rank ${rank.name}, which ${cascade.name} cuts into ${rank.parts.join(", ")}`;
        throw new SpecError({ where: spec.at(["cascade"]), got, expected: "two parts" });
      }
      return { ...at, outer: fresh(`${rank.name}2`), middle: first, inner: second };
    });
}

/** Heads that share keys stand side by side where the queries of one are few. */
const packedQueries = ({ group, queries }: AttentionPoint): boolean => group > 1 && queries < 128;

function batchOf(cascade: Cascade, point: AttentionPoint, ranks: readonly MapRank[]) {
  const roles = attentionRoles(cascade);
  const packed = packedQueries(point);
  const grouped = point.group > 1 && !packed;
  const nameOf = (size: string): string | undefined => (roles === null ? undefined : roles[size as "queries"]);
  const queries = nameOf("queries") ?? "P";
  const symbols: Record<string, string> = {};
  for (const { name } of ranks) {
    if (name === queries) symbols[name] = packed ? "queries * group" : "queries";
    else if (!workloadSymbols.includes(name))
      symbols[name] = name === nameOf("keys") ? "M" : name === nameOf("e") ? "E" : "F";
  }
  if (grouped) symbols["G"] = "group";
  const own = grouped ? ["B", "H", "G"] : ["B", "H"];
  const batch: Record<string, readonly string[]> =
    roles === null ? {} : { [roles.q]: own, [roles.k]: ["B", "H"], [roles.v]: ["B", "H"] };
  const group: MapRank = {
    name: "G",
    whole: "G",
    outer: "G2",
    middle: "G1",
    inner: undefined,
    size: point.group,
    rank: undefined,
  };
  return { symbols, batch, batchRanks: grouped ? [group] : [] };
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

/** Sets of several Einsums each of which needs, through others, what it makes itself. @param needs by Einsum what it reads of */
function recurrencesOf(needs: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const reached = needs.map((_, start) => {
    const found = new Set<number>();
    const visit = (i: number): void => {
      for (const maker of needs[i] ?? []) {
        if (found.has(maker)) continue;
        found.add(maker);
        visit(maker);
      }
    };
    visit(start);
    return found;
  });
  const sets = needs.map((_, i) =>
    needs.flatMap((_, j) => (reached[i]?.has(j) === true && reached[j]?.has(i) === true ? [j] : [])),
  );
  const seen = new Set<string>();
  return sets.filter(set => set.length > 1 && !seen.has(set.join()) && seen.add(set.join()) !== undefined);
}
