import { SpecError } from "../errors.js";
import { checkWindows } from "./check-windows.js";
import type { CompiledDesign } from "./compile.js";
import type { CompiledEinsum } from "./compile-einsum.js";
import type { CompiledLevel } from "./compile-levels.js";
import {
  type AnalysisOptions,
  analyse,
  type PeSteps,
  peSteps,
  points,
  stepsOfBusiest,
  type TensorAccesses,
  tileWords,
  tuples,
} from "./loop-nest.js";
import { longestWalk, maskedCounts } from "./masked-counts.js";
import type { NestShape, NestTensor } from "./nest.js";
import { countRank, type RankCount } from "./partition.js";
import type { RankCounts } from "./rank-counts.js";
import type { VisibleRegion } from "./region.js";

/** What one Einsum does at given sizes. */
export interface EinsumCounts {
  readonly name: string;
  readonly array: string;
  /** Steps of one PE (of the busiest), one point each. */
  readonly iterations: number;
  /** Points of the iteration space: existing ones only, over all PEs. */
  readonly points: number;
  /** Busy cycles: steps times cycles per point; a partial tile takes as long as a whole one. */
  readonly cycles: number;
  readonly operations: readonly { readonly name: string; readonly count: number }[];
  readonly accesses: readonly TensorAccesses[];
  /** Names of the levels that `accesses` numbers, outermost first. */
  readonly levels: readonly string[];
  /** The same levels, ready to run. */
  readonly path: readonly CompiledLevel[];
  /** Seats of the tensors in the buffers, in the order of `accesses`. */
  readonly seats: readonly number[];
  /** Words of each tensor's tile at each level that keeps it, in the order of `accesses`. */
  readonly tiles: readonly (readonly number[])[];
  /** Bits of an element of each tensor in memory, in the order of `accesses`. */
  readonly bits: readonly number[];
  /** Share of each tensor's buffer accesses that goes to DRAM, in the order of `accesses`. */
  readonly spilled: readonly number[];
  /** Busy cycles of each unit that works beside the rest of a PE, as `array.unit`, and of the rest as `array`. */
  readonly unitCycles: Readonly<Record<string, number>>;
}

/** The same with what the array's PE-steps are spent on. */
export interface EinsumUse extends EinsumCounts {
  readonly peSteps: PeSteps;
}

/** The variant of an Einsum that these sizes take. Throws SpecError when none fits. */
export function variantOf({ name, variants }: CompiledDesign["einsums"][number], values: Float64Array): CompiledEinsum {
  const found = variants.find(({ when }) => when === undefined || when(values) !== 0);
  if (found !== undefined) return found;
  const where = variants[0]?.at(["when"]) ?? name;
  throw new SpecError({ where, got: "no variant whose condition holds", expected: "one for every size" });
}

/** One Einsum's nest with its numbers filled in. */
export interface Laid {
  readonly einsum: CompiledEinsum;
  readonly shape: NestShape;
  readonly counts: RankCounts;
  /** The counts of the ranks by themselves, as if nothing were masked: what buffers have room for. */
  readonly boxes: RankCounts;
  /** Per tensor the levels that keep it, outermost first. */
  readonly kept: readonly (readonly number[])[];
}

/**
 * Lays one Einsum over the machine; a loop iterates only where `region` has a score. Throws SpecError where the mapping does not fit.
 * @param walk the longest walk for a count that has no closed form under a mask; 0: bounds from above, for a search
 */
export function layOut(
  design: CompiledDesign,
  einsum: CompiledEinsum,
  values: Float64Array,
  region: VisibleRegion | undefined,
  walk = longestWalk,
): Laid {
  const boxes = rankCounts(einsum, values);
  checkFanouts(design, einsum, boxes, values);
  checkWindows(einsum, boxes, region !== undefined);
  const kept = einsum.alwaysKept ?? keptLevels(einsum, values);
  const { shape, ranksAlone, coupled } = einsum;
  if (region === undefined || coupled === undefined) return { einsum, shape, counts: boxes, boxes, kept };
  return {
    einsum,
    shape: coupled.shape,
    counts: maskedCounts({ shape, ranksAlone, coupled }, boxes, region, walk),
    boxes,
    kept,
  };
}

/** Bytes of the tiles that an Einsum alone keeps in a level. */
export function bytesKept({ einsum: { shape, bits }, boxes, kept }: Laid, level: number, values: Float64Array): number {
  let total = 0;
  kept.forEach((levels, t) => {
    if (!levels.includes(level)) return;
    const tensor = shape.tensors[t] as NestTensor;
    total += tileWords(shape, boxes, tensor, level) * ((bits[t]?.(values) ?? 0) / 8);
  });
  return total;
}

/** Counts one Einsum's steps, operations and accesses. Throws SpecError where the mapping does not fit. */
export function countEinsum(
  design: CompiledDesign,
  einsum: CompiledEinsum,
  values: Float64Array,
  options: AnalysisOptions,
  region?: VisibleRegion,
): EinsumCounts {
  return countLaid(design, layOut(design, einsum, values, region), values, options);
}

/** What the PEs that an Einsum runs on do while it runs. */
export function peStepsOf(design: CompiledDesign, laid: Laid, values: Float64Array): PeSteps {
  const { einsum, shape, counts } = laid;
  const fanouts = einsum.fanouts.map(({ level, loops }) => ({
    level,
    loops,
    size: design.levels.get(level)?.fields.get("size")?.(values) ?? 1,
  }));
  return peSteps(shape, counts, fanouts, busiestSteps(design, laid, values));
}

/** Instances of the fan-outs over which an Einsum's work is dealt. */
export const spreadSizes = (design: CompiledDesign, { einsum }: Laid, values: Float64Array): readonly number[] =>
  einsum.spreadOver.map(level => design.levels.get(level)?.fields.get("size")?.(values) ?? 1);

/** Steps of one PE, of the busiest instance where work is dealt to several. */
const busiestSteps = (design: CompiledDesign, laid: Laid, values: Float64Array): number =>
  stepsOfBusiest(laid.shape, laid.counts, laid.boxes, laid.einsum.shape, spreadSizes(design, laid, values));

export function countLaid(
  design: CompiledDesign,
  laid: Laid,
  values: Float64Array,
  options: AnalysisOptions,
): EinsumCounts {
  const { einsum, shape, counts, boxes, kept } = laid;
  const steps = busiestSteps(design, laid, values);
  const allPoints = points(shape, counts);
  const onArray = design.arrays.get(einsum.array);
  const unitOf = design.units.get(einsum.array);
  let perPoint = 0;
  const inUnits: Record<string, number> = {};
  const operations = einsum.operations.map(({ name, perPoint: number }) => {
    const each = atLeastZero(number(values), () => einsum.at(["operations", name]));
    const unit = unitOf?.get(name);
    const busy = each * (onArray?.get(name)?.(values) ?? 0);
    if (unit !== undefined) inUnits[unit] = (inUnits[unit] ?? 0) + busy;
    else if (einsum.cycles === undefined) perPoint += busy;
    return { name, count: each * allPoints };
  });
  if (einsum.cycles !== undefined) perPoint = atLeastZero(einsum.cycles(values), () => einsum.at(["cycles"]));
  const unitCycles: Record<string, number> = { [einsum.array]: perPoint * steps };
  for (const [unit, each] of Object.entries(inUnits)) unitCycles[unit] = each * steps;
  return {
    name: einsum.name,
    array: einsum.array,
    iterations: steps,
    points: allPoints,
    cycles: Math.max(...Object.values(unitCycles)),
    unitCycles,
    operations,
    accesses: analyse(shape, counts, kept, options),
    levels: einsum.levelNames,
    path: einsum.path,
    seats: einsum.seats,
    tiles: shape.tensors.map((tensor, t) =>
      (kept[t] ?? []).map(level => tileWords(einsum.shape, boxes, tensor, level)),
    ),
    bits: einsum.bits.map(bits => bits(values)),
    spilled: shape.tensors.map(({ name }) => einsum.spill.get(name)?.(values) ?? 0),
  };
}

function atLeastZero(value: number, at: () => string): number {
  if (value >= 0 && value < Number.POSITIVE_INFINITY) return value;
  throw new SpecError({ where: at(), got: String(value), expected: "a number of at least 0" });
}

export function keptLevels({ keep, shape, at }: CompiledEinsum, values: Float64Array): readonly (readonly number[])[] {
  return keep.map((levels, t) => {
    const kept = levels.filter(({ condition }) => condition === undefined || condition(values) !== 0);
    if (kept.length > 0) return kept.map(({ level }) => level);
    const got = `no level that keeps ${shape.tensors[t]?.name} at these sizes`;
    throw new SpecError({ where: at(["keep"]), got, expected: "a condition that holds" });
  });
}

/** Counts the Einsum's ranks, each by itself. Einsums that cut a rank alike share its count; it is formed once. */
export function rankCounts({ ranks, ranksAlone, tables, strides }: CompiledEinsum, values: Float64Array): RankCounts {
  strides.forEach((stride, i) => {
    (tables.strides as Float64Array)[i] = stride(values);
  });
  for (let r = 0; r < ranks.length; r++) {
    const rank = ranks[r] as CompiledEinsum["ranks"][number];
    const counted = ranksAlone[r] as RankCount;
    const { bounds } = counted;
    const size = values[rank.size] as number;
    let same = counted.size === size;
    for (let k = 0; k < bounds.length; k++) {
      const bound = rank.bounds.length === 0 ? size : Math.max(1, values[rank.bounds[k] as number] as number);
      same &&= bounds[k] === bound;
      bounds[k] = bound;
    }
    if (same) continue;
    counted.size = Number.NaN; // not counted, should the check fail
    checkBounds(rank, size, bounds);
    countRank(counted, size);
  }
  return tables;
}

/** Throws SpecError for sizes and bounds that are no whole numbers, and for bounds that do not cover their rank. */
function checkBounds({ name, given, at }: CompiledEinsum["ranks"][number], size: number, bounds: Float64Array): void {
  const broken = bounds.find(bound => !Number.isInteger(bound));
  if (broken !== undefined || !Number.isInteger(size) || size < 1) {
    const got = broken === undefined ? `${name} = ${size}` : `the loop bound ${broken} of ${name}`;
    throw new SpecError({ where: at(), got, expected: "a whole number" });
  }
  const covered = bounds.reduce((product, bound) => product * bound, 1);
  if (!given || covered >= size) return;
  const got = `loop bounds that cover ${covered} of ${name} = ${size}`;
  const fix = "make the outermost bound 'rest'";
  throw new SpecError({ where: at(), got, expected: "bounds whose product reaches the rank", fix });
}

/** Spatial loops must fit the fan-out that they run over. */
function checkFanouts(design: CompiledDesign, einsum: CompiledEinsum, counts: RankCounts, values: Float64Array): void {
  for (const { level, loops } of einsum.fanouts) {
    const used = tuples(einsum.shape, counts, loops);
    const size = design.levels.get(level)?.fields.get("size")?.(values) ?? 0;
    if (used <= size) continue;
    const got = `a spatial factor of ${used} over ${level}, which has ${size}`;
    throw new SpecError({ where: einsum.at(["loops", level]), got, expected: `at most ${size}` });
  }
}
