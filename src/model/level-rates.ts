import type { CompiledDesign } from "./compile.js";
import type { Evaluation, MappedDesign } from "./evaluate.js";
import { cyclesOf, hasTimedLevels, levelUses } from "./level-use.js";
import { dramOf, instances } from "./timing.js";

/** What the arrays and the levels of a design can do a second, and what passes them. */
export interface LevelRates {
  /** Operations per second of all arrays together (a multiply-accumulate is two), each PE at what it does quickest. */
  readonly peak: number;
  /** DRAM, and the levels that say how fast they are. */
  readonly levels: readonly {
    readonly name: string;
    /** Bytes of the busiest instance, or of all where they share what passes. */
    readonly bytes: number;
    /** Bytes per second that pass when reads and writes come as they do here. */
    readonly bytesPerSecond: number;
  }[];
}

/** The rates of a design that has been mapped and evaluated. */
export function levelRates(
  design: CompiledDesign,
  { einsums, values }: MappedDesign,
  evaluation: Evaluation,
): LevelRates {
  const frequency = design.frequencyHz(values);
  const peak = [...design.arrays].reduce((sum, [array, operations]) => {
    const rates = [...operations].map(([name, cycles]) => (name === "mac" ? 2 : 1) / cycles(values));
    const best = rates.filter(Number.isFinite).reduce((a, b) => Math.max(a, b), 0);
    return sum + best * frequency * instances(design, design.architecture.arrays[array]?.at as string, values);
  }, 0);
  const { name } = dramOf(design);
  const outside = { name, bytes: evaluation.trafficBytes, bytesPerSecond: evaluation.dramBytesPerSecond };
  const uses = hasTimedLevels(design) ? [...levelUses(design, einsums, evaluation.counts, values).values()] : [];
  const inside = [...design.levels.values()].flatMap(level => {
    if (level.spec.kind === "fanout" || level.spec.kind === "dram") return [];
    const own = uses.flatMap(({ bytes }) => bytes[level.name] ?? []);
    const read = own.reduce((sum, { read }) => sum + read, 0);
    const written = own.reduce((sum, { written }) => sum + written, 0);
    const seconds = cyclesOf(design, level, { read, written }, values) / frequency;
    if (seconds === 0) return [];
    return [{ name: level.name, bytes: read + written, bytesPerSecond: (read + written) / seconds }];
  });
  return { peak, levels: [outside, ...inside] };
}
