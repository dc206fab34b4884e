import { wordsOf } from "../energy.js";
import { boundsOf } from "./bounds.js";
import { type CostCache, CostTable } from "./cost-table.js";
import { nothing, type Outcome, sumOf } from "./goal.js";
import type { OptionLibrary, PlacedOption } from "./option.js";
import { dealtRanks } from "./place.js";
import { type MapperProblem, withStaticEnergy } from "./problem.js";
import { type RankCut, setTiling, type Tiling } from "./tiling.js";
import { tilingsOf } from "./tiling-space.js";

/** Neighbouring Einsums that may be fused, and what they take at the least under any tiling. */
export interface BoundedBlock {
  readonly from: number;
  readonly to: number;
  readonly bound: Outcome;
}

/** As if every tensor could pass from Einsum to Einsum without the buffer. */
const direct = { nearest: () => "registers" as const };

/** What a block takes under any tiling: its operations, and each tensor from outside once. */
export function leastOf(
  problem: MapperProblem,
  library: OptionLibrary,
  cache: CostCache,
  from: number,
  to: number,
): Outcome {
  const { ranks, arrays, compiled, values, tileParts } = problem;
  const [first = 1] = arrays.flatMap(({ fanouts }) => fanouts.map(({ size }) => size));
  // Fan-outs of several sizes: at the least every PE of an array works all the time, on the largest tiles, one step after the other.
  const isEven = tileParts === 1;
  const { choices } = tilingsOf(problem, from, to);
  const dealt = dealtRanks(problem, problem.einsums.slice(from, to));
  const order = { outer: ranks.map((_, r) => r), inner: ranks.map((_, r) => r), dealt };
  const cut = ranks.map(({ size, tile: parts }, r): RankCut => {
    const longest = isEven ? first : Math.max(...(choices[r] ?? []).map(({ inner }) => inner));
    const inner = parts.length === 0 ? 1 : Math.min(size, longest);
    const tile = parts.map((_, k) => (k === parts.length - 1 ? inner : 1));
    return { tile, inner, middle: Math.ceil(size / inner), outer: 1 };
  });
  const ideal = ({ place }: PlacedOption): number =>
    isEven ? 1 : place.array.fanouts.reduce((pes, { size }) => pes * size, 1);
  const laidNowhere = (einsum: number): readonly number[] =>
    library
      .placesOf(einsum)
      .flatMap(({ over }, p) => (over.every(own => own === undefined || ranks[own.rank]?.size === 1) ? [p] : []));
  const whole: Tiling = { order, cut };
  setTiling(problem, whole, values);
  const dram = compiled.levels.get(problem.dram);
  const access = cache.costs[dram?.index ?? 0]?.(8);
  const table = new CostTable(cache, whole, values);
  const pjPerByte = access === undefined ? 0 : access.readPj / wordsOf(access, 8);
  const { after } = boundsOf(
    problem,
    library,
    from,
    to,
    whole,
    {
      work: option => {
        const { cycles, energyPj } = table.work(option);
        return { energyPj, cycles: (cycles * dealtEvenly(problem, option)) / ideal(option) };
      },
      tensor: (option, t, kept) => {
        const cost = table.tensor(option, t, kept);
        return { ...cost, energyPj: Number.isFinite(cost.energyPj) ? cost.dramBytes * pjPerByte : 0, held: [] };
      },
    },
    direct,
    undefined,
    isEven ? undefined : laidNowhere,
  );
  return leastOutcome(problem, after[0]);
}

/** What is left of the cycles of the busiest core where blocks make units that are dealt without a rest. */
function dealtEvenly({ cores, compiled, values, point, ranks }: MapperProblem, { einsum }: PlacedOption): number {
  if (cores === undefined) return 1;
  const instances = compiled.levels.get(cores)?.fields.get("size")?.(values) ?? 1;
  const sizes: Readonly<Record<string, number>> = { B: point.sizes.B, H: point.sizes.H, G: point.group };
  const batch = [
    ...einsum.batch,
    ...einsum.ranks.flatMap(own => (ranks[own.rank]?.atOnce === true ? [ranks[own.rank]?.name ?? ""] : [])),
  ];
  const each = batch.reduce((units, rank) => units * (sizes[rank] ?? 1), 1) / instances;
  return each / Math.ceil(each);
}

/** The time and energy of a bound. */
export function leastOutcome(
  problem: MapperProblem,
  least: ReturnType<typeof boundsOf>["after"][number] | undefined,
): Outcome {
  const { compiled, values, dram } = problem;
  if (least === undefined) return nothing;
  const busy = Math.min(...least.cycles.map(own => Math.max(...own)));
  const bytesPerSecond = compiled.levels.get(dram)?.fields.get("bytesPerSecond")?.(values) ?? Number.POSITIVE_INFINITY;
  const latencySeconds = Math.max(busy / compiled.frequencyHz(values), least.dramBytes / bytesPerSecond);
  return withStaticEnergy(problem, latencySeconds, least.energyPj, least.dramBytes);
}

/** The least that the Einsums before (or from) each place take, whatever blocks they form. */
export function leastPath(n: number, blocks: readonly BoundedBlock[], side: "before" | "after"): readonly Outcome[] {
  const never = Number.POSITIVE_INFINITY;
  const unknown: Outcome = { latencySeconds: never, energyPj: never, dramBytes: never };
  const least: Outcome[] = Array.from({ length: n + 1 }, () => unknown);
  const least1 = (a: Outcome, b: Outcome): Outcome => ({
    latencySeconds: Math.min(a.latencySeconds, b.latencySeconds),
    energyPj: Math.min(a.energyPj, b.energyPj),
    dramBytes: Math.min(a.dramBytes, b.dramBytes),
  });
  const isBefore = side === "before";
  least[isBefore ? 0 : n] = nothing;
  const ordered = [...blocks].sort((a, b) =>
    isBefore ? a.to - b.to || a.from - b.from : b.from - a.from || b.to - a.to,
  );
  for (const { from, to, bound } of ordered) {
    const [at, rest] = isBefore ? [to, from] : [from, to];
    least[at] = least1(least[at] as Outcome, sumOf(least[rest] as Outcome, bound));
  }
  return least;
}
