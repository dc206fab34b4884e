import { SpecError } from "../errors.js";
import type { CompiledDesign } from "./compile.js";
import type { CompiledEinsum } from "./compile-einsum.js";
import { bigProduct, exactLimit } from "./count.js";
import {
  type AnalysisOptions,
  analyse,
  iterations,
  mappedPes,
  points,
  type RankCounts,
  type TensorAccesses,
  tileWords,
} from "./loop-nest.js";
import { countParts } from "./partition.js";

/** What one Einsum does at given sizes. */
export interface EinsumCounts {
  readonly name: string;
  readonly array: string;
  /** Steps of one PE, one point each. */
  readonly iterations: number;
  /** Points of the iteration space: existing ones only, over all PEs. */
  readonly points: number;
  /** PEs that the mapping uses at once. */
  readonly mappedPes: number;
  /** Busy cycles: steps times cycles per point; a partial tile takes as long as a whole one. */
  readonly cycles: number;
  readonly operations: readonly { readonly name: string; readonly count: number }[];
  readonly accesses: readonly TensorAccesses[];
  /** Names of the levels that `accesses` numbers, outermost first. */
  readonly levels: readonly string[];
  /** Words of each tensor's tile at each level that keeps it, in the order of `accesses`. */
  readonly tiles: readonly (readonly number[])[];
  /** Share of each tensor's buffer accesses that goes to DRAM, in the order of `accesses`. */
  readonly spilled: readonly number[];
}

/** The variant of an Einsum that these sizes take. Throws SpecError when none fits. */
export function variantOf({ name, variants }: CompiledDesign["einsums"][number], values: Float64Array): CompiledEinsum {
  const found = variants.find(({ when }) => when === undefined || when(values) !== 0);
  if (found !== undefined) return found;
  const where = variants[0]?.at(["when"]) ?? name;
  throw new SpecError({ where, got: "no variant whose condition holds", expected: "one for every size" });
}

/** Counts one Einsum's steps, operations and accesses. Throws SpecError where the mapping does not fit. */
export function countEinsum(
  design: CompiledDesign,
  einsum: CompiledEinsum,
  values: Float64Array,
  options: AnalysisOptions,
): EinsumCounts {
  const { shape } = einsum;
  const counts = rankCounts(einsum, values);
  checkFanouts(design, einsum, counts, values);
  const kept = einsum.keep.map(levels =>
    levels.filter(({ condition }) => condition === undefined || condition(values) !== 0).map(({ level }) => level),
  );
  const lost = kept.findIndex(levels => levels.length === 0);
  if (lost >= 0) {
    const got = `no level that keeps ${shape.tensors[lost]?.name} at these sizes`;
    throw new SpecError({ where: einsum.at(["keep"]), got, expected: "a condition that holds" });
  }
  const steps = iterations(shape, counts);
  const allPoints = points(shape, counts);
  const onArray = design.arrays.get(einsum.array);
  let perPoint = 0;
  const operations = einsum.operations.map(({ name, perPoint: number }) => {
    const each = number(values);
    perPoint += each * (onArray?.get(name)?.(values) ?? 0);
    return { name, count: times(each, allPoints) };
  });
  return {
    name: einsum.name,
    array: einsum.array,
    iterations: steps,
    points: allPoints,
    mappedPes: mappedPes(shape, counts),
    cycles: times(einsum.cycles?.(values) ?? perPoint, steps),
    operations,
    accesses: analyse(shape, counts, kept, options),
    levels: shape.levels.map(({ name }) => name),
    tiles: shape.tensors.map(({ relevant }, t) =>
      (kept[t] ?? []).map(level => tileWords(shape, counts, relevant, level)),
    ),
    spilled: shape.tensors.map(({ name }) => einsum.spill.get(name)?.(values) ?? 0),
  };
}

const times = (a: number, b: number): number => {
  const product = a * b;
  return product <= exactLimit || !Number.isInteger(a) ? product : bigProduct([a, b]);
};

function rankCounts(einsum: CompiledEinsum, values: Float64Array): RankCounts {
  return einsum.ranks.map(rank => {
    const size = values[rank.size] as number;
    const bounds = rank.bounds.length === 0 ? [size] : rank.bounds.map(slot => Math.max(1, values[slot] as number));
    const wrong = bounds.findIndex(bound => !Number.isInteger(bound));
    if (wrong >= 0 || !Number.isInteger(size) || size < 1) {
      const got = wrong >= 0 ? `the loop bound ${bounds[wrong]} of ${rank.name}` : `${rank.name} = ${size}`;
      throw new SpecError({ where: rank.at(), got, expected: "a whole number" });
    }
    if (rank.given) {
      const covered = bounds.reduce((product, bound) => product * bound, 1);
      if (covered < size) {
        const got = `loop bounds that cover ${covered} of ${rank.name} = ${size}`;
        throw new SpecError({
          where: rank.at(),
          got,
          expected: "bounds whose product reaches the rank",
          mend: "make the outermost bound 'rest'",
        });
      }
    }
    const table = new Float64Array(1 << Math.max(1, rank.bounds.length));
    countParts(size, bounds, table);
    return table;
  });
}

/** Spatial loops must fit the fan-out that they run over. */
function checkFanouts(design: CompiledDesign, einsum: CompiledEinsum, counts: RankCounts, values: Float64Array): void {
  const { shape } = einsum;
  shape.levels.forEach(({ name, spatial }, index) => {
    if (!spatial) return;
    const mask = shape.loops.reduce((m, { level, bit }) => (level === index ? m | (1 << bit) : m), 0);
    const used = tileWords(shape, counts, mask, index);
    const size = design.levels.get(name)?.fields.get("size")?.(values) ?? 0;
    if (used <= size) return;
    const got = `a spatial factor of ${used} over ${name}, which has ${size}`;
    throw new SpecError({ where: einsum.at(["loops", name]), got, expected: `at most ${size}` });
  });
}
