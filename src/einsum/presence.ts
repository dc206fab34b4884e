import type { Cascade } from "./cascade.js";
import type { PointSpace } from "./point-space.js";
import type { Rank } from "./ranks.js";
import type { SizeOf } from "./shape.js";
import { splitOf } from "./split.js";

/**
 * Which coordinates of one rank exist, as a mask has it. A point of an Einsum exists when some existing coordinate has
 * the parts that are fixed there: a key by itself, a tile m1 when one of its keys exists. Points that do not exist are
 * left out of sums and maxima, and are not computed; an iteration passes over them.
 */
export class Presence {
  /** The ranks that it is split into, outermost first, and their sizes. */
  private readonly parts: readonly string[];
  private readonly sizes: readonly number[];
  private readonly masks = new Map<string, Uint8Array>();

  constructor(
    private readonly cascade: Cascade,
    rank: Rank,
    private readonly exists: (coordinate: number) => boolean,
    sizeOf: SizeOf,
  ) {
    this.parts = splitOf(cascade, rank);
    this.sizes = this.parts.map(part => sizeOf(part) ?? 1);
  }

  /** The condition at a point of which `bound` variables are fixed; none where they say nothing of the rank. */
  condition({ variables, at }: PointSpace, bound: Iterable<string>): (() => boolean)[] {
    const places = this.parts.flatMap((part, i) => {
      const variable = [...bound].find(v => this.cascade.ranks.ofVariable(v).name === part);
      return variable === undefined ? [] : [{ part: i, at: variables.indexOf(variable) }];
    });
    if (places.length === 0) return [];
    const mask = this.maskOf(places.map(({ part }) => part));
    const sizes = places.map(({ part }) => this.sizes[part] as number);
    return [
      () =>
        mask[places.reduce((digits, place, i) => digits * (sizes[i] as number) + (at[place.at] as number), 0)] === 1,
    ];
  }

  /** By the digits of some parts, outermost first: whether a coordinate with them exists. */
  private maskOf(parts: readonly number[]): Uint8Array {
    const key = parts.join(" ");
    const known = this.masks.get(key);
    if (known !== undefined) return known;
    const { sizes } = this;
    const mask = new Uint8Array(parts.reduce((product, part) => product * (sizes[part] as number), 1));
    const size = sizes.reduce((a, b) => a * b, 1);
    for (let coordinate = 0; coordinate < size; coordinate += 1) {
      if (!this.exists(coordinate)) continue;
      const digits = new Array<number>(sizes.length);
      let rest = coordinate;
      for (let i = sizes.length - 1; i >= 0; i -= 1) {
        digits[i] = rest % (sizes[i] as number);
        rest = Math.floor(rest / (sizes[i] as number));
      }
      mask[parts.reduce((all, part) => all * (sizes[part] as number) + (digits[part] as number), 0)] = 1;
    }
    this.masks.set(key, mask);
    return mask;
  }
}
