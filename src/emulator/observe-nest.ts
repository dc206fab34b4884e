/**
 * The observer: walks the loops of a mapped Einsum step by step, every point on its PE, and counts what it sees: steps,
 * operations, and the words that pass between the levels. It knows no closed form, and it is slow: for small sizes.
 *
 * Loops in time run one after the other, outermost first; in each step every instance of the loops in space does its
 * point, where that exists. A level that keeps a tensor has a memory in each of its instances, which holds one tile: the
 * words at one tuple of the tensor's own loops outside. A word is fetched when a point first wants it and stays until the
 * instance works on another tile, however many steps lie between; an instance without work keeps what it has. Instances
 * that want the same words, side by side on a fan-out over a rank that the tensor lacks, are sent them as one memory.
 * The innermost level that keeps a tensor serves each word anew in each step. Sums go up as their words came down, and are
 * read back unless they have just begun.
 */

/** A loop over a part of a rank, at a level. */
export interface NestLoop {
  readonly level: number;
  readonly rank: number;
  readonly part: number;
}

/** One Einsum under its mapping, with all its numbers. Levels and loops are outermost first. */
export interface MappedEinsum {
  readonly levels: readonly {
    readonly name: string;
    /** Instances of a fan-out; undefined for a memory. */
    readonly instances: number | undefined;
  }[];
  /** Coordinates of each rank, and the bounds of its parts outermost first; the outermost reaches as far as it must. */
  readonly ranks: readonly { readonly size: number; readonly bounds: readonly number[] }[];
  /** Parts of a rank come outermost first. */
  readonly loops: readonly NestLoop[];
  readonly tensors: readonly MappedTensor[];
  /** Operations of one point. */
  readonly operations: Readonly<Record<string, number>>;
  /**
   * A fan-out whose instances are dealt the iterations of some loops in time (by their places in `loops`), each a unit of work
   * that begins with empty memories. The units are walked one after the other here.
   */
  readonly spread?: { readonly level: number; readonly loops: readonly number[] } | undefined;
}

export interface MappedTensor {
  readonly name: string;
  readonly output: boolean;
  /** Whether the tensor has the loop, loop by loop. */
  readonly has: readonly boolean[];
  /** The levels that keep it, outermost first. */
  readonly kept: readonly number[];
}

/** Words read for below (of sums: read back), arrived from below, and arrived from above. */
export interface WordCounts {
  reads: number;
  updates: number;
  fills: number;
}

export interface NestObservation {
  /** Time steps in which some PE has a point; with work that is dealt, rounds of units, each as long as the longest unit. */
  readonly steps: number;
  readonly points: number;
  readonly operations: Readonly<Record<string, number>>;
  /** By tensor and level. */
  readonly accesses: Readonly<Record<string, Readonly<Record<string, WordCounts>>>>;
  /** What PEs are given in those steps: points that exist, points that are hidden, by fan-out nothing at all. */
  readonly peSteps: {
    readonly useful: number;
    readonly masked: number;
    readonly unfilled: Readonly<Record<string, number>>;
  };
}

/** What of the instances of a level is counted: all of them, or what they do as one would. */
export type Instances = "all" | "one";

/** Which points of a nest have work to do; a point is the coordinates of its ranks. */
export interface Visible {
  exists(point: readonly number[]): boolean;
  /** Whether there is a point at all, seen or hidden: sequences of a batch may be shorter than the ranks. */
  isWithin(point: readonly number[]): boolean;
}

/**
 * Walks one Einsum.
 * @param visible what a mask leaves; without one every point within the ranks has work to do
 */
export function observeNest(
  einsum: MappedEinsum,
  visible: Visible = { exists: () => true, isWithin: () => true },
  instances: Instances = "all",
): NestObservation {
  const { levels, ranks, loops, tensors } = einsum;
  const isSpatial = ({ level }: NestLoop): boolean => levels[level]?.instances !== undefined;
  const chunks = loops.map(({ rank, part }) =>
    (ranks[rank]?.bounds ?? []).slice(part + 1).reduce((product, bound) => product * bound, 1),
  );
  const order = [...loops.keys()].sort(
    (a, b) => Number(isSpatial(loops[a] as NestLoop)) - Number(isSpatial(loops[b] as NestLoop)) || a - b,
  );
  const inTime = loops.filter(loop => !isSpatial(loop)).length;
  const index = loops.map(() => 0);
  const point = ranks.map(() => 0);
  const accesses: Record<string, Record<string, WordCounts>> = {};
  const ports = tensors.flatMap(tensor => portsOf(einsum, tensor, instances, isSpatial, accesses));
  let [steps, points, inRange] = [0, 0, 0];

  /** Iterations the loops from `depth` on; `atEnd` has the indices and coordinates of the moment. */
  const iterate = (depth: number, end: number, atEnd: () => void): void => {
    if (depth === end) {
      atEnd();
      return;
    }
    const loop = order[depth] as number;
    const { rank, part } = loops[loop] as NestLoop;
    const { size, bounds } = ranks[rank] as MappedEinsum["ranks"][number];
    const before = point[rank] as number;
    const iterations = part === 0 ? Number.POSITIVE_INFINITY : (bounds[part] as number);
    for (let i = 0; i < iterations && before + i * (chunks[loop] as number) < size; i += 1) {
      index[loop] = i;
      point[rank] = before + i * (chunks[loop] as number);
      iterate(depth + 1, end, atEnd);
    }
    index[loop] = 0;
    point[rank] = before;
  };

  const fanouts = levels.flatMap(({ name, instances }, level) => {
    const around = order.slice(inTime).filter(loop => (loops[loop] as NestLoop).level <= level);
    return instances === undefined ? [] : [{ name, level, around }];
  });
  const filled = fanouts.map(() => 0);
  const units = new Map<string, number>();
  iterate(0, inTime, () => {
    let working = 0;
    iterate(inTime, loops.length, () => {
      if (!visible.exists(point)) return;
      working += 1;
      for (const port of ports) port.want(index, steps);
    });
    if (working === 0) return;
    steps += 1;
    const unit = at(einsum.spread?.loops ?? [], index);
    units.set(unit, (units.get(unit) ?? 0) + 1);
    points += working;
    const given = fanouts.map(() => new Set<string>());
    iterate(inTime, loops.length, () => {
      if (!visible.isWithin(point)) return;
      inRange += 1;
      fanouts.forEach(({ around }, f) => {
        given[f]?.add(at(around, index));
      });
    });
    given.forEach(({ size }, f) => {
      filled[f] = (filled[f] as number) + size;
    });
  });
  const { spread } = einsum;
  const instancesOfSpread = spread === undefined ? 1 : (levels[spread.level]?.instances ?? 1);
  const rounds = Math.ceil(units.size / instancesOfSpread);
  const busiest = spread === undefined ? steps : rounds * Math.max(...units.values());
  let within = fanouts.reduce((product, { level }) => product * (levels[level]?.instances ?? 1), 1);
  let used = busiest;
  const unfilled = fanouts.map(({ name, level }, f): [string, number] => {
    const size = levels[level]?.instances ?? 1;
    within /= size;
    const empty = (used * size - (filled[f] as number)) * within;
    used = filled[f] as number;
    return [name, empty];
  });
  return {
    steps: busiest,
    points,
    operations: Object.fromEntries(Object.entries(einsum.operations).map(([name, each]) => [name, each * points])),
    accesses,
    peSteps: { useful: points, masked: inRange - points, unfilled: Object.fromEntries(unfilled) },
  };
}

/** A place that words of one tensor pass: sets of loops, as their places in the nest, and who counts a word. */
class Port {
  private readonly held = new Map<string, { tile: string; readonly words: Set<string> }>();

  constructor(
    /** Loops that tell apart the memories that ask for words here. */
    private readonly memory: readonly number[],
    /** Loops that tell apart the tiles that a memory holds one after the other; undefined: each step is a tile. */
    private readonly tile: readonly number[] | undefined,
    /** Loops that tell apart the words of a tile. */
    private readonly word: readonly number[],
    private readonly counters: readonly ((index: readonly number[]) => void)[],
  ) {}

  /** A point, by its loop indices, wants its word. */
  want(index: readonly number[], step: number): void {
    const key = at(this.memory, index);
    const tile = this.tile === undefined ? String(step) : at(this.tile, index);
    let holding = this.held.get(key);
    if (holding === undefined || holding.tile !== tile) {
      holding = { tile, words: new Set() };
      this.held.set(key, holding);
    }
    const word = at(this.word, index);
    if (holding.words.has(word)) return;
    holding.words.add(word);
    for (const count of this.counters) count(index);
  }
}

const at = (loops: readonly number[], index: readonly number[]): string => loops.map(loop => index[loop]).join();

/** The places where a tensor's words pass: out of each level that keeps it, and into it. */
function portsOf(
  { levels, loops, spread }: MappedEinsum,
  { name, output, has, kept }: MappedTensor,
  instances: Instances,
  isSpatial: (loop: NestLoop) => boolean,
  accesses: Record<string, Record<string, WordCounts>>,
): readonly Port[] {
  const choose = (wanted: (loop: NestLoop, own: boolean) => boolean): readonly number[] =>
    [...loops.keys()].filter(i => wanted(loops[i] as NestLoop, has[i] === true));
  const own: Record<string, WordCounts> = {};
  accesses[name] = own;
  /** The loops in time whose iterations bring another tile to a level. */
  const moving = (into: number): readonly number[] =>
    [...loops.keys()].filter(i => {
      const loop = loops[i] as NestLoop;
      const isDealt = spread !== undefined && spread.level < into && spread.loops.includes(i);
      return !isSpatial(loop) && loop.level < into && (has[i] === true || isDealt);
    });
  return kept.flatMap((level, k) => {
    const counts: WordCounts = { reads: 0, updates: 0, fills: 0 };
    own[levels[level]?.name as string] = counts;
    const isAround = (loop: NestLoop): boolean => isSpatial(loop) && loop.level < level;
    const around = choose(loop => instances === "all" && isAround(loop));
    const ofWord = choose((loop, own) => own && !isAround(loop)).concat(around);
    const count = (what: keyof WordCounts) => (): void => {
      counts[what] += 1;
    };
    /** Words that the level met before, and not those that it meets for the first time. */
    const metAgain = (what: keyof WordCounts) => {
      const met = new Set<string>();
      return (index: readonly number[]): void => {
        const word = at(ofWord, index);
        if (met.has(word)) counts[what] += 1;
        met.add(word);
      };
    };
    const next = kept[k + 1];
    const downTo = next ?? levels.length;
    const served = new Port(
      choose((loop, own) => own && isSpatial(loop) && loop.level >= level && loop.level < downTo).concat(around),
      next === undefined ? undefined : moving(next),
      choose((loop, own) => own && (next === undefined ? isSpatial(loop) && !isAround(loop) : loop.level >= next)),
      output ? [count("updates"), metAgain("reads")] : [count("reads")],
    );
    if (k === 0) return [served];
    const filling = new Port(
      around,
      moving(level),
      choose((loop, own) => own && loop.level >= level),
      [output ? metAgain("fills") : count("fills")],
    );
    return [served, filling];
  });
}
