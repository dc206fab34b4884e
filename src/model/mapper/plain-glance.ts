import { outsideOf, PassingTensor, wordBytes, wordsOf } from "./block-words.js";
import { type Glance, type Passing, TileWork, tilesOf } from "./glance.js";
import type { OptionLibrary } from "./option.js";
import type { MapperProblem } from "./problem.js";
import type { TilingSpace } from "./tiling-space.js";

/**
 * Steps of the arrays as if each operation took one cycle, and what comes from outside once per block that asks for it, where blocks of
 * all that fit the buffer together.
 */
export function plainGlance(
  problem: MapperProblem,
  library: OptionLibrary,
  from: number,
  to: number,
  space: TilingSpace,
): Glance {
  const { compiled, values, dram } = problem;
  const largest = Math.max(...problem.capacities.values());
  const frequencyHz = compiled.frequencyHz(values);
  const bytesPerSecond = compiled.levels.get(dram)?.fields.get("bytesPerSecond")?.(values) ?? Number.POSITIVE_INFINITY;
  const outside = outsideOf(problem, from, to);
  const tensors = outside.map(own => new PassingTensor(own));
  const tiles = tilesOf(space.choices);
  const work = Array.from({ length: to - from }, (_, e) => new TileWork(problem, library, from + e, tiles, undefined));
  const sums = new Float64Array(1);
  const pass = (bytes: number): Passing => ({ bytes, seconds: bytes / bytesPerSecond });
  return {
    allowed: undefined,
    tiles,
    fits: blocks => 2 * wordBytes * wordsOf(outside, blocks) <= largest,
    units: () => 1,
    seconds(own, around) {
      sums.fill(0);
      for (const one of work) one.addTo(sums, own, around);
      return (sums[0] as number) / frequencyHz;
    },
    once: coordinates => pass(wordBytes * wordsOf(outside, coordinates)),
    traffic(cut) {
      const once = tensors.map(tensor => wordBytes * tensor.once(cut));
      return order => {
        let bytes = 0;
        for (let t = 0; t < tensors.length; t += 1) {
          bytes += (once[t] as number) * (tensors[t] as PassingTensor).times(order, cut);
        }
        return pass(bytes);
      };
    },
  };
}
