import { SpecError } from "../errors.js";
import type { EinsumCounts } from "./action-counts.js";
import type { CompiledDesign } from "./compile.js";

/** What a level's number must be, by field; others must be at least 0. */
const least: Readonly<Record<string, number>> = { size: 1, depth: 1, rowWords: 1, bytes: 1, bytesPerSecond: 1 };

/** Throws SpecError for a negative energy or area, a memory of no bytes, a clock that stands still. */
export function checkNumbers(design: CompiledDesign, values: Float64Array): void {
  const { at } = design.design.architecture;
  for (const { name, fields } of design.levels.values()) {
    for (const [field, number] of fields) {
      const value = number(values);
      const bound = least[field] ?? 0;
      if (value >= bound && value < Number.POSITIVE_INFINITY) continue;
      const expected = `a number of at least ${bound}`;
      throw new SpecError({ where: at(["levels", name, ...field.split(".")]), got: String(value), expected });
    }
  }
  const frequency = design.frequencyHz(values);
  if (frequency > 0 && frequency < Number.POSITIVE_INFINITY) return;
  throw new SpecError({ where: at(["frequencyHz"]), got: String(frequency), expected: "a number above 0" });
}

/** All tensors that a phase keeps in a buffer stand there at once; those in another's place, and spilled ones, do not count. */
export function checkBuffers(design: CompiledDesign, counts: readonly EinsumCounts[], values: Float64Array): void {
  const inPlace = design.mapping.inPlace ?? {};
  for (const phase of design.phases) {
    const words = new Map<string, Map<string, number>>();
    for (const { name, accesses, levels, tiles, spilled } of counts) {
      if (!phase.einsums.includes(name)) continue;
      accesses.forEach(({ tensor, levels: at }, t) => {
        at.forEach(({ level }, k) => {
          const place = levels[level] as string;
          if (design.levels.get(place)?.spec.kind !== "sram" || (spilled[t] as number) > 0) return;
          const held = words.get(place) ?? new Map<string, number>();
          const seat = inPlace[tensor] ?? tensor;
          held.set(seat, Math.max(held.get(seat) ?? 0, tiles[t]?.[k] as number));
          words.set(place, held);
        });
      });
    }
    for (const [place, held] of words) {
      const needed = [...held.values()].reduce((sum, w) => sum + w, 0) * design.wordBytes;
      const capacity = design.levels.get(place)?.fields.get("bytes")?.(values) ?? 0;
      if (needed <= capacity) continue;
      const largest = [...held].sort((a, b) => b[1] - a[1])[0]?.[0];
      throw new SpecError({
        where: design.design.mapping.at(["einsums"]),
        got: `tiles of ${needed} bytes in ${place} for phase ${phase.name}, ${needed - capacity} bytes over its ${capacity}`,
        expected: `tiles that fit ${place}`,
        mend: `make the tile of ${largest} smaller or ${place} larger`,
      });
    }
  }
}
