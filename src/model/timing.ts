import type { EinsumUse } from "./action-counts.js";
import type { CompiledDesign } from "./compile.js";
import type { CompiledLevel } from "./compile-levels.js";
import { cyclesOf, type LevelUse } from "./level-use.js";

export interface Timing {
  readonly latencySeconds: number;
  /** The latency in clock cycles. */
  readonly cycles: number;
  readonly phases: readonly PhaseTiming[];
  readonly frequencyHz: number;
  readonly dramBytesPerSecond: number;
  /** Per array the share of its PE-cycles that go into points that exist; the same as its `use.useful`. */
  readonly utilization: Readonly<Record<string, number>>;
  /** The same, Einsum by Einsum. */
  readonly einsumUtilization: Readonly<Record<string, number>>;
  /** Per array what its PE-cycles are spent on, as shares of all of them. */
  readonly use: Readonly<Record<string, ArrayUse>>;
  /** Per array its PEs. */
  readonly pes: Readonly<Record<string, number>>;
  /** The array with the most PEs; the first of those that have as many. */
  readonly largestArray: string;
  /** Operations per byte of DRAM traffic (a multiply-accumulate is two) that keep the largest array busy all the time. */
  readonly balanceOperationsPerByte: number;
  /** What limits the design: dram or another level, an array (or a unit of it) that never rests, or the binding, which lets none work all the time. */
  readonly bound: string;
}

/** Shares of an array's PE-cycles; they add up to 1, or are all 0 where there are none. */
export interface ArrayUse {
  /** Operations on points that exist. */
  readonly useful: number;
  /** Scores in touched tiles that a mask hides. */
  readonly masked: number;
  /** By fan-out: columns, rows or lanes without a query, key or feature to work on. */
  readonly unfilled: Readonly<Record<string, number>>;
  /** Waiting for DRAM. */
  readonly dram: number;
  /** Waiting for the other array, or as the binding orders. */
  readonly binding: number;
}

export interface PhaseTiming {
  readonly name: string;
  readonly seconds: number;
  /** With what PEs wait for levels with a single buffer, and for the first words. */
  readonly computeCycles: number;
  readonly computeSeconds: number;
  readonly memorySeconds: number;
  /** Busy seconds of each array, and of units that work beside the rest of its PEs as `array.unit`. */
  readonly busySeconds: Readonly<Record<string, number>>;
  /** Seconds that each level takes to pass its bytes, where it says how fast it is. */
  readonly levelSeconds: Readonly<Record<string, number>>;
}

/** An array that is busy for all but this share of a phase limits it; simulated phases have fill and drain besides. */
const idleShare = 1e-9;
const simulatedIdleShare = 1e-2;

/**
 * Phases one after the other, each as long as the longer of its computation and its DRAM traffic.
 * @param levels what each Einsum asks of the levels, where any says how fast it is
 * @param simulated the computation's cycles by simulation, for a design of a single phase; null where the binding says them
 */
export function timingOf(
  design: CompiledDesign,
  counts: readonly EinsumUse[],
  bytes: ReadonlyMap<string, number>,
  values: Float64Array,
  simulated: number | null = null,
  levels?: ReadonlyMap<string, LevelUse>,
): Timing {
  const frequency = design.frequencyHz(values);
  const bandwidth = dramOf(design).fields.get("bytesPerSecond")?.(values) ?? Number.NaN;
  const phases = design.phases.map(({ name, einsums, cycles }): PhaseTiming => {
    const busyCycles: Record<string, number> = {};
    let moved = 0;
    for (const { name: einsum, unitCycles } of counts) {
      if (!einsums.includes(einsum)) continue;
      for (const [unit, cycles] of Object.entries(unitCycles)) busyCycles[unit] = (busyCycles[unit] ?? 0) + cycles;
      moved += bytes.get(einsum) ?? 0;
    }
    // What the binding says takes its time in any case: a schedule adds what it leaves out. No binding makes an array quicker
    // than its own work.
    const busiest = Math.max(...Object.values(busyCycles)) * (1 - idleShare);
    const bound = Math.max(cycles(values), busiest);
    const working = simulated !== null && design.phases.length === 1 ? Math.max(bound, simulated) : bound;
    const uses = levels === undefined ? [] : einsums.flatMap(einsum => levels.get(einsum) ?? []);
    const first = uses.reduce((most, { latencyCycles }) => Math.max(most, latencyCycles), 0);
    const computeCycles = uses.reduce((sum, { waitCycles }) => sum + waitCycles, working + first);
    const levelSeconds = secondsOfLevels(design, uses, values, frequency);
    const computeSeconds = computeCycles / frequency;
    const busySeconds = Object.fromEntries(
      Object.entries(busyCycles).map(([array, busy]) => [array, busy / frequency]),
    );
    const memorySeconds = moved / bandwidth;
    const seconds = Math.max(computeSeconds, memorySeconds, ...Object.values(levelSeconds));
    return { name, seconds, computeCycles, computeSeconds, memorySeconds, busySeconds, levelSeconds };
  });
  const latencySeconds = phases.reduce((sum, { seconds }) => sum + seconds, 0);
  const pes = new Map([...design.arrays.keys()].map(array => [array, pesOf(design, array, values)]));
  const einsumUtilization: Record<string, number> = {};
  const utilization: Record<string, number> = Object.fromEntries([...pes.keys()].map(array => [array, 0]));
  for (const { name, array, cycles, iterations, peSteps } of counts) {
    // What its PEs do, step by step, over the PEs that are there to do it.
    const filled = iterations === 0 ? 0 : peSteps.useful / iterations / (pes.get(array) as number);
    const share = latencySeconds === 0 ? 0 : ((cycles / frequency) * filled) / latencySeconds;
    einsumUtilization[name] = share;
    utilization[array] = (utilization[array] as number) + share;
  }
  return {
    latencySeconds,
    cycles: phases.reduce((sum, p) => sum + cyclesOfPhase(p, frequency), 0),
    phases,
    frequencyHz: frequency,
    dramBytesPerSecond: bandwidth,
    utilization,
    einsumUtilization,
    use: Object.fromEntries([...pes].map(([array, size]) => [array, useOf(array, size, counts, phases, frequency)])),
    pes: Object.fromEntries(pes),
    largestArray: [...pes].reduce((a, b) => (b[1] > a[1] ? b : a))[0],
    balanceOperationsPerByte: (2 * frequency * Math.max(...pes.values())) / bandwidth,
    bound: boundOf(phases, simulated === null ? idleShare : simulatedIdleShare),
  };
}

const cyclesOfPhase = ({ computeCycles, memorySeconds, levelSeconds }: PhaseTiming, frequency: number): number =>
  Math.max(computeCycles, memorySeconds * frequency, ...Object.values(levelSeconds).map(s => s * frequency));

/** Seconds that each level takes for what the Einsums of a phase pass through it. DRAM's own rate is counted by its traffic. */
export function secondsOfLevels(
  design: CompiledDesign,
  uses: readonly LevelUse[],
  values: Float64Array,
  frequency: number,
): Readonly<Record<string, number>> {
  const seconds: Record<string, number> = {};
  for (const level of uses.length === 0 ? [] : design.levels.values()) {
    if (level.spec.kind === "fanout" || level.spec.bandwidth === undefined) continue;
    const own = uses.flatMap(({ bytes }) => bytes[level.name] ?? []);
    const read = own.reduce((sum, { read }) => sum + read, 0);
    const written = own.reduce((sum, { written }) => sum + written, 0);
    seconds[level.name] = cyclesOf(design, level, { read, written }, values) / frequency;
  }
  return seconds;
}

function useOf(
  array: string,
  pes: number,
  counts: readonly EinsumUse[],
  phases: readonly PhaseTiming[],
  frequency: number,
): ArrayUse {
  const seconds = phases.reduce((sum, phase) => sum + phase.seconds, 0);
  // Where a mask hides every score nothing is done, and no cycle has a use.
  if (seconds === 0) return { useful: 0, masked: 0, unfilled: {}, dram: 0, binding: 0 };
  const all = seconds * frequency * pes;
  let [useful, masked, empty] = [0, 0, 0];
  const unfilled: Record<string, number> = {};
  for (const { array: own, cycles, iterations, peSteps } of counts) {
    if (own !== array || iterations === 0) continue;
    const share = cycles / iterations / all;
    useful += peSteps.useful * share;
    masked += peSteps.masked * share;
    for (const { level, steps } of peSteps.unfilled) {
      unfilled[level] = (unfilled[level] ?? 0) + steps * share;
      empty += steps * share;
    }
  }
  const dram = phases.reduce((sum, p) => sum + Math.max(0, p.memorySeconds - p.computeSeconds), 0) / seconds;
  const binding = 1 - (useful + masked + empty + dram);
  // An array that never waits is left with the rounding of the sum.
  return { useful, masked, unfilled, dram, binding: Math.abs(binding) < rounding ? 0 : binding };
}

/** Of sums of shares: far below any share that means something. */
const rounding = 1e-12;

/** The resource that holds up the phases which take longest together. */
function boundOf(phases: readonly PhaseTiming[], idleShare: number): string {
  const held = new Map<string, number>();
  for (const { seconds, computeSeconds, memorySeconds, busySeconds, levelSeconds } of phases) {
    const level = Object.entries(levelSeconds).find(([, own]) => own >= seconds && own > computeSeconds);
    const busy = Object.entries(busySeconds).find(([, busy]) => busy >= computeSeconds * (1 - idleShare));
    const resource =
      level !== undefined && level[1] > memorySeconds
        ? level[0]
        : memorySeconds > computeSeconds
          ? "dram"
          : (busy?.[0] ?? "binding");
    held.set(resource, (held.get(resource) ?? 0) + seconds);
  }
  return [...held].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

/** How many PEs an array has: the fan-outs around its registers. */
function pesOf(design: CompiledDesign, array: string, values: Float64Array): number {
  const at = design.architecture.arrays[array]?.at as string;
  return instances(design, at, values);
}

/** How many instances of a level there are. */
export function instances(design: CompiledDesign, level: string, values: Float64Array): number {
  const around = design.levels.get(level)?.around ?? [];
  return around.reduce((n, name) => n * (design.levels.get(name)?.fields.get("size")?.(values) ?? 1), 1);
}

/** Its memory outside the chip: every design has one (checkEnds). */
export const dramOf = ({ levels }: CompiledDesign): CompiledLevel =>
  [...levels.values()].find(({ spec }) => spec.kind === "dram") as CompiledLevel;
