import { blockOf, type Cut, type Glance } from "./glance.js";
import type { OptionLibrary } from "./option.js";
import { plainGlance } from "./plain-glance.js";
import type { MapperProblem } from "./problem.js";
import { sharedGlance } from "./shared-glance.js";
import type { RankCut } from "./tiling.js";
import type { TilingSpace } from "./tiling-space.js";

/** A way to cut all ranks with an order of the loops over blocks, at a glance; or what some have at the least. */
interface Look {
  readonly cut: number;
  readonly outer: number;
  readonly fits: boolean;
  readonly bytes: number;
  readonly seconds: number;
}

/** Ways to cut all ranks that are looked at, at the most: some seconds. Those that can look best come first. */
const mostLooked = 1_000_000;

/**
 * The tilings of the Einsums from `from` to before `to` that look best at a glance, by their numbers, the best first. A guess, no
 * bound.
 */
export function promisingOf(
  problem: MapperProblem,
  library: OptionLibrary,
  { from, to }: { readonly from: number; readonly to: number },
  space: TilingSpace,
  most: number,
  looked = mostLooked,
): readonly number[] {
  if (space.count <= most) return [...space.numbers()];
  const glance = sharedGlance(problem, library, from, to, space) ?? plainGlance(problem, library, from, to, space);
  const chosen: number[] = [];
  for (const { cut, outer } of new Looking(space, glance, most, looked).best()) {
    const orders = space.orders(space.cut(space.digits(cut)));
    const first = space.first(cut, outer, orders);
    for (let inner = 0; inner < orders.inner.length && chosen.length < most; inner += 1) chosen.push(first + inner);
    if (chosen.length >= most) break;
  }
  return chosen;
}

const better = (a: Look, b: Look): number =>
  Number(b.fits) - Number(a.fits) || a.seconds - b.seconds || a.bytes - b.bytes || a.cut - b.cut || a.outer - b.outer;

/** The ways to cut a rank into the same tiles, and what they have at the least (of units at the most). */
interface SameTiles {
  readonly tile: number;
  readonly cuts: readonly { readonly digit: number; readonly cut: RankCut; readonly units: number }[];
  readonly around: number;
  readonly block: number;
  readonly coordinates: number;
  readonly units: number;
  readonly digit: number;
}

/**
 * Looks at the ways to cut all ranks, those first that can look best by the sizes of tiles alone, and passes over what cannot be among the
 * best so many.
 */
class Looking {
  private looks: Look[] = [];
  /** The last of those that are kept: others have to look better. */
  private last: Look | undefined;
  private left: number;
  private readonly strides: readonly number[];
  private readonly byRank: readonly (readonly SameTiles[])[];
  // Of the way to cut the ranks that is looked at: what is decided of it, the rest at its least.
  private readonly tiles: number[];
  private readonly around: Float64Array;
  private readonly blocks: Float64Array;
  private readonly coordinates: Float64Array;
  private readonly cut: RankCut[];

  constructor(
    private readonly space: TilingSpace,
    private readonly glance: Glance,
    private readonly most: number,
    looked: number,
  ) {
    const { choices } = space;
    this.left = looked;
    this.strides = choices.map((_, r) => choices.slice(r + 1).reduce((n, { length }) => n * length, 1));
    this.byRank = choices.map((own, r) => sameTilesOf(own, r, glance));
    this.tiles = choices.map(() => 0);
    this.cut = choices.map(([first]) => first as RankCut);
    [this.around, this.blocks, this.coordinates] = [1, 1, 1].map(() => new Float64Array(choices.length)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
  }

  best(): readonly Look[] {
    const { byRank } = this;
    const count = byRank.reduce((n, { length }) => n * length, 1);
    const groupsOf = (number: number): readonly SameTiles[] => {
      const groups: SameTiles[] = [];
      let rest = number;
      for (let r = byRank.length - 1; r >= 0; r -= 1) {
        const own = byRank[r] as readonly SameTiles[];
        groups[r] = own[rest % own.length] as SameTiles;
        rest = Math.floor(rest / own.length);
      }
      return groups;
    };
    const bounds = Array.from({ length: count }, (_, number) => {
      const groups = groupsOf(number);
      for (const [r, group] of groups.entries()) this.reset(r, group);
      const units = groups.reduce((n, own) => n * own.units, 1);
      const first = groups.reduce((n, { digit }, r) => n + digit * (this.strides[r] as number), 0);
      return { ...this.bound(units, true, first), number };
    });
    for (const bound of bounds.sort(better)) {
      if (this.left <= 0 || this.isPassedOver(bound)) break;
      const groups = groupsOf(bound.number);
      for (const [r, group] of groups.entries()) this.reset(r, group);
      this.decide(groups, 0, 1, 0);
    }
    return this.looks.sort(better);
  }

  private reset(r: number, { tile, around, block, coordinates }: SameTiles): void {
    this.tiles[r] = tile;
    this.around[r] = around;
    this.blocks[r] = block;
    this.coordinates[r] = coordinates;
  }

  private bound(units: number, atMost: boolean, cut: number): Look {
    const { glance, tiles, around, blocks } = this;
    const { bytes, seconds } = glance.once(this.coordinates);
    const working = glance.seconds(tiles, around, units, atMost);
    return { cut, outer: 0, fits: glance.fits(blocks), bytes, seconds: Math.max(working, seconds) };
  }

  /** Of bounds that are alike but for rounding the bytes decide. */
  private isPassedOver(bound: Look): boolean {
    const { last } = this;
    if (last === undefined) return false;
    const isAlike = Math.abs(bound.seconds - last.seconds) <= rounding * last.seconds;
    return better(isAlike ? { ...bound, seconds: last.seconds } : bound, last) > 0;
  }

  /** Goes through the ways to cut the rank at `depth` and those after it. @param units, number those of the ranks before it */
  private decide(groups: readonly SameTiles[], depth: number, units: number, number: number): void {
    const group = groups[depth];
    if (group === undefined) {
      this.look(units, number);
      return;
    }
    const rest = groups.slice(depth + 1);
    const unitsOfRest = rest.reduce((n, own) => n * own.units, 1);
    const least = rest.reduce((n, { digit }, k) => n + digit * (this.strides[depth + 1 + k] as number), 0);
    for (const { digit, cut, units: own } of group.cuts) {
      this.cut[depth] = cut;
      this.around[depth] = cut.outer * cut.middle;
      this.blocks[depth] = blockOf(cut);
      this.coordinates[depth] = blockOf(cut) * cut.outer;
      const here = number + digit * (this.strides[depth] as number);
      const isOver =
        rest.length > 0 &&
        group.cuts.length > 1 &&
        this.isPassedOver(this.bound(units * own * unitsOfRest, true, here + least));
      if (!isOver) this.decide(groups, depth + 1, units * own, here);
      if (this.left <= 0) return;
    }
    this.reset(depth, group);
  }

  private look(units: number, number: number): void {
    this.left -= 1;
    const bound = this.bound(units, false, number);
    if (this.isPassedOver(bound)) return;
    const working = this.glance.seconds(this.tiles, this.around, units, false);
    const traffic = this.glance.traffic(this.cut as Cut);
    for (const [outer, order] of this.space.orders(this.cut).outer.entries()) {
      const { bytes, seconds } = traffic(order);
      const look = { cut: number, outer, fits: bound.fits, bytes, seconds: Math.max(working, seconds) };
      if (this.last === undefined || better(look, this.last) < 0) this.looks.push(look);
    }
    // Each is one tiling at the least.
    if (this.looks.length <= 2 * this.most) return;
    this.looks = this.looks.sort(better).slice(0, this.most);
    this.last = this.looks.at(-1);
  }
}

const rounding = 1e-12;

function sameTilesOf(choices: readonly RankCut[], r: number, glance: Glance): readonly SameTiles[] {
  const allowed = glance.allowed?.[r] ?? choices.map((_, c) => c);
  const groups = new Map<number, SameTiles["cuts"][number][]>();
  for (const digit of allowed) {
    const cut = choices[digit] as RankCut;
    const tile = glance.tiles[r]?.of[digit] ?? 0;
    const own = groups.get(tile) ?? [];
    groups.set(tile, own);
    own.push({ digit, cut, units: glance.units(r, cut) });
  }
  return [...groups].map(([tile, cuts]) => ({
    tile,
    cuts,
    around: Math.min(...cuts.map(({ cut }) => cut.outer * cut.middle)),
    block: Math.min(...cuts.map(({ cut }) => blockOf(cut))),
    coordinates: Math.min(...cuts.map(({ cut }) => blockOf(cut) * cut.outer)),
    units: Math.max(...cuts.map(({ units }) => units)),
    digit: Math.min(...cuts.map(({ digit }) => digit)),
  }));
}
