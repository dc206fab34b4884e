import { accessCosts, wordsOf } from "../energy.js";
import { type Effort, type MappedBlock, searchBlock } from "./block.js";
import { boundsOf } from "./bounds.js";
import { chosenOf, Front, type Objective, type Outcome } from "./goal.js";
import { type HandOver, HandOvers } from "./hand-over.js";
import { CostTable, OptionLibrary, type PlacedOption } from "./option.js";
import { type MapperProblem, withStaticEnergy } from "./problem.js";
import { setTiling, type Tiling, tilingsOf } from "./tiling.js";

/** How far to search. */
export interface SearchLimits {
  readonly objective: Objective;
  /** Tilings at the most; undefined: all that a bound does not rule out. */
  readonly budget: number | undefined;
  /** Partial mappings of one tiling that are gone on with, Einsum by Einsum; undefined: all. */
  readonly width: number | undefined;
}

/** A whole mapping: blocks one after the other. */
export interface FoundMapping {
  readonly outcome: Outcome;
  readonly what: readonly MappedBlock[];
}

/** What was searched, and what was not and why. */
export interface SearchReport {
  /** Mappings of the space: every fusion, tiling, place and level that keeps a tensor, before any rule. */
  readonly space: bigint;
  /** Blocks of neighbouring Einsums that may be fused, and those left because no mapping with them can be better. */
  readonly blocks: { readonly all: number; readonly split: number; readonly beaten: number };
  readonly tilings: {
    readonly all: number;
    /** Not formed: they cut a rank over which the block passes more than once. */
    readonly ruledOutByPasses: number;
    /** Left: even the least that they can take is more than what was found. */
    readonly beaten: number;
    readonly visited: number;
    /** Not looked at, as the budget was spent. */
    readonly left: number;
  };
  readonly effort: Readonly<Effort>;
  /** Whether what was found is the best of the space. */
  readonly isProven: boolean;
}

const sum = (...outcomes: readonly Outcome[]): Outcome => ({
  latencySeconds: outcomes.reduce((total, { latencySeconds }) => total + latencySeconds, 0),
  energyPj: outcomes.reduce((total, { energyPj }) => total + energyPj, 0),
});
/** A limited search does not go after less than this share. */
const worthwhile = 1e-3;
const nothing: Outcome = { latencySeconds: 0, energyPj: 0 };

interface Block {
  readonly from: number;
  readonly to: number;
  readonly bound: Outcome;
}

/** A front of one block that knows what the rest of a mapping takes at the least, and what whole mappings were found. */
class BlockFront extends Front<MappedBlock> {
  constructor(
    objective: Objective,
    private readonly whole: () => Front<readonly MappedBlock[]>,
    private readonly around: Outcome,
    slack: number,
  ) {
    super(objective, slack);
  }

  override isBeaten(bound: Outcome): boolean {
    return super.isBeaten(bound) || this.whole().isBeaten(sum(bound, this.around));
  }
}

/** Searches the mappings of a problem, fused blocks of neighbouring Einsums one after the other. */
export function searchMappings(
  problem: MapperProblem,
  { objective, budget = Number.POSITIVE_INFINITY, width }: SearchLimits,
  progress: (visited: number) => void = () => undefined,
): { readonly found: readonly FoundMapping[]; readonly report: SearchReport } {
  const library = new OptionLibrary(problem);
  const handOvers = new HandOvers(problem);
  const n = problem.einsums.length;
  const effort: Effort = { nodes: 0, mappings: 0, beaten: 0, unfit: 0, passedOver: 0 };
  const tilings = { all: 0, ruledOutByPasses: 0, beaten: 0, visited: 0, left: 0 };
  const { legal, split } = blocksOf(problem, library);
  const before = leastPath(n, legal, "before");
  const after = leastPath(n, legal, "after");
  const fronts = new Map<Block, Front<MappedBlock>>();
  const slack = width === undefined ? 0 : worthwhile;
  let whole = new Front<readonly MappedBlock[]>(objective, slack, true);
  let beatenBlocks = 0;
  let space = 0n;
  const sizes = new Map<Block, bigint>();
  const around = (block: Block): Outcome => sum(before[block.from] as Outcome, after[block.to] as Outcome);
  const through = (block: Block): Outcome => sum(around(block), block.bound);
  const rank = ({ latencySeconds, energyPj }: Outcome): number => (objective === "energy" ? energyPj : latencySeconds);
  // The largest blocks first: fusing saves most.
  const ordered = [...legal].sort((a, b) => b.to - b.from - (a.to - a.from) || rank(through(a)) - rank(through(b)));
  for (const block of ordered) {
    const formed = tilingsOf(problem, block.from, block.to);
    tilings.all += formed.all.length;
    tilings.ruledOutByPasses += formed.ruledOut;
    sizes.set(block, BigInt(formed.all.length) * mappingsOf(problem, library, block));
    if (whole.isBeaten(through(block))) {
      beatenBlocks += 1;
      tilings.beaten += formed.all.length;
      continue;
    }
    const front = new BlockFront(objective, () => whole, around(block), slack);
    fronts.set(block, front);
    const bounded = formed.all.map(tiling => ({
      tiling,
      bound: boundOf(problem, library, block, tiling, handOvers.of(tiling)),
    }));
    bounded.sort((a, b) => front.compare(a.bound, b.bound));
    for (const { tiling, bound } of bounded) {
      if (front.isBeaten(bound)) {
        tilings.beaten += 1;
        continue;
      }
      if (tilings.visited >= budget) {
        tilings.left += 1;
        continue;
      }
      tilings.visited += 1;
      searchBlock(problem, library, block, tiling, front, effort, handOvers.of(tiling), width);
      progress(tilings.visited);
    }
    whole = joined(objective, slack, n, legal, fronts);
  }
  space = countPaths(n, legal, sizes);
  const chosen = chosenOf(objective, whole.all);
  const polish = (block: MappedBlock): { readonly outcome: Outcome; readonly what: MappedBlock } | undefined => {
    const front = new Front<MappedBlock>(objective);
    const range = { from: block.from, to: block.from + block.einsums.length };
    const { tiling } = block;
    searchBlock(problem, library, range, tiling, front, effort, handOvers.of(tiling), polishing * (width ?? 1));
    return front.all[0];
  };
  return {
    found: width === undefined ? chosen : chosen.map(found => polished(objective, found, polish)),
    report: {
      space,
      blocks: { all: legal.length, split, beaten: beatenBlocks },
      tilings,
      effort,
      isProven: tilings.left === 0 && width === undefined,
    },
  };
}

/** Every run of neighbouring Einsums within which all stays that is carried from step to step. */
function blocksOf(
  problem: MapperProblem,
  library: OptionLibrary,
): { readonly legal: readonly Block[]; readonly split: number } {
  const { einsums, facts } = problem;
  const ties = einsums.flatMap(({ name }, reader) =>
    facts.reads(name).flatMap(({ tensor, when }) => {
      const maker = einsums.findIndex(({ placed }) => placed.output === tensor);
      return when === "carried" && maker >= 0
        ? [{ first: Math.min(reader, maker), last: Math.max(reader, maker) }]
        : [];
    }),
  );
  const legal: Block[] = [];
  let split = 0;
  for (let from = 0; from < einsums.length; from += 1) {
    for (let to = from + 1; to <= einsums.length; to += 1) {
      const inside = (i: number): boolean => i >= from && i < to;
      if (ties.some(({ first, last }) => inside(first) !== inside(last))) split += 1;
      else legal.push({ from, to, bound: leastOf(problem, library, from, to) });
    }
  }
  return { legal, split };
}

/** As if every tensor could pass from Einsum to Einsum without the buffer. */
const direct = { isDirect: () => true };

/** Once it is known which tilings are best, they are searched so much more broadly. */
const polishing = 8;

/** A mapping whose blocks are searched again under their own tilings; itself where that finds nothing better. */
function polished(
  objective: Objective,
  found: FoundMapping,
  again: (block: MappedBlock) => { readonly outcome: Outcome; readonly what: MappedBlock } | undefined,
): FoundMapping {
  if (objective === "edp" || objective === "pareto") return found;
  const blocks = found.what.map(again);
  if (blocks.some(block => block === undefined)) return found;
  const best = blocks.flatMap(block => block ?? []);
  const outcome = sum(...best.map(block => block.outcome));
  const front = new Front<readonly MappedBlock[]>(objective);
  front.offer(found.outcome, () => found.what);
  front.offer(outcome, () => best.map(({ what }) => what));
  return front.all[0] ?? found;
}

/** What a block takes under any tiling: its operations, and each tensor from outside once. */
function leastOf(problem: MapperProblem, library: OptionLibrary, from: number, to: number): Outcome {
  const { ranks, arrays, compiled, values } = problem;
  const sizes = arrays.flatMap(({ fanouts }) => fanouts.map(({ size }) => size));
  const [first = 1] = sizes;
  // Fan-outs of several sizes: at the least every PE of an array works all the time.
  const isEven = sizes.every(size => size === first);
  const order = { outer: ranks.map((_, r) => r), inner: ranks.map((_, r) => r) };
  const cut = ranks.map(({ size, inner }) => {
    const tile = inner === undefined || !isEven ? 1 : Math.min(size, first);
    return { inner: tile, middle: Math.ceil(size / tile), outer: 1 };
  });
  const ideal = ({ place }: PlacedOption): number =>
    isEven ? 1 : place.array.fanouts.reduce((pes, { size }) => pes * size, 1);
  const whole: Tiling = { order, cut };
  setTiling(problem, whole, values);
  const costs = accessCosts(compiled, values);
  const dram = compiled.levels.get(problem.dram);
  const access = costs[dram?.index ?? 0]?.(8);
  const table = new CostTable(values, costs);
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
        return { energyPj, cycles: cycles / ideal(option) };
      },
      tensor: (option, t, kept) => {
        const cost = table.tensor(option, t, kept);
        return { ...cost, energyPj: Number.isFinite(cost.energyPj) ? cost.dramBytes * pjPerByte : 0, bufferBytes: 0 };
      },
    },
    direct,
  );
  return outcomeOf(problem, after[0]);
}

function outcomeOf(problem: MapperProblem, least: ReturnType<typeof boundsOf>["after"][number] | undefined): Outcome {
  const { compiled, values, dram } = problem;
  if (least === undefined) return nothing;
  const busy = Math.min(...least.cycles.map(own => Math.max(...own)));
  const bytesPerSecond = compiled.levels.get(dram)?.fields.get("bytesPerSecond")?.(values) ?? Number.POSITIVE_INFINITY;
  const latencySeconds = Math.max(busy / compiled.frequencyHz(values), least.dramBytes / bytesPerSecond);
  return withStaticEnergy(problem, latencySeconds, least.energyPj);
}

function boundOf(
  problem: MapperProblem,
  library: OptionLibrary,
  { from, to }: Block,
  tiling: Tiling,
  handOver: HandOver,
): Outcome {
  const { compiled, values } = problem;
  setTiling(problem, tiling, values);
  const table = new CostTable(values, accessCosts(compiled, values));
  const { after } = boundsOf(problem, library, from, to, tiling, table, handOver);
  return outcomeOf(problem, after[0]);
}

/** The least that the Einsums before (or from) each place take, whatever blocks they form. */
function leastPath(n: number, blocks: readonly Block[], side: "before" | "after"): readonly Outcome[] {
  const unknown: Outcome = { latencySeconds: Number.POSITIVE_INFINITY, energyPj: Number.POSITIVE_INFINITY };
  const least: Outcome[] = Array.from({ length: n + 1 }, () => unknown);
  const least1 = (a: Outcome, b: Outcome): Outcome => ({
    latencySeconds: Math.min(a.latencySeconds, b.latencySeconds),
    energyPj: Math.min(a.energyPj, b.energyPj),
  });
  const isBefore = side === "before";
  least[isBefore ? 0 : n] = nothing;
  const ordered = [...blocks].sort((a, b) =>
    isBefore ? a.to - b.to || a.from - b.from : b.from - a.from || b.to - a.to,
  );
  for (const { from, to, bound } of ordered) {
    const [at, rest] = isBefore ? [to, from] : [from, to];
    least[at] = least1(least[at] as Outcome, sum(least[rest] as Outcome, bound));
  }
  return least;
}

/** Whole mappings of the fronts of blocks: every path of blocks from the first Einsum to the last. */
function joined(
  objective: Objective,
  slack: number,
  n: number,
  blocks: readonly Block[],
  fronts: ReadonlyMap<Block, Front<MappedBlock>>,
): Front<readonly MappedBlock[]> {
  const at = Array.from({ length: n + 1 }, (_, i) => new Front<readonly MappedBlock[]>(objective, slack, i === n));
  at[0]?.offer(nothing, () => []);
  const ordered = [...blocks].sort((a, b) => a.to - b.to || a.from - b.from);
  for (const block of ordered) {
    for (const { outcome, what } of fronts.get(block)?.all ?? []) {
      for (const start of at[block.from]?.all ?? []) {
        at[block.to]?.offer(sum(start.outcome, outcome), () => [...start.what, what]);
      }
    }
  }
  return at[n] as Front<readonly MappedBlock[]>;
}

/** Places of each Einsum times the levels that may keep each of its tensors. */
function mappingsOf({ einsums }: MapperProblem, library: OptionLibrary, { from, to }: Block): bigint {
  let product = 1n;
  for (let i = from; i < to; i += 1) {
    const reads = einsums[i]?.placed.reads.length ?? 0;
    const own = library.placesOf(i).reduce((total, { array }) => {
      const memories = array.levels.length - array.fanouts.length - 1;
      // Registers keep every tensor; any other memory may or may not.
      return total + 2n ** BigInt(memories * (reads + 1));
    }, 0n);
    product *= own;
  }
  return product;
}

function countPaths(n: number, blocks: readonly Block[], sizes: ReadonlyMap<Block, bigint>): bigint {
  const count = Array.from({ length: n + 1 }, () => 0n);
  count[0] = 1n;
  for (const block of [...blocks].sort((a, b) => a.to - b.to || a.from - b.from)) {
    count[block.to] = (count[block.to] as bigint) + (count[block.from] as bigint) * (sizes.get(block) ?? 0n);
  }
  return count[n] as bigint;
}
