import { howMany, SpecError } from "../errors.js";
import type { Path } from "../spec/document.js";
import type { EinsumCounts } from "./action-counts.js";
import type { CompiledDesign } from "./compile.js";
import type { CompiledEinsum } from "./compile-einsum.js";

/** What a level's number must be, by field; others must be at least 0. */
const least: Readonly<Record<string, number>> = { size: 1, depth: 1, rowWords: 1, bytes: 1, bytesPerSecond: 1 };
/** What must be above 0: nothing would ever pass. */
const isAboveZero = (field: string): boolean => field.startsWith("bandwidth.");

/** What is counted: half an instance, or half a register, is none. */
const isCounted = (field: string): boolean => field === "size" || field === "depth";

/** Throws SpecError for a negative energy, area or time, a memory of no bytes, a clock that stands still. */
export function checkNumbers(design: CompiledDesign, values: Float64Array): void {
  const at = (path: Path): string => design.inArchitecture(path)();
  for (const { name, fields } of design.levels.values()) {
    for (const [field, compute] of fields) {
      const value = compute(values);
      const bound = least[field] ?? 0;
      const aboveZero = isAboveZero(field);
      const isWhole = !isCounted(field) || Number.isInteger(value);
      if (isWhole && (aboveZero ? value > 0 : value >= bound) && value < Number.POSITIVE_INFINITY) continue;
      const number = isCounted(field) ? "a whole number" : "a number";
      const expected = aboveZero ? `${number} above 0` : `${number} of at least ${bound}`;
      throw new SpecError({ where: at(["levels", name, ...field.split(".")]), got: String(value), expected });
    }
  }
  for (const [array, operations] of design.arrays) {
    for (const [operation, cycles] of operations) {
      const value = cycles(values);
      if (value >= 0 && value < Number.POSITIVE_INFINITY) continue;
      const where = at(["arrays", array, "operations", operation]);
      throw new SpecError({ where, got: `${value} cycles`, expected: "a number of at least 0" });
    }
  }
  for (const [array, watts] of design.arrayWatts) {
    const value = watts(values);
    if (value >= 0 && value < Number.POSITIVE_INFINITY) continue;
    const where = at(["arrays", array, "staticWatts"]);
    throw new SpecError({ where, got: `${value} W`, expected: "a number of at least 0" });
  }
  const frequency = design.frequencyHz(values);
  if (frequency > 0 && frequency < Number.POSITIVE_INFINITY) return;
  throw new SpecError({ where: at(["frequencyHz"]), got: String(frequency), expected: "a number above 0" });
}

/**
 * Throws SpecError for a fan-out of several instances over which no Einsum that it is around has a loop: all but one would idle, which
 * the mapping has to say; and for one that it says idles although some Einsum has a loop over it.
 */
export function checkInstances(design: CompiledDesign, einsums: readonly CompiledEinsum[], values: Float64Array): void {
  const { idle = [], name } = design.mapping;
  const used = new Map<string, boolean>();
  for (const { fanouts, spreadOver } of einsums) {
    for (const { level, loops } of fanouts) {
      used.set(level, used.get(level) === true || loops !== 0 || spreadOver.includes(level));
    }
  }
  for (const [i, level] of idle.entries()) {
    if (design.levels.get(level)?.spec.kind === "fanout" && used.get(level) !== true) continue;
    const got = used.get(level) === true ? `${level}, over which an Einsum has a loop` : `the level '${level}'`;
    const expected = `fan-outs without a loop: ${[...used].flatMap(([own, has]) => (has ? [] : [own])).join(", ") || "there is none"}`;
    throw new SpecError({ where: design.design.mapping.at(["idle", i]), got, expected });
  }
  for (const [level, isUsed] of used) {
    const size = isUsed || idle.includes(level) ? 1 : (design.levels.get(level)?.fields.get("size")?.(values) ?? 1);
    if (size <= 1) continue;
    throw new SpecError({
      where: design.inArchitecture(["levels", level, "size"])(),
      got: `${size} instances of ${level}, over which no Einsum of ${name} has a loop`,
      expected: "a loop over them, or one instance",
      fix: `put a loop under loops.${level}, deal steps of outer loops with spread, or say idle: [ ${level} ] in the mapping`,
    });
  }
}

/**
 * All tensors that a phase keeps in a buffer are there at once; those in another's place, and spilled ones, do not count. What
 * streams through a level with double buffering takes its room twice.
 */
export function checkBuffers(design: CompiledDesign, counts: readonly EinsumCounts[], values: Float64Array): void {
  const buffers = [...design.levels.values()].filter(({ spec }) => spec.kind === "sram");
  for (const buffer of buffers) {
    const capacity = buffer.fields.get("bytes")?.(values) ?? 0;
    for (const phase of design.phases) {
      const bytes = new Float64Array(design.seats.length);
      for (const count of counts) if (phase.einsums.includes(count.name)) seat(count, buffer.index, bytes);
      const needed = Math.ceil(bytes.reduce((sum, own) => sum + own, 0));
      if (needed <= capacity) continue;
      const largest = design.seats[bytes.indexOf(Math.max(...bytes))];
      throw new SpecError({
        where: design.design.mapping.at(["einsums"]),
        got: `tiles of ${needed} bytes in ${buffer.name} for phase ${phase.name}, ${howMany(needed - capacity, "byte")} over its ${capacity}`,
        expected: `tiles that fit ${buffer.name}`,
        fix: `make the tile of ${largest} smaller or ${buffer.name} larger`,
      });
    }
  }
}

/** Puts the bytes of the tiles that an Einsum keeps in a buffer into their seats. */
function seat(
  { accesses, path, tiles, seats, spilled, bits }: EinsumCounts,
  buffer: number,
  bytes: Float64Array,
): void {
  for (let t = 0; t < accesses.length; t++) {
    if ((spilled[t] as number) > 0) continue;
    const at = (accesses[t] as EinsumCounts["accesses"][number]).levels;
    for (let k = 0; k < at.length; k++) {
      const level = path[at[k]?.level as number];
      if (level?.index !== buffer) continue;
      const copies = k > 0 && level.spec.kind === "sram" && level.spec.buffering === "double" ? 2 : 1;
      const own = seats[t] as number;
      const tile = copies * (tiles[t]?.[k] as number) * ((bits[t] as number) / 8);
      bytes[own] = Math.max(bytes[own] as number, tile);
    }
  }
}
