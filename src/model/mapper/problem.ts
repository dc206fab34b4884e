import type { Cascade } from "../../einsum/cascade.js";
import { SpecError } from "../../errors.js";
import type { Design } from "../../spec/design.js";
import type { FusionFacts } from "../../spec/fusion-facts.js";
import type { WrittenMapping } from "../../spec/mapping.js";
import type { PlacedEinsum } from "../../spec/placement.js";
import type { Accounting } from "../accounting.js";
import type { AttentionPoint } from "../attention-point.js";
import type { CompiledDesign } from "../compile.js";
import { mapDesign } from "../evaluate.js";
import type { Patch } from "../patch.js";
import type { VisibleRegion } from "../region.js";
import { staticPjPerSecond } from "../standing-energy.js";
import { baseOf, loopsOf } from "./base-mapping.js";
import { entriesOf, type MapEntry, requireArrays } from "./entry.js";
import type { Outcome } from "./goal.js";
import { type MapArray, machineOf } from "./machine.js";
import type { MapRank } from "./ranks.js";
import { recurrencesOf } from "./recurrences.js";

/** An Einsum with what the mapper asks of it. */
export interface MapEinsum {
  readonly placed: PlacedEinsum;
  readonly entry: MapEntry;
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
  /** A fan-out between DRAM and the buffer, to whose instances blocks are dealt. */
  readonly cores: string | undefined;
  /** A shared level around the cores, if it is not DRAM that is. */
  readonly shared: string | undefined;
  /** Bytes of the shared levels, and words of register files in which tiles are found, by their places among the architecture's. */
  readonly capacities: ReadonlyMap<number, number>;
  /** Tensors that take the place of what they are made of, element by element, when nothing else reads that any more. */
  readonly inPlace: Readonly<Record<string, string>>;
  /** The Einsum, by its place, that makes a tensor (of one in parts the last part); -1 for an input. */
  readonly makerOf: (tensor: string) => number;
  /** Whether an Einsum is a part that hands what it has begun to the next one, which follows it. */
  readonly goesOn: (einsum: number) => boolean;
  /** Whether a tensor is read outside of a block of Einsums, or is an output of the cascade. */
  readonly leaves: (tensor: string, from: number, to: number) => boolean;
  /** Einsums, by their places, that wait for each other from step to step: what is carried passes all of them. */
  readonly recurrences: readonly (readonly number[])[];
  /** What the mapping's file has besides its Einsums and partitions. */
  readonly written: Pick<WrittenMapping, "symbols" | "batch">;
  /** The values of the table of `compiled`, sizes filled in. */
  readonly values: Float64Array;
  /** Parts of a tile of a rank. */
  readonly tileParts: 1 | 2;
  /** Whether only mappings count that a schedule can be simulated of. */
  readonly isSchedulable: boolean;
  readonly patches: readonly Patch[];
  /** What the machine takes all the time. */
  readonly staticPjPerSecond: number;
}

/** A time with the energy of what is done in it, and of what the machine takes meanwhile. */
export const withStaticEnergy = (
  { staticPjPerSecond: own }: MapperProblem,
  latencySeconds: number,
  energyPj: number,
  dramBytes: number,
): Outcome => ({ latencySeconds, energyPj: own === 0 ? energyPj : energyPj + own * latencySeconds, dramBytes });

/**
 * Makes a design's cascade and architecture ready to be mapped at a point; of its own mapping only the operations that it declares
 * are looked at.
 * @param patches of the architecture and the technology
 * @param isSchedulable whether only mappings count that a schedule can be simulated of
 * Throws SpecError for a design without a cascade, and for what the mapper does not know how to lay out.
 */
export function mapperProblem(
  design: Design,
  point: AttentionPoint,
  accounting: Accounting,
  patches: readonly Patch[] = [],
  isSchedulable = false,
): MapperProblem {
  const { cascade, spec } = design;
  if (cascade === undefined) {
    const expected = "a cascade: what is to be mapped";
    throw new SpecError({ where: spec.at(["cascade"]), got: "a design that names none", expected });
  }
  const entries = entriesOf(cascade, design);
  requireArrays(design, entries);
  const machine = machineOf(design);
  const base = baseOf({ design, cascade, entries, machine, point, accounting, patches });
  const { compiled, values, complete, ranks, partsOf, inPlace, written, sizeOf, tileParts } = base;
  const arrays = machine.arrays.map(({ fanouts, ...array }) => ({
    ...array,
    fanouts: fanouts.map(level => ({ level, size: sizeOf(level) })),
  }));
  const einsums = (complete.placement ?? []).map((placed, e): MapEinsum => {
    const parts = new Set(loopsOf(complete.mapping.data.einsums[placed.name]));
    const reduced = new Set(placed.einsum.reduced.flatMap(partsOf));
    return {
      placed,
      entry: entries[e] as MapEntry,
      name: placed.name,
      ranks: ranks.flatMap(({ outer, tile }, rank) => {
        const [middle, inner] = [parts.has(outer), tile.some(part => parts.has(part))];
        return middle || inner ? [{ rank, middle, inner }] : [];
      }),
      reduced: new Set(
        ranks.flatMap(({ outer, tile }, rank) => ([outer, ...tile].some(part => reduced.has(part)) ? [rank] : [])),
      ),
      batch: placed.batch.filter(rank => !ranks.some(({ whole }) => whole === rank)),
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
    ranks,
    einsums,
    arrays,
    dram: machine.dram,
    cores: machine.cores,
    shared: machine.shared,
    capacities: new Map(
      [...compiled.levels.values()].flatMap(({ name, spec, index, fields }) =>
        spec.kind === "sram" || arrays.some(({ buffer }) => buffer === name)
          ? [[index, fields.get(spec.kind === "sram" ? "bytes" : "depth")?.(values) ?? 0]]
          : [],
      ),
    ),
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
    goesOn: e => makers.get(einsums[e]?.placed.output ?? "") !== e,
    leaves: (tensor, from, to) =>
      cascade.outputs.includes(tensor) ||
      einsums.some(({ placed }, e) => (e < from || e >= to) && placed.reads.some(read => read.tensor === tensor)),
    written,
    values,
    tileParts,
    isSchedulable,
    patches,
    staticPjPerSecond: staticPjPerSecond(compiled, values),
  };
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
