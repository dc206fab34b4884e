import { footprint, overlap, type Side } from "./footprint.js";
import { type Interval, lengthOf } from "./held-tiles.js";
import { type CutRank, type MemoryClass, MemoryView, overMemories, stepsOutside } from "./memory-classes.js";
import type { NestShape } from "./nest.js";
import { chunkOf, type RankCount } from "./partition.js";

/**
 * A place of a tensor: its words are sums of the coordinates of ranks, each times a stride; one rank with a stride of 1 where
 * nothing slides. Each rank is in one place.
 */
export type TensorPlace = readonly { readonly rank: number; readonly stride: number }[];

/**
 * The words fetched into the memories of a level of a tensor over which windows slide, for ranks cut in any way.
 *
 * A memory holds one tile. The next one finds there what it shares with it while the tile goes on by the same step, and
 * whatever it shares where it stands still; where it turns (goes on by another step, as at the end of a row) all of it is
 * fetched, and the step after may be any. So Timeloop counts, whose address generators keep one stride
 * (OperationSpace::SaveAndSubtractIfSameStride); words in holes between strides are none here, while its tiles are boxes.
 *
 * @param dealt loops whose iterations are units of work of their own: each begins with an empty memory
 * @param words the tensor's loops at the level and below, and the spatial loops outside that tell memories apart
 */
export function wordsOfWindows(
  shape: NestShape,
  ranks: readonly RankCount[],
  places: readonly TensorPlace[],
  dealt: number,
  level: number,
  words: number,
): number {
  const steps = stepsOutside(shape, level).map(({ rank, part, bit }) => ({
    rank,
    part,
    isDealt: (dealt & (1 << bit)) !== 0,
    move: places.map(place => place.find(term => term.rank === rank)?.stride ?? 0),
  }));
  const held = new Tiles(places);
  return overMemories(shape, ranks, level, words, (cut, memory) => new Walk(cut, memory, steps, held).words());
}

interface Step {
  readonly rank: number;
  readonly part: number;
  readonly isDealt: boolean;
  /** By place how far a coordinate of the rank moves the tile. */
  readonly move: readonly number[];
}

/** What a memory holds at a time: by place where the tile begins, by rank its extents; and the unit of work. */
interface Tile {
  readonly at: readonly number[];
  readonly extents: readonly number[];
  readonly unit: readonly number[];
}

/** Tiles of one tensor beside each other. */
class Tiles {
  private readonly footprints = new Map<string, readonly Interval[]>();

  constructor(readonly places: readonly TensorPlace[]) {}

  words({ extents }: Tile): number {
    return this.places.reduce((product, _, place) => product * lengthOf(this.footprintOf(place, extents)), 1);
  }

  /** Words of both tiles, the second `by` after the first. */
  shared(before: Tile, after: Tile): number {
    return this.places.reduce((product, _, place) => {
      const by = (after.at[place] as number) - (before.at[place] as number);
      const [a, b] = [this.footprintOf(place, before.extents), this.footprintOf(place, after.extents)];
      return product === 0 ? 0 : product * overlap(a, b, by);
    }, 1);
  }

  private footprintOf(place: number, extents: readonly number[]): readonly Interval[] {
    const sides = (this.places[place] as TensorPlace).map(
      ({ rank, stride }): Side => ({ stride, extent: extents[rank] as number }),
    );
    const key = `${place}:${sides.map(({ extent }) => extent).join()}`;
    const known = this.footprints.get(key) ?? footprint(sides);
    this.footprints.set(key, known);
    return known;
  }
}

/** By which step a memory's tile went on last: a step in words, or one of these. */
type Going = string;
/** It has not gone on yet, or has just turned. */
const still: Going = "";
/** By a step that is none of a stretch's own. */
const otherwise: Going = "otherwise";
/** A unit of work began: nothing is kept. */
const anew: Going = "anew";

/** How a tile comes after another. */
function stepBetween(before: Tile, after: Tile): Going {
  if (before.unit.some((unit, i) => unit !== after.unit[i])) return anew;
  const step = after.at.map((at, place) => at - (before.at[place] as number));
  return step.every(by => by === 0) ? still : step.join();
}

/** What a memory fetches in a stretch of visits, the first tile in full, and how its tile goes at the end. */
interface Outcome {
  readonly words: number;
  readonly going: Going;
}

/** A stretch of visits, whatever was before: it asks only whether the tile came by the step of the stretch's own first one. */
interface Stretch {
  readonly first: Tile;
  readonly last: Tile;
  /** Its first step; `still` where its tile goes nowhere. */
  readonly step: Going;
  /** What it does after no step or the same; and after another, so that its first step is a turn. */
  readonly straight: Outcome;
  readonly turning: Outcome;
}

/** What a stretch does after a step. */
function entered(stretch: Stretch, going: Going): Outcome {
  if (stretch.step === still) return { ...stretch.straight, going };
  return going === still || going === stretch.step ? stretch.straight : stretch.turning;
}

/** One memory's visits: the loops in time outside, with what the memory sees of each rank. */
class Walk {
  private readonly view: MemoryView;
  private readonly units: number[];

  constructor(
    private readonly ranks: readonly CutRank[],
    memory: readonly MemoryClass[],
    private readonly steps: readonly Step[],
    private readonly tiles: Tiles,
  ) {
    this.view = new MemoryView(ranks, memory);
    this.units = steps.map(() => 0);
  }

  words(): number {
    return this.view.enterAll() ? (this.from(0)?.straight.words ?? 0) : 0;
  }

  /** The stretch of the loops from step `i` on; undefined without a visit. */
  private from(i: number): Stretch | undefined {
    const step = this.steps[i];
    if (step === undefined) return this.visit();
    const { rank, part, move, isDealt } = step;
    const size = this.view.sizes[rank] as number;
    const chunk = chunkOf((this.ranks[rank] as CutRank).bounds, part);
    const whole = Math.floor(size / chunk);
    const rest = size - whole * chunk;
    const iteration = (index: number, extent: number): Stretch | undefined => {
      if (isDealt) this.units[i] = index;
      const found = this.view.iteration(rank, part, index * chunk, extent, () => this.from(i + 1));
      this.units[i] = 0;
      return found;
    };
    const moved = ({ at, extents, unit }: Tile, times: number): Tile => ({
      at: at.map((from, place) => from + times * chunk * (move[place] as number)),
      extents,
      unit: isDealt ? unit.map((own, k) => (k === i ? own + times : own)) : unit,
    });
    const all = whole === 0 ? undefined : this.repeated(iteration(0, chunk), whole, moved);
    return this.joined(all, rest === 0 ? undefined : iteration(whole, rest));
  }

  private visit(): Stretch {
    const { starts, sizes } = this.view;
    const at = this.tiles.places.map(place =>
      place.reduce((sum, { rank, stride }) => sum + stride * (starts[rank] as number), 0),
    );
    const tile = { at, extents: [...sizes], unit: [...this.units] };
    const outcome = { words: this.tiles.words(tile), going: still };
    return { first: tile, last: tile, step: still, straight: outcome, turning: outcome };
  }

  /** The words that a tile leaves the next one, which comes after a step of `going`, and how it goes then. */
  private next(before: Tile, after: Tile, going: Going): { readonly kept: number; readonly going: Going } {
    const step = stepBetween(before, after);
    if (step === anew) return { kept: 0, going: still };
    if (step === still) return { kept: this.tiles.shared(before, after), going };
    if (going === still || going === step) return { kept: this.tiles.shared(before, after), going: step };
    return { kept: 0, going: still };
  }

  private joined(before: Stretch | undefined, after: Stretch | undefined): Stretch | undefined {
    if (before === undefined || after === undefined) return before ?? after;
    const outcome = (going: Going): Outcome => {
      const first = entered(before, going);
      const next = this.next(before.last, after.first, first.going);
      const second = entered(after, next.going);
      return { words: first.words + second.words - next.kept, going: second.going };
    };
    const between = stepBetween(before.last, after.first);
    const step = before.step !== still ? before.step : between !== still ? between : after.step;
    return {
      first: before.first,
      last: after.last,
      step,
      straight: outcome(still),
      turning: outcome(otherwise),
    };
  }

  /** The same stretch `times` in a row, each time an iteration of a loop on. */
  private repeated(
    one: Stretch | undefined,
    times: number,
    moved: (tile: Tile, times: number) => Tile,
  ): Stretch | undefined {
    if (one === undefined || times === 1) return one;
    const second = moved(one.first, 1);
    const outcome = (before: Going): Outcome => {
      let going = before;
      let words = 0;
      // How an iteration begins is soon what it was before: from then on iterations repeat themselves.
      const seen = new Map<Going, { readonly done: number; readonly words: number }>();
      for (let done = 0; ; ) {
        const turn = entered(one, going);
        words += turn.words;
        done += 1;
        if (done === times) return { words, going: turn.going };
        const next = this.next(one.last, second, turn.going);
        words -= next.kept;
        going = next.going;
        const known = seen.get(going);
        if (known !== undefined) {
          const period = done - known.done;
          const periods = Math.floor((times - done - 1) / period);
          words += periods * (words - known.words);
          done += periods * period;
          seen.clear();
        } else seen.set(going, { done, words });
      }
    };
    const step = one.step !== still ? one.step : stepBetween(one.last, second);
    return {
      first: one.first,
      last: moved(one.last, times - 1),
      step,
      straight: outcome(still),
      turning: outcome(otherwise),
    };
  }
}
