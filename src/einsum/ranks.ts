import type { RankDeclaration, Stop } from "./declarations.js";
import { type Filter, type Index, rankNameOf, shiftedVariable } from "./einsum.js";
import { renameSize, type Size, soleName } from "./size.js";

/** A rank of a cascade. */
export interface Rank {
  /** The name that sizes and reports use. */
  readonly name: string;
  /** Every name it is known by, `name` first: K and I where `until: i >= K` or `A[k: k<=i]` ties them. */
  readonly names: readonly string[];
  /** The ranks it is split into, all the way down: M1 and M0 of M; the rank itself when it is not split. */
  readonly parts: readonly string[];
  /** What `ranks:` or `until:` says its size is, or null. */
  readonly size: Size | null;
}

export interface RankTable {
  readonly ranks: readonly Rank[];
  /** The rank of any of its names, upper case. */
  byName(name: string): Rank | undefined;
  /** The rank that a variable ranges over. */
  ofVariable(variable: string): Rank;
}

/** The indices of a tensor where it is declared, read or written. */
export interface Tuple {
  readonly tensor: string;
  readonly indices: readonly Index[];
  readonly written: boolean;
}

/** What the ranks of a cascade are worked out from. */
export interface RankEvidence {
  readonly declarations: readonly RankDeclaration[];
  readonly stops: readonly Stop[];
  readonly filters: readonly Filter[];
  /** The indices of every read and every left-hand side, by tensor, reads first. */
  readonly tuples: readonly Tuple[];
  /** Rank names that occur as sizes. */
  readonly sizeNames: readonly string[];
}

/**
 * Finds which rank names mean one rank. Names are tied by a stop (`until: i >= K`), by `ranks: I = K`, by a filter
 * (`k <= i`) and by indexing the same place of one tensor; never when a tensor has both as places of their own, as
 * causal scores QK[m: m<=p, p] do: there a filter is only a condition.
 */
export function rankTable(evidence: RankEvidence): RankTable {
  const { declarations, stops, filters, tuples, sizeNames } = evidence;
  const variablesOf = (index: Index): string[] => index.terms.map(term => rankNameOf(term.variable));
  const labelsOf = (indices: readonly Index[]): string[] => indices.flatMap(({ rank }) => rank ?? []);
  const inTuples = tuples.map(({ indices }) => new Set(indices.flatMap(variablesOf)));
  const inLabels = tuples.map(({ indices }) => new Set(labelsOf(indices)));
  const order = new Set([
    ...inTuples.flatMap(names => [...names]),
    ...inLabels.flatMap(names => [...names]),
    ...filters.flatMap(filter => [...variablesOf(filter.left), ...variablesOf(filter.right)]),
    ...declarations.flatMap(({ name, size }) => [name, ...namesIn(size)]),
    ...stops.flatMap(stop => [rankNameOf(stop.variable), ...namesIn(stop.limit)]),
    ...sizeNames,
  ]);
  const splits = splitsOf(declarations, tuples);
  const classes = new RankClasses(order, [...inTuples, ...inLabels], splits);
  for (const stop of stops) classes.tie(rankNameOf(stop.variable), soleName(stop.limit));
  for (const { name, size } of declarations) classes.tie(name, size === null ? undefined : soleName(size));
  for (const filter of filters) {
    const left = shiftedVariable(filter.left);
    const right = shiftedVariable(filter.right);
    if (left !== undefined && right !== undefined) classes.tie(rankNameOf(left), rankNameOf(right));
  }
  const places = new Map<string, string>();
  // Where a tensor is read along two ranks, a third name is one of the rank that it was made over.
  for (const { tensor, indices } of [...tuples.filter(({ written }) => written), ...tuples]) {
    for (const [place, index] of indices.entries()) {
      const variable = shiftedVariable(index);
      const key = `${tensor} ${place}`;
      for (const name of [index.rank, variable === undefined ? undefined : rankNameOf(variable)]) {
        if (name === undefined) continue;
        const known = places.get(key);
        if (known === undefined) places.set(key, name);
        else classes.tie(known, name);
      }
    }
  }
  return buildTable(classes, evidence, splits);
}

function namesIn(size: Size | null): string[] {
  return (size ?? []).flatMap(term => term.names);
}

/** Rank name -> the ranks it is the product of, outermost first. */
type Splits = ReadonlyMap<string, readonly string[]>;

/** From `ranks: M = M1 * M0`, and from reading one place of a tensor both as `m` and as `m1*M0 + m0`. */
function splitsOf(declarations: readonly RankDeclaration[], tuples: RankEvidence["tuples"]): Splits {
  const splits = new Map<string, readonly string[]>();
  for (const { name, size } of declarations) {
    const [only] = size ?? [];
    if (size?.length === 1 && only?.coefficient === 1 && only.names.length > 1) splits.set(name, only.names);
  }
  const places = new Map<string, { whole?: string; parts?: readonly string[] }>();
  for (const { tensor, indices } of tuples) {
    for (const [place, index] of indices.entries()) {
      const key = `${tensor} ${place}`;
      const known = places.get(key) ?? {};
      const variable = shiftedVariable(index);
      if (variable !== undefined) known.whole ??= rankNameOf(variable);
      else if (isMixedRadix(index)) known.parts ??= index.terms.map(term => rankNameOf(term.variable));
      places.set(key, known);
    }
  }
  for (const { whole, parts } of places.values()) {
    if (whole !== undefined && parts !== undefined && !splits.has(whole) && !parts.includes(whole)) {
      splits.set(whole, parts);
    }
  }
  return splits;
}

/** `m1*M0 + m0`: several variables, one of them unscaled, the others scaled, nothing added; no window. */
export function isMixedRadix(index: Index): boolean {
  if (index.window === true) return false;
  const unscaled = index.terms.filter(term => shiftedVariable({ ...index, terms: [term] }) !== undefined);
  return index.terms.length > 1 && unscaled.length === 1 && index.offset.length === 0;
}

/** Union-find over rank names that refuses to tie what must stay apart. */
class RankClasses {
  readonly order: readonly string[];
  private readonly parent = new Map<string, string>();
  private readonly members = new Map<string, string[]>();
  private readonly tuples: readonly ReadonlySet<string>[];
  private readonly splits: Splits;

  constructor(order: Iterable<string>, tuples: readonly ReadonlySet<string>[], splits: Splits) {
    this.order = [...order];
    this.splits = splits;
    // Equal tuples say the same: a cascade of hundreds of Einsums has few distinct ones.
    const distinct = new Map(tuples.filter(names => names.size > 1).map(names => [[...names].join(" "), names]));
    this.tuples = [...distinct.values()];
    for (const name of this.order) {
      this.parent.set(name, name);
      this.members.set(name, [name]);
    }
  }

  find(name: string): string {
    let root = name;
    for (let up = this.parent.get(root); up !== undefined && up !== root; up = this.parent.get(root)) root = up;
    return root;
  }

  membersOf(name: string): readonly string[] {
    return this.members.get(this.find(name)) ?? [name];
  }

  tie(a: string, b: string | undefined): void {
    if (b === undefined) return;
    const [x, y] = [this.find(a), this.find(b)];
    if (x === y || !this.mayTie(x, y)) return;
    this.parent.set(y, x);
    this.members.set(x, [...this.membersOf(x), ...(this.members.get(y) ?? [])]);
  }

  private mayTie(x: string, y: string): boolean {
    const [left, right] = [this.membersOf(x), this.membersOf(y)];
    const meets = (names: ReadonlySet<string>, some: readonly string[]): boolean => some.some(n => names.has(n));
    if (this.tuples.some(names => meets(names, left) && meets(names, right))) return false;
    const parts = (names: readonly string[]): ReadonlySet<string> => new Set(names.flatMap(n => this.partsOf(n)));
    return !meets(parts(left), right) && !meets(parts(right), left);
  }

  /** Everything below a rank in its split, itself excluded. */
  private partsOf(name: string): string[] {
    const seen = new Set<string>();
    const open = [...(this.splits.get(name) ?? [])];
    for (let part = open.pop(); part !== undefined; part = open.pop()) {
      if (seen.has(part)) continue;
      seen.add(part);
      open.push(...(this.splits.get(part) ?? []));
    }
    return [...seen];
  }
}

function buildTable(classes: RankClasses, evidence: RankEvidence, splits: Splits): RankTable {
  const { declarations, stops, sizeNames } = evidence;
  const preferred = new Set([
    ...stops.flatMap(stop => namesIn(stop.limit)),
    ...sizeNames,
    ...declarations.flatMap(({ name, size }) => [name, ...namesIn(size)]),
  ]);
  const roots = new Map<string, Rank>();
  const byName = new Map<string, Rank>();
  const canonicalOfRoot = new Map<string, string>();
  for (const name of [...preferred, ...classes.order]) {
    const root = classes.find(name);
    if (!canonicalOfRoot.has(root)) canonicalOfRoot.set(root, name);
  }
  const canonical = (name: string): string => canonicalOfRoot.get(classes.find(name)) ?? name;
  const partsOfRank = new Map<string, readonly string[]>();
  const partsOf = (name: string): readonly string[] => {
    const known = partsOfRank.get(name);
    if (known !== undefined) return known;
    // A rank that is met again below itself is taken as whole there.
    partsOfRank.set(name, [name]);
    const split = classes.membersOf(name).flatMap(n => (splits.has(n) ? [splits.get(n) ?? []] : []))[0];
    const parts = split === undefined ? [name] : [...new Set(split.flatMap(part => partsOf(canonical(part))))];
    partsOfRank.set(name, parts);
    return parts;
  };
  for (const name of classes.order) {
    const root = classes.find(name);
    const known = roots.get(root);
    if (known !== undefined) {
      byName.set(name, known);
      continue;
    }
    const first = canonical(name);
    const members = classes.membersOf(name);
    const declared = declarations.find(d => members.includes(d.name) && d.size !== null && isOwnSize(d.size, members));
    const stop = stops.find(s => members.includes(rankNameOf(s.variable)) && isOwnSize(s.limit, members));
    const size = declared?.size ?? stop?.limit ?? null;
    const rank: Rank = {
      name: first,
      names: [first, ...members.filter(n => n !== first)],
      parts: partsOf(first),
      size: size === null ? null : renameSize(size, canonical),
    };
    roots.set(root, rank);
    byName.set(name, rank);
  }
  const unknown = (name: string): Rank => ({ name, names: [name], parts: [name], size: null });
  return {
    ranks: [...roots.values()],
    byName: name => byName.get(rankNameOf(name)),
    ofVariable: variable => byName.get(rankNameOf(variable)) ?? unknown(rankNameOf(variable)),
  };
}

/** A size that says something: not merely another name of the same rank. */
function isOwnSize(size: Size, members: readonly string[]): boolean {
  const name = soleName(size);
  return name === undefined || !members.includes(name);
}
