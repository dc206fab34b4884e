/** A walk of a Timeloop mapping's loops as its documentation has them, step by step: for small ones. */
export interface WalkedLoop {
  readonly level: number;
  readonly dimension: string;
  readonly bound: number;
  readonly spatial: boolean;
}

export interface WalkedSpace {
  readonly name: string;
  readonly dimensions: readonly string[];
  readonly output: boolean;
  /** Levels that keep it, outermost first. */
  readonly kept: readonly number[];
}

interface Held {
  tile: string;
  readonly words: Set<string>;
}

/** @param loops outermost first */
export function walkTimeloop(loops: readonly WalkedLoop[], spaces: readonly WalkedSpace[], levels: readonly string[]) {
  const time = loops.filter(({ spatial }) => !spatial);
  const held = new Map<string, Held>();
  const counts = new Map<string, { served: number; filled: number; seen: Set<string> }>();
  for (const { name, kept } of spaces) {
    for (const level of kept) counts.set(`${levels[level]} ${name}`, { served: 0, filled: 0, seen: new Set() });
  }
  let cycles = 0;
  for (const step of tuples(time.map(({ bound }) => bound))) {
    cycles += 1;
    const asked = new Set<string>();
    for (const place of tuples(loops.filter(({ spatial }) => spatial).map(({ bound }) => bound))) {
      const [inTime, inSpace] = [[...step], [...place]];
      const point = loops.map(({ spatial }) => (spatial ? inSpace.shift() : inTime.shift()) ?? 0);
      for (const { name, dimensions, kept } of spaces) {
        const own = loops.flatMap((loop, i) => (dimensions.includes(loop.dimension) ? [i] : []));
        const word = own.map(i => point[i]).join();
        const instance = (level: number): string =>
          loops.flatMap((loop, i) => (loop.spatial && loop.level < level ? [point[i]] : [])).join();
        const ask = (level: number): void => {
          const key = `${levels[level]} ${name}`;
          const count = counts.get(key);
          if (count === undefined) return;
          count.seen.add(`${instance(level)} ${word}`);
          const request = `${key} ${instance(level)} ${word}`;
          if (asked.has(request)) return;
          asked.add(request);
          count.served += 1;
        };
        ask(kept.at(-1) ?? 0);
        for (const [k, level] of kept.entries()) {
          const above = kept[k - 1];
          if (above === undefined) continue;
          const tile = own
            .filter(i => (loops[i]?.level ?? 0) < level)
            .map(i => point[i])
            .join();
          const at = `${levels[level]} ${name} ${instance(level)}`;
          let memory = held.get(at);
          if (memory === undefined || memory.tile !== tile) {
            memory = { tile, words: new Set() };
            held.set(at, memory);
          }
          if (memory.words.has(word)) continue;
          memory.words.add(word);
          const count = counts.get(`${levels[level]} ${name}`);
          if (count !== undefined) count.filled += 1;
          ask(above);
        }
      }
    }
  }
  const accesses = Object.fromEntries(
    spaces.flatMap(({ name, output, kept }) =>
      kept.map((level, k) => {
        const key = `${levels[level]} ${name}`;
        const { served = 0, filled = 0, seen = new Set() } = counts.get(key) ?? {};
        // A sum that begins has nothing to read, and nothing to bring down.
        const words = output
          ? { reads: served - seen.size, updates: served, fills: k === 0 ? 0 : filled - seen.size }
          : { reads: served, updates: 0, fills: filled };
        return [key, words] as const;
      }),
    ),
  );
  return { cycles, accesses };
}

function* tuples(bounds: readonly number[]): Generator<readonly number[]> {
  const [first, ...rest] = bounds;
  if (first === undefined) {
    yield [];
    return;
  }
  for (let i = 0; i < first; i += 1) for (const inner of tuples(rest)) yield [i, ...inner];
}
