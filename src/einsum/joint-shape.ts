import { howMany, UsageError } from "../errors.js";
import type { Cascade } from "./cascade.js";
import { inputShape, partialShape } from "./input-shape.js";
import { indexedRank, noSuchRank, type Shape, solveShape } from "./shape.js";
import { windowsOf } from "./windows.js";

export interface JointShapes {
  readonly shapes: readonly [ReadonlyMap<string, number>, ReadonlyMap<string, number>];
  /** The shape of every input of either cascade. */
  readonly inputShapes: ReadonlyMap<string, readonly number[]>;
}

/** Sizes of ranks that nothing says, one after the other: small, and no two alike in a row. */
const defaultSizes = [5, 4, 3, 6];

/**
 * Sizes for two cascades that read the same inputs. What the shape leaves open is chosen: small sizes, and for a split
 * rank of known size the divisor nearest below its root.
 * @throws UsageError where an input has different ranks in the two, or a size names no rank of either.
 */
export function jointShapes(a: Cascade, b: Cascade, shape: Shape): JointShapes {
  for (const name of Object.keys(shape)) {
    if (a.ranks.byName(name) === undefined && b.ranks.byName(name) === undefined) throw noSuchRank(a, name);
  }
  for (const name of a.inputs) {
    const [left, right] = [a.tensors.get(name)?.indices.length, b.tensors.get(name)?.indices.length];
    if (!b.inputs.includes(name) || left === right) continue;
    throw new UsageError({
      where: `the input ${name}`,
      got: `${howMany(left ?? 0, "rank")} in ${a.name} and ${right} in ${b.name}`,
      expected: "the same ranks in both",
    });
  }
  const known: [Shape, Shape] = [{ ...own(a, shape) }, { ...own(b, shape) }];
  // The cascade with more split ranks first: its divisions decide which totals are possible.
  const order: readonly (0 | 1)[] = splitCount(b) > splitCount(a) ? [1, 0] : [0, 1];
  const cascades = [a, b] as const;
  exchange(cascades, known);
  for (const i of order) {
    const cascade = cascades[i];
    for (;;) {
      const sizes = solveShape(cascade, known[i]);
      const chosen = choose(cascade, sizes);
      if (chosen === null) break;
      known[i] = { ...known[i], ...chosen };
    }
    exchange(cascades, known);
  }
  const shapes = [solveShape(a, known[0]), solveShape(b, known[1])] as const;
  const inputShapes = new Map<string, readonly number[]>();
  for (const [i, cascade] of cascades.entries()) {
    for (const name of cascade.inputs) {
      const found = inputShape(cascade, name, shapes[i] as ReadonlyMap<string, number>);
      const before = inputShapes.get(name);
      if (before !== undefined && before.join() !== found.join()) {
        throw new UsageError({
          where: `the input ${name}`,
          got: `shape [${before.join(",")}] in ${a.name} and [${found.join(",")}] in ${b.name}`,
          expected: "one shape in both",
          fix: "give the sizes of both cascades' ranks with --shape",
        });
      }
      inputShapes.set(name, found);
    }
  }
  return { shapes, inputShapes };
}

function own(cascade: Cascade, shape: Shape): Shape {
  return Object.fromEntries(Object.entries(shape).filter(([name]) => cascade.ranks.byName(name) !== undefined));
}

function splitCount(cascade: Cascade): number {
  return cascade.ranks.ranks.filter(rank => rank.parts.length > 1).length;
}

/** Hands sizes over by rank name and by the places of shared inputs, until nothing is new. */
function exchange(cascades: readonly [Cascade, Cascade], known: [Shape, Shape]): void {
  for (let changed = true; changed; ) {
    changed = false;
    for (const to of [0, 1] as const) {
      const [source, target] = [cascades[1 - to] as Cascade, cascades[to]];
      const from = solveShape(source, known[1 - to] as Shape);
      const have = solveShape(target, known[to]);
      const offer = (rank: string, size: number | undefined): void => {
        const name = target.ranks.byName(rank)?.name;
        if (size === undefined || name === undefined || have.has(name) || known[to][name] !== undefined) return;
        known[to] = { ...known[to], [name]: size };
        changed = true;
      };
      for (const rank of source.ranks.ranks) for (const name of rank.names) offer(name, from.get(rank.name));
      for (const input of target.inputs) {
        const lengths = partialShape(source, input, from);
        for (const [place, index] of (target.tensors.get(input)?.indices ?? []).entries()) {
          const rank = indexedRank(target, index);
          if (rank !== undefined) offer(rank, lengths[place]);
        }
      }
    }
  }
}

/** One more size, for the first rank that has none; null when all have. */
function choose(cascade: Cascade, sizes: ReadonlyMap<string, number>): Shape | null {
  const { ranks } = cascade.ranks;
  for (const { name, parts } of ranks) {
    const total = sizes.get(name);
    const open = parts.filter(part => !sizes.has(part));
    if (parts.length < 2 || total === undefined || open.length < 2) continue;
    const known = parts.reduce((product, part) => product * (sizes.get(part) ?? 1), 1);
    return { [open.at(-1) as string]: divisorBelowRoot(total / known) };
  }
  // What windows go over is as long as they reach.
  const covered = new Set(windowsOf(cascade).map(({ rank }) => rank));
  const open = ranks.flatMap((rank, i) =>
    rank.parts.length === 1 && !sizes.has(rank.name) && !covered.has(rank.name)
      ? [{ ...rank, chosen: defaultSizes[i % defaultSizes.length] as number }]
      : [],
  );
  // What `ranks:` says of a rank follows from the others.
  const next = open.find(({ size }) => size === null) ?? open[0];
  return next === undefined ? null : { [next.name]: next.chosen };
}

function divisorBelowRoot(n: number): number {
  for (let d = Math.floor(Math.sqrt(n)); d > 1; d -= 1) if (n % d === 0) return d;
  return 1;
}
