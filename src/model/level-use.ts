import { type EinsumCounts, type Laid, spreadSizes } from "./action-counts.js";
import type { CompiledDesign } from "./compile.js";
import type { CompiledLevel } from "./compile-levels.js";
import { analyse, busiestShare, fetchedWords, type TensorAccesses, tilesMet } from "./loop-nest.js";
import type { NestTensor } from "./nest.js";

/** Bytes that pass a level: of its busiest instance, or of all together where they share what passes. */
export interface LevelBytes {
  readonly read: number;
  readonly written: number;
}

/** What an Einsum asks of the levels that say how fast they are. */
export interface LevelUse {
  /** By level. */
  readonly bytes: Readonly<Record<string, LevelBytes>>;
  /** Cycles in which PEs wait for tiles of levels with a single buffer. */
  readonly waitCycles: number;
  /** Cycles until the first words have come all the way. */
  readonly latencyCycles: number;
}

const isTimed = ({ spec }: CompiledLevel): boolean =>
  spec.kind !== "fanout" &&
  (spec.bandwidth !== undefined || spec.latencyCycles !== undefined || spec.buffering !== undefined);

/** Whether any level of a design says how fast it is. */
export const hasTimedLevels = (design: CompiledDesign): boolean => [...design.levels.values()].some(isTimed);

/** What each Einsum asks of the levels, by its name; only to be asked where some level is timed. */
export function levelUses(
  design: CompiledDesign,
  laid: readonly Laid[],
  counts: readonly EinsumCounts[],
  values: Float64Array,
): ReadonlyMap<string, LevelUse> {
  return new Map(
    laid.map((einsum, i) => [einsum.einsum.name, levelUseOf(design, einsum, counts[i] as EinsumCounts, values)]),
  );
}

/** What one Einsum, or some of its tensors, asks of the levels. */
export function levelUseOf(design: CompiledDesign, laid: Laid, counts: EinsumCounts, values: Float64Array): LevelUse {
  const { shape, counts: ranks, boxes, kept, einsum } = laid;
  const sizes = spreadSizes(design, laid, values);
  const exact = { overflow: false };
  const elementBytes = (t: number): number => (counts.bits[t] as number) / 8;
  const ofOne = analyse(shape, ranks, kept, { ...exact, allInstances: false });
  const ofAll = analyse(shape, ranks, kept, { ...exact, allInstances: true });
  const passed = (t: number, k: number): LevelBytes => {
    const index = kept[t]?.[k] as number;
    const { spec } = einsum.path[index] as CompiledLevel;
    const shared = spec.kind !== "fanout" && spec.bandwidth?.shared === true;
    const { reads, updates, fills } = ((shared ? ofAll : ofOne)[t] as TensorAccesses).levels[
      k
    ] as TensorAccesses["levels"][number];
    const share = (shared ? 1 : busiestShare(einsum.shape, boxes, sizes, index)) * elementBytes(t);
    return { read: reads * share, written: (updates + fills) * share };
  };
  const bytes: Record<string, LevelBytes> = {};
  let waitCycles = 0;
  const passes = new Set<CompiledLevel>();
  for (let t = 0; t < kept.length; t++) {
    for (let k = 0; k < (kept[t]?.length ?? 0); k++) {
      const level = einsum.path[kept[t]?.[k] as number] as CompiledLevel;
      passes.add(level);
      const own = passed(t, k);
      const before = bytes[level.name] ?? { read: 0, written: 0 };
      bytes[level.name] = { read: before.read + own.read, written: before.written + own.written };
      if (k === 0 || level.spec.kind === "fanout" || level.spec.buffering !== "single") continue;
      const above = einsum.path[kept[t]?.[k - 1] as number] as CompiledLevel;
      const index = kept[t]?.[k] as number;
      const tensor = shape.tensors[t] as NestTensor;
      const { output } = tensor;
      const share = busiestShare(einsum.shape, boxes, sizes, index);
      const tiles = fetchedWords(shape, ranks, tensor, index, 0, 0) * share;
      const sent = tiles * elementBytes(t);
      const came = (ofOne[t]?.levels[k]?.fills ?? 0) * share * elementBytes(t);
      const inside = cyclesOf(design, level, { read: output ? sent : 0, written: came }, values);
      const outside = cyclesOf(design, above, passed(t, k - 1), values);
      const words = Math.max(1, counts.tiles[t]?.[k] ?? 1);
      const iterations = Math.ceil(
        tensor.windows === undefined ? tiles / words : tilesMet(shape, ranks, tensor, index) * share,
      );
      waitCycles += Math.max(outside, inside) + iterations * latencyOf(above, values);
    }
  }
  const latencyCycles = [...passes].reduce((sum, level) => sum + latencyOf(level, values), 0);
  return { bytes, waitCycles, latencyCycles };
}

/** What two together ask; latencies of words that come side by side do not add up. */
export function joinedUse(a: LevelUse, b: LevelUse): LevelUse {
  const bytes: Record<string, LevelBytes> = { ...a.bytes };
  for (const [level, { read, written }] of Object.entries(b.bytes)) {
    const before = bytes[level] ?? { read: 0, written: 0 };
    bytes[level] = { read: before.read + read, written: before.written + written };
  }
  return {
    bytes,
    waitCycles: a.waitCycles + b.waitCycles,
    latencyCycles: Math.max(a.latencyCycles, b.latencyCycles),
  };
}

/** Cycles until words have come from an outer level. */
export const latencyOf = ({ fields }: CompiledLevel, values: Float64Array): number =>
  fields.get("latencyCycles")?.(values) ?? 0;

/** Cycles that a level takes to pass some bytes: the longest that any of its limits asks for. */
export function cyclesOf(
  design: CompiledDesign,
  { spec, fields }: CompiledLevel,
  { read, written }: LevelBytes,
  values: Float64Array,
): number {
  const field = (name: string): number => fields.get(name)?.(values) ?? Number.POSITIVE_INFINITY;
  const rowBytes =
    spec.kind === "sram"
      ? field("rowWords") * design.wordBytes
      : spec.kind === "dram"
        ? design.technology.dram.bits / 8
        : design.wordBytes;
  return Math.max(
    ((read + written) / field("bytesPerSecond")) * design.frequencyHz(values),
    (read + written) / Math.min(field("bandwidth.bytesPerCycle"), field("bandwidth.ports") * rowBytes),
    read / Math.min(field("bandwidth.readBytesPerCycle"), field("bandwidth.readPorts") * rowBytes),
    written / Math.min(field("bandwidth.writeBytesPerCycle"), field("bandwidth.writePorts") * rowBytes),
  );
}
