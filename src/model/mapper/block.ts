import { hasTimedLevels, joinedUse, type LevelUse, latencyOf } from "../level-use.js";
import { secondsOfLevels } from "../timing.js";
import { type Bounds, boundsOf } from "./bounds.js";
import { staysOnArray } from "./carried.js";
import { type CostCache, CostTable } from "./cost-table.js";
import { inTurns } from "./drawn-order.js";
import { aimsOf, comparing, type Front, type Outcome } from "./goal.js";
import type { HandOver } from "./hand-over.js";
import { follows, type Layout, layoutsOf } from "./layout.js";
import { levelsIn, type OptionLibrary, type PlacedOption, saysBuffering, type TensorCost, usedBy } from "./option.js";
import { chosenOf, type Partial, roomOf, type Step } from "./partial.js";
import type { Place } from "./place.js";
import { type MapperProblem, withStaticEnergy } from "./problem.js";
import { keptWith, Supplies, type Supply } from "./supply.js";
import { setTiling, type Tiling } from "./tiling.js";

/** A block of Einsums mapped: each with its place, and the levels (by their places) that keep each of its tensors. */
export interface MappedBlock {
  readonly from: number;
  readonly tiling: Tiling;
  readonly einsums: readonly { readonly option: PlacedOption; readonly kept: readonly (readonly number[])[] }[];
}

/** What a search did. */
export interface Effort {
  /** Partial and whole mappings that were formed. */
  nodes: number;
  /** Whole mappings among them. */
  mappings: number;
  /** Partial mappings that were left because no completion beats what is known; because they do not fit the buffer. */
  beaten: number;
  unfit: number;
  /** Partial mappings that a limited search left for others that looked better. */
  passedOver: number;
}

/**
 * Tries the mappings of the Einsums from `from` to before `to` under one tiling: every place of each, every level at which
 * tensors can be handed over or kept, as long as a bound says that the front could still change.
 * @param width undefined: all of them, depth first; else Einsum by Einsum the best so many partial mappings are gone on with
 * @param places by Einsum the only place that is tried
 * @param accepts whether a whole block counts
 * @param knowsNothing whether any mapping is better than what is known
 */
export function searchBlock(
  problem: MapperProblem,
  library: OptionLibrary,
  { from, to }: { readonly from: number; readonly to: number },
  tiling: Tiling,
  front: Front<MappedBlock | null>,
  effort: Effort,
  handOver: HandOver,
  cache: CostCache,
  width: number | undefined,
  places?: readonly number[],
  accepts: (block: MappedBlock) => boolean = () => true,
  knowsNothing = false,
): void {
  const isLimited = width !== undefined;
  new BlockSearch(
    problem,
    library,
    from,
    to,
    tiling,
    front,
    effort,
    handOver,
    cache,
    isLimited,
    places,
    accepts,
    knowsNothing,
  ).run(width);
}

class BlockSearch {
  /** What places have to follow, if anything. */
  private layout: Layout | undefined;
  /** In which order partial mappings are gone on with. */
  private compare: (a: Outcome, b: Outcome) => number;
  private readonly table: CostTable;
  private readonly bounds: Bounds;
  private readonly copies: number;
  private readonly bytesPerSecond: number;
  private readonly frequencyHz: number;
  private readonly isTimed: boolean;
  private readonly supplies: Supplies;

  constructor(
    private readonly problem: MapperProblem,
    private readonly library: OptionLibrary,
    private readonly from: number,
    private readonly to: number,
    private readonly tiling: Tiling,
    private readonly front: Front<MappedBlock | null>,
    private readonly effort: Effort,
    handOver: HandOver,
    cache: CostCache,
    isLimited: boolean,
    private readonly places: readonly number[] | undefined,
    private readonly accepts: (block: MappedBlock) => boolean,
    private readonly knowsNothing: boolean,
  ) {
    const { compiled, values, accounting } = problem;
    this.compare = comparing(front.objective);
    setTiling(problem, tiling, values);
    this.table = new CostTable(cache, tiling, values);
    this.supplies = new Supplies(problem, library, from, to, this.table, handOver, isLimited);
    this.bounds = boundsOf(problem, library, from, to, tiling, this.table, handOver);
    // An architecture that says how tiles are buffered says it of all.
    this.copies = !saysBuffering(problem) && accounting.corrections.includes("double-buffering") ? 2 : 1;
    this.isTimed = hasTimedLevels(compiled);
    this.frequencyHz = compiled.frequencyHz(values);
    const dram = compiled.levels.get(problem.dram);
    this.bytesPerSecond = dram?.fields.get("bytesPerSecond")?.(values) ?? Number.POSITIVE_INFINITY;
  }

  run(width: number | undefined): void {
    if (width === undefined) {
      this.deeper(undefined);
      return;
    }
    const before = this.effort.mappings;
    for (const aim of aimsOf(this.front.objective)) {
      this.compare = comparing(aim);
      for (const layout of this.places === undefined ? layoutsOf(this.problem, this.from, this.to) : []) {
        this.layout = layout;
        this.broader(Math.ceil(width / 4));
      }
      this.layout = undefined;
      this.broader(width);
    }
    // What looked best left no room for a later Einsum: what takes little room is gone on with too.
    if (this.knowsNothing && this.effort.mappings === before && this.effort.unfit > 0) this.broader(width, true);
  }

  /** All, depth first, what looks best before the rest. */
  private deeper(before: Partial | undefined): void {
    for (const step of this.steps(before).sort((a, b) => this.inOrder(a, b))) {
      if (this.front.isBeaten(step.bound)) {
        this.effort.beaten += 1;
        continue;
      }
      const next = this.added(before, step);
      if (next === undefined) continue;
      if (this.from + next.depth === this.to) this.offer(next);
      else this.deeper(next);
    }
  }

  /** Einsum by Einsum, going on with the best so many. @param isTight every other one is of those that take the least room */
  private broader(width: number, isTight = false): void {
    let states: readonly (Partial | undefined)[] = [undefined];
    for (let i = this.from; i < this.to; i += 1) {
      const all = states.flatMap(before => this.steps(before).map(step => ({ before, step })));
      const next: Partial[] = [];
      const loads = new Map<string, number>();
      const sorted = all.sort((a, b) => this.inOrder(a.step, b.step));
      const least = isTight ? [...sorted].sort((a, b) => a.step.room - b.step.room) : sorted;
      for (const { before, step } of isTight ? inTurns([sorted, least]) : sorted) {
        if (this.front.isBeaten(step.bound)) {
          this.effort.beaten += 1;
        } else {
          // Other loads of the arrays, and other places of the last Einsum, are other ways to go on: a few of each.
          const load = `${step.cycles} ${step.option.id}`;
          const alike = loads.get(load) ?? 0;
          const isEnough = this.places === undefined && alike >= mostAlike;
          const added = next.length >= width || isEnough ? undefined : this.added(before, step);
          if (added === undefined) {
            this.effort.passedOver += 1;
            continue;
          }
          loads.set(load, alike + 1);
          next.push(added);
        }
      }
      states = next;
    }
    for (const state of states) if (state !== undefined) this.offer(state);
  }

  /** What looks best comes first. */
  private inOrder(a: Step, b: Step): number {
    return this.compare(a.look, b.look) || a.levelSeconds - b.levelSeconds;
  }

  private offer(partial: Partial): void {
    this.effort.mappings += 1;
    const chosen = chosenOf(partial);
    // One step of what is carried after the other, whichever arrays it passes.
    const carried = this.problem.recurrences.map(set =>
      set.reduce((sum, e) => {
        const own = chosen[e - this.from];
        return own === undefined ? sum : sum + this.table.work(own.option).cycles;
      }, 0),
    );
    const { cycles, dramBytes, energyPj } = partial;
    const use = this.useOf(partial, chosen);
    const outcome = this.outcome(partial.depth, [...cycles, ...carried], dramBytes, energyPj, use);
    const mapped = (): MappedBlock => {
      const einsums: MappedBlock["einsums"][number][] = [];
      for (let at: Partial | undefined = partial; at !== undefined; at = at.before) {
        const masks = [...at.inputs, partial.outputs[at.depth - 1] as number];
        einsums.unshift({ option: at.option, kept: masks.map(levelsIn) });
      }
      return { from: this.from, tiling: this.tiling, einsums };
    };
    if (!this.front.isBeaten(outcome) && this.accepts(mapped())) this.front.offer(outcome, mapped);
  }

  /** What a whole block asks of the levels. */
  private useOf({ outputs, use }: Partial, chosen: readonly Partial[]): LevelUse | undefined {
    return chosen.reduce((all, { option, inputs }, e) => {
      const output = outputs[e] as number;
      const own = this.table.tensor(option, option.tensors.length - 1, output).use;
      if (all === undefined || own === undefined) return undefined;
      const passed = levelsIn(inputs.reduce((levels, kept) => levels | kept, output));
      const { levels } = this.problem.compiled;
      const latencies = passed
        .map(level => levels.get(option.levelNames[level] as string))
        .map(level => (level === undefined ? 0 : latencyOf(level, this.problem.values)));
      return joinedUse(all, { ...own, latencyCycles: latencies.reduce((sum, own) => sum + own, 0) });
    }, use);
  }

  /**
   * What a completion takes at the least; of a whole block what it takes.
   * @param cycles by array, and by what is carried from step to step
   * @param use what is known to pass the levels
   */
  private outcome(
    depth: number,
    cycles: readonly number[],
    dramBytes: number,
    energyPj: number,
    use: LevelUse | undefined,
  ): Outcome {
    const rest = this.bounds.after[depth] as Bounds["after"][number];
    let busy = Number.POSITIVE_INFINITY;
    for (const own of rest.cycles) {
      let most = 0;
      for (let a = 0; a < cycles.length; a++) most = Math.max(most, (own[a] ?? 0) + (cycles[a] as number));
      busy = Math.min(busy, most);
    }
    const bytes = dramBytes + rest.dramBytes;
    const memory = bytes / this.bytesPerSecond;
    const energy = energyPj + rest.energyPj;
    if (use === undefined) {
      return withStaticEnergy(this.problem, Math.max(busy / this.frequencyHz, memory), energy, bytes);
    }
    const working = (busy + use.waitCycles + use.latencyCycles) / this.frequencyHz;
    return withStaticEnergy(this.problem, Math.max(working, memory, ...this.secondsOf(use)), energy, bytes);
  }

  private secondsOf(use: LevelUse): readonly number[] {
    const { compiled, values } = this.problem;
    return Object.values(secondsOfLevels(compiled, [use], values, this.frequencyHz));
  }

  /** Every way to add the next Einsum. */
  private steps(before: Partial | undefined): Step[] {
    const i = this.from + (before?.depth ?? 0);
    const found: Step[] = [];
    const chosen = chosenOf(before);
    const { einsums } = this.problem;
    const has = (rank: number): boolean => einsums[i]?.ranks.some(own => own.rank === rank && own.inner) === true;
    for (const place of this.library.suitedTo(i, this.tiling)) {
      if (this.places !== undefined && this.places[i - this.from] !== place) continue;
      const at = this.library.placesOf(i)[place] as Place;
      if (this.layout !== undefined && !follows(this.layout, at, has)) continue;
      if (this.problem.isSchedulable && !staysOnArray(this.problem, chosen, this.from, i, at)) continue;
      const option = this.library.option(i, place, this.tiling.order);
      const reads = this.problem.facts.reads(option.einsum.name);
      const out = option.tensors.length - 1;
      const choices = option.tensors.slice(0, out).map((tensor, t) =>
        this.supplies.of(
          chosen,
          option,
          i,
          t,
          reads.find(({ name }) => name === tensor),
        ),
      );
      if (i > 0 && this.problem.goesOn(i - 1)) choices.push(this.supplies.ofPart(chosen, option, i));
      const outputs = choices.some(list => list.length === 0) ? [] : this.supplies.outputs(chosen, option, i);
      if (outputs.length === 0) continue;
      const work = this.table.work(option);
      const array = this.problem.arrays.indexOf(option.place.array);
      const cycles = this.problem.arrays.map((_, a) => (before?.cycles[a] ?? 0) + (a === array ? work.cycles : 0));
      const visit = (t: number, supplies: readonly Supply[], energyPj: number, dramBytes: number): void => {
        const list = choices[t];
        if (list !== undefined) {
          for (const supply of list) {
            const more = this.extra(chosen, before, supplies, supply);
            const energy = energyPj + supply.cost.energyPj + more.energyPj;
            visit(t + 1, [...supplies, supply], energy, dramBytes + supply.cost.dramBytes + more.dramBytes);
          }
          return;
        }
        const costs = supplies.map(own => own.cost);
        const use = this.isTimed ? usedBy(before?.use, costs) : undefined;
        const taken = (before?.room ?? 0) + roomOf(this.problem, costs);
        const own = keptWith(supplies, i, out);
        for (const output of new Set(outputs.map(kept => kept | own))) {
          const cost = this.table.tensor(option, out, output);
          const [energy, bytes] = [energyPj + cost.energyPj, dramBytes + cost.dramBytes];
          if (!Number.isFinite(energy)) continue;
          const bound = this.outcome(i - this.from + 1, cycles, bytes, energy, use);
          const passed = this.isTimed ? usedBy(before?.passed, [...costs, cost]) : undefined;
          const levels = passed === undefined ? [] : this.secondsOf(passed);
          const look = { ...bound, latencySeconds: Math.max(bound.latencySeconds, ...levels) };
          const levelSeconds = levels.reduce((sum, own) => sum + own, 0);
          const spent = { energyPj: energy, dramBytes: bytes, cycles };
          const room = taken + roomOf(this.problem, [cost]);
          found.push({ option, supplies, output, room, ...spent, use, passed, bound, look, levelSeconds });
        }
      };
      visit(0, [], (before?.energyPj ?? 0) + work.energyPj, before?.dramBytes ?? 0);
    }
    return found;
  }

  /** What it costs a maker to have a tensor at one more level. */
  private extra(
    chosen: readonly Partial[],
    before: Partial | undefined,
    supplies: readonly Supply[],
    { maker, level }: Supply,
  ): { readonly energyPj: number; readonly dramBytes: number } {
    if (maker < 0 || before === undefined || maker === this.from + before.depth) return nothing;
    let kept = before.outputs[maker - this.from] as number;
    for (const other of supplies) if (other.maker === maker) kept |= 1 << other.level;
    const more = kept | (1 << level);
    if (more === kept) return nothing;
    const { option } = chosen[maker - this.from] as Partial;
    const out = option.tensors.length - 1;
    const [old, now] = [this.table.tensor(option, out, kept), this.table.tensor(option, out, more)];
    return { energyPj: now.energyPj - old.energyPj, dramBytes: now.dramBytes - old.dramBytes };
  }

  /** Adds an Einsum; undefined where the block then no longer fits the buffer. */
  private added(before: Partial | undefined, step: Step): Partial | undefined {
    const { option, supplies, output } = step;
    const bytes = new Map(before?.bytes);
    const seat = ({ seat, held }: TensorCost, streams: boolean): void => {
      for (const { level, room, isFile } of held) {
        const key = seat * seatsOfLevels + level;
        // Into a register file words come as they are needed.
        bytes.set(key, Math.max(bytes.get(key) ?? 0, room * (streams && !isFile ? this.copies : 1)));
      }
    };
    const outputs = [...(before?.outputs ?? []), output];
    const out = option.tensors.length - 1;
    seat(this.table.tensor(option, out, output), false);
    const chosen = chosenOf(before);
    for (const { kept, cost, maker, level } of supplies) {
      seat(cost, (kept & 1) !== 0);
      const m = maker - this.from;
      if (maker < 0 || m === chosen.length) continue;
      outputs[m] = (outputs[m] as number) | (1 << level);
      const target = (chosen[m] as Partial).option;
      seat(this.table.tensor(target, target.tensors.length - 1, outputs[m] as number), false);
    }
    const totals = new Map<number, number>();
    for (const [key, own] of bytes) totals.set(key % seatsOfLevels, (totals.get(key % seatsOfLevels) ?? 0) + own);
    if ([...totals].some(([level, own]) => Math.ceil(own) > (this.problem.capacities.get(level) ?? 0))) {
      this.effort.unfit += 1;
      return undefined;
    }
    this.effort.nodes += 1;
    const { energyPj, dramBytes, cycles, use, passed, room } = step;
    const inputs = supplies.slice(0, out).map(({ kept }) => kept);
    const depth = (before?.depth ?? 0) + 1;
    return { depth, before, option, inputs, outputs, cycles, bytes, room, energyPj, dramBytes, use, passed };
  }
}

/** Partial mappings with the same load of every array and the same last place that a limited search goes on with. */
const mostAlike = 2;
/** A seat and a level as one number. */
const seatsOfLevels = 1024;
const nothing = { energyPj: 0, dramBytes: 0 };
