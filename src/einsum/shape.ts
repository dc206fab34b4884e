import { InputError, UsageError } from "../errors.js";
import type { Cascade } from "./cascade.js";
import { type Index, plainVariable, rankNameOf } from "./einsum.js";
import { isMixedRadix } from "./ranks.js";
import { formatSize, type Size, sizeValue } from "./size.js";
import { splitOf } from "./split.js";
import { checkWindows, fillingSize, type GivenLengths, reachOf, type Window, windowsOf } from "./windows.js";

/** The size of a rank by its name, or undefined where it is not known. */
export type SizeOf = (rank: string) => number | undefined;

/** Rank sizes by name, as `--shape M=4096,P=1` gives them. */
export type Shape = Readonly<Record<string, number>>;

/** The largest size of a rank: 2^53 elements are more than any count here can hold exactly. */
export const largestRank = 2 ** 40;

/**
 * Reads `M=4096,E=64` or `M=4K`. Names are not case sensitive; a size is a whole number from 1, with K, M or G for
 * powers of 1024.
 * @throws UsageError naming the entry that is not of that kind.
 */
export function parseShape(text: string, where = "--shape"): Shape {
  const shape: Record<string, number> = {};
  const entries = text.split(",").map(part => part.trim());
  for (const entry of entries.filter(part => part !== "")) {
    const [, name, digits, unit] = /^([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(\d+)([KMG]?)$/i.exec(entry) ?? [];
    const size = Number(digits) * 1024 ** ["", "K", "M", "G"].indexOf((unit ?? "").toUpperCase());
    if (name === undefined || !(size >= 1 && size <= largestRank)) {
      throw new UsageError({
        where,
        got: JSON.stringify(entry),
        expected: "rank=size with a whole size from 1 to 2^40",
        fix: "a shape reads M=4096,P=1K,E=64",
      });
    }
    const rank = rankNameOf(name);
    if (shape[rank] !== undefined && shape[rank] !== size) {
      throw new UsageError({ where, got: `two sizes of ${rank}, ${shape[rank]} and ${size}`, expected: "one" });
    }
    shape[rank] = size;
  }
  return shape;
}

/**
 * Works out rank sizes from those given and from what the cascade says: `until: i >= 8`, `ranks: M = M1 * M0` (any one
 * of the three from the other two). Windows over inputs of given lengths fill them. Keys are canonical rank names; ranks
 * that stay unknown are missing.
 * @throws UsageError for a name that is no rank; InputError for sizes that contradict each other.
 */
export function solveShape(
  cascade: Cascade,
  shape: Shape,
  given: GivenLengths = new Map(),
): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  const settle = (rank: string, size: number, why: string): boolean => {
    const known = sizes.get(rank);
    if (known !== undefined && known !== size) {
      throw new InputError({
        where: `the shape of ${cascade.name}`,
        got: `${rank} = ${known} and, ${why}, ${rank} = ${size}`,
        expected: "one size a rank",
      });
    }
    sizes.set(rank, size);
    return known === undefined;
  };
  for (const [name, size] of Object.entries(shape)) {
    const rank = cascade.ranks.byName(name);
    if (rank === undefined) throw noSuchRank(cascade, name);
    settle(rank.name, size, "as --shape has it");
  }
  const windows = windowsOf(cascade);
  let changed = true;
  while (changed) {
    changed = false;
    for (const { name, size, parts } of cascade.ranks.ranks) {
      // A rank of a size that is said may be split besides: K = 4, K = K1 * K0.
      for (const product of [size, [{ coefficient: 1, names: parts }]]) {
        if (product === null) continue;
        const value = sizeValue(product, rank => sizes.get(rank));
        const why = `from ${name} = ${formatSize(product)}`;
        if (value !== undefined) {
          if (value < 1) throw tooSmall(cascade, name, value);
          changed = settle(name, value, why) || changed;
        } else {
          changed = divideOut(cascade, name, product, sizes, settle) || changed;
        }
      }
    }
    if (!changed) changed = settleWindow(cascade, windows, sizes, given, settle);
  }
  checkWindows(cascade, windows, sizes);
  return sizes;
}

/**
 * Ranks that some Einsum runs over and whose size nothing says. Of a split rank the outermost part is left out: it
 * follows from the others.
 */
export function missingSizes(cascade: Cascade, sizes: ReadonlyMap<string, number>): readonly string[] {
  const variables = new Set(cascade.einsums.flatMap(({ free, reduced }) => [...free, ...reduced]));
  const ranks = [...variables].map(variable => cascade.ranks.ofVariable(variable));
  const split = cascade.ranks.ranks.filter(({ parts }) => parts.length > 1);
  const wanted = new Set([...split.filter(({ parts }) => parts.some(part => !sizes.has(part))), ...ranks]);
  const follows = new Set(split.map(rank => splitOf(cascade, rank)[0]));
  return [...wanted].map(({ name }) => name).filter(name => !sizes.has(name) && !follows.has(name));
}

/** @throws UsageError that names every rank without a size */
export function requireSizes(cascade: Cascade, sizes: ReadonlyMap<string, number>): void {
  const missing = missingSizes(cascade, sizes);
  if (missing.length === 0) return;
  throw new UsageError({
    where: `the shape of ${cascade.name}`,
    got: `no size of the rank${missing.length === 1 ? "" : "s"} ${missing.join(", ")}`,
    expected: "a size for every rank that the inputs do not fix",
    fix: `say it in the shape (--shape): ${missing.map(rank => `${rank}=...`).join(",")}`,
  });
}

/** A rank that is as long as the windows over it reach; else the variable of windows that fill their tensors. */
function settleWindow(
  cascade: Cascade,
  windows: readonly Window[],
  sizes: ReadonlyMap<string, number>,
  given: GivenLengths,
  settle: (rank: string, size: number, why: string) => boolean,
): boolean {
  for (const { rank, read } of windows) {
    if (rank === undefined) continue;
    const own = windows.filter(window => window.rank === rank).map(window => reachOf(cascade, window, sizes));
    const known = own.filter(reach => reach !== undefined);
    if (sizes.has(rank) || known.length < own.length) continue;
    return settle(rank, Math.max(...known), `from the windows over ${read.tensor}`);
  }
  const fillings = windows.flatMap(window => {
    const filling = fillingSize(cascade, window, sizes, given);
    return filling === undefined ? [] : [{ ...filling, tensor: window.read.tensor }];
  });
  // Of several windows the one that ends first.
  const own = fillings.filter(({ rank }) => rank === fillings[0]?.rank).sort((a, b) => a.size - b.size);
  const [first] = own;
  return first !== undefined && settle(first.rank, first.size, `from the window over ${first.tensor}`);
}

/** M and M0 known, M = M1 * M0: M1. */
function divideOut(
  cascade: Cascade,
  name: string,
  product: Size,
  sizes: ReadonlyMap<string, number>,
  settle: (rank: string, size: number, why: string) => boolean,
): boolean {
  const [only] = product;
  const total = sizes.get(name);
  if (product.length !== 1 || only === undefined || total === undefined) return false;
  const missing = only.names.filter(part => sizes.get(part) === undefined);
  const [part] = missing;
  if (missing.length !== 1 || part === undefined) return false;
  const known = only.names.reduce((p, n) => p * (sizes.get(n) ?? 1), only.coefficient);
  if (total % known !== 0) {
    throw new InputError({
      where: `the shape of ${cascade.name}`,
      got: `${name} = ${total}, which ${known} does not divide`,
      expected: `${name} = ${formatSize(product)} with a whole ${part}`,
    });
  }
  return settle(part, total / known, `from ${name} = ${formatSize(product)}`);
}

function tooSmall(cascade: Cascade, name: string, value: number): InputError {
  return new InputError({
    where: `the shape of ${cascade.name}`,
    got: `${name} = ${value}`,
    expected: "at least one coordinate a rank",
  });
}

/** The rank whose every coordinate an index runs over: M for `m`, and for `m1*M0 + m0` where M is split so. */
export function indexedRank(cascade: Cascade, index: Index): string | undefined {
  const plain = plainVariable(index);
  if (plain !== undefined) return cascade.ranks.ofVariable(plain).name;
  if (index.window === true) return index.rank === undefined ? undefined : cascade.ranks.byName(index.rank)?.name;
  if (!isMixedRadix(index)) return undefined;
  const parts = new Set(index.terms.flatMap(({ variable }) => cascade.ranks.ofVariable(variable).parts));
  return cascade.ranks.ranks.find(rank => rank.parts.length === parts.size && rank.parts.every(part => parts.has(part)))
    ?.name;
}

export function noSuchRank(cascade: Cascade, name: string, where = "--shape"): UsageError {
  return new UsageError({
    where,
    got: `the rank ${rankNameOf(name)}, which ${cascade.name} does not have`,
    expected: `one of ${cascade.ranks.ranks.flatMap(rank => rank.names).join(", ")}`,
  });
}
