import { SpecError } from "../errors.js";
import type { CompiledEinsum } from "./compile-einsum.js";
import { intervalsToForm, mostIntervals } from "./footprint.js";
import type { NestWindow } from "./nest.js";
import type { RankCount } from "./partition.js";
import type { RankCounts } from "./rank-counts.js";
import { crossings } from "./windows.js";

/** Refuses windows that are not counted exactly, by the tensor's name. Throws SpecError. */
export function checkWindows(einsum: CompiledEinsum, counts: RankCounts, isMasked: boolean): void {
  for (const { name, windows = [] } of einsum.shape.tensors) {
    if (windows.length > 0 && isMasked) {
      const got = `a mask over ${einsum.name}, which reads sliding windows of ${name}`;
      throw new SpecError({
        where: einsum.at(["loops"]),
        got,
        expected: "windows without a mask, or a mask without them",
      });
    }
    for (const window of windows) checkWindow(einsum, counts, name, window);
  }
}

function checkWindow(einsum: CompiledEinsum, counts: RankCounts, tensor: string, window: NestWindow): void {
  const { at, ranks } = einsum;
  const stride = window.find(
    term => !(Number.isInteger(counts.strides?.[term.stride]) && (counts.strides?.[term.stride] ?? 0) >= 1),
  );
  if (stride !== undefined) {
    const got = `a stride of ${counts.strides?.[stride.stride]} for ${ranks[stride.rank]?.name} in ${tensor}`;
    throw new SpecError({ where: at(["loops"]), got, expected: "a whole number from 1" });
  }
  const sides = window.map(term => ({
    stride: counts.strides?.[term.stride] ?? 1,
    extent: einsum.ranksAlone[term.rank]?.size ?? 1,
  }));
  if (intervalsToForm(sides) > mostIntervals) {
    const got = `windows of ${tensor} with more than ${mostIntervals.toLocaleString("en-US")} holes between them`;
    throw new SpecError({ where: at(["loops"]), got, expected: "strides that leave fewer" });
  }
  for (const { ranks: over } of crossings(einsum.shape, counts, window, einsum.shape.masks.spatial)) {
    const partial = over.find(rank => {
      const { size, bounds } = einsum.ranksAlone[rank] as RankCount;
      return bounds.reduce((product, bound) => product * bound, 1) !== size;
    });
    if (partial === undefined) continue;
    const names = over.map(rank => ranks[rank]?.name).join(" and ");
    throw new SpecError({
      where: at(["loops"]),
      got: `${names}, which slide over ${tensor}, both over one fan-out, and chunks of ${ranks[partial]?.name} that do not divide it`,
      expected: "bounds whose product is the rank, or one of the two in time",
    });
  }
}
