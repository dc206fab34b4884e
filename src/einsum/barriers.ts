import { element } from "./along-rank.js";
import type { Cascade } from "./cascade.js";
import type { Reader } from "./consumption.js";
import type { Access, Index } from "./einsum.js";
import { formatAccess, formatRead } from "./format-einsum.js";
import { commonTensors, type RankPasses, reaches, shareOrigin } from "./passes.js";

/** Two Einsums that no mapping can fuse on the rank, and why. */
export interface Barrier {
  /** Numbers of the Einsums in the cascade. */
  readonly before: number;
  readonly after: number;
  /** The tensor that `after` reads again; null when it reads nothing again, which makes a stage but no pass. */
  readonly through: string | null;
  /** Tensors from the value that `before` finishes to `after`, both ends included. */
  readonly chain: readonly string[];
  /** In words: "SN reads QK[:,p] after GM[p] has read all of it". */
  readonly why: string;
}

/**
 * The barriers over a rank from which all others follow: an Einsum is listed with the last Einsums that must have
 * read a whole fiber before it starts, and with no earlier ones, unless it re-reads another tensor after those.
 */
export function barriersOf(cascade: Cascade, analysis: RankPasses): Barrier[] {
  const { consumption } = analysis;
  const { readers, needed, whole } = consumption;
  // Last first, so that an earlier barrier is seen to follow from a later one.
  const at = (r: number) => analysis.einsums[(readers[r] as Reader).einsum] as RankPasses["einsums"][number];
  const consumers = [...readers.keys()]
    .filter(r => isConsumer(readers[r]?.extent ?? 0) || isReadWhole(cascade, analysis, r))
    .sort((a, b) => at(b).stage - at(a).stage || at(b).pass - at(a).pass || b - a);
  const finished = (i: number, r: number): boolean => needed[i]?.[r] === whole;
  const barriers: Barrier[] = [];
  for (const [after, { along }] of analysis.einsums.entries()) {
    if (!along) continue;
    const own = (consumption.readersOf[after] ?? []).map(r => readers[r] as Reader);
    const kept: { reader: number; through: ReadonlySet<string> }[] = [];
    for (const r of consumers) {
      if (!finished(after, r)) continue;
      const reader = readers[r] as Reader;
      const behind = kept.filter(other => finished(readers[other.reader]?.einsum ?? -1, r));
      if (behind.some(other => other.through.size > 0)) continue;
      const again = own.some(mine => shareOrigin(mine, reader, analysis.origins));
      const through = again ? readAgain(cascade, analysis, r, after) : new Set<string>();
      if (behind.length > 0 && through.size === 0) continue;
      if (through.size === 0 && comesThrough(cascade, analysis, r, after)) continue;
      kept.push({ reader: r, through });
      const chain = chainOf(cascade, analysis, r, after);
      for (const tensor of through.size === 0 ? [null] : through) {
        if (barriers.some(b => b.before === reader.einsum && b.after === after && b.through === tensor)) continue;
        const why = wordsFor(cascade, analysis, chain, tensor);
        const names = chain.map(i => cascade.einsums[i]?.tensor ?? "?");
        barriers.push({ before: reader.einsum, after, through: tensor, chain: names, why });
      }
    }
  }
  return barriers;
}

/** Whether a value needs more than an element of what is read. */
function isConsumer(extent: number): boolean {
  for (let rest = extent; rest > 0; rest = Math.floor(rest / 4)) if (rest % 4 > element) return true;
  return false;
}

/** Whether what a reader makes element by element is read by another in one go: all of K for each Z[m] = Q[m] * K[p]. */
function isReadWhole(cascade: Cascade, { consumption }: RankPasses, reader: number): boolean {
  const { needed, value, whole } = consumption;
  return cascade.dependence.edges.some(
    (edges, i) => needed[i]?.[reader] === whole && edges.every(({ from }) => value[from]?.[reader] !== whole),
  );
}

/** Whether the Einsum reads, along the rank, what was held up by the reader already. */
function comesThrough(cascade: Cascade, analysis: RankPasses, reader: number, after: number): boolean {
  const { needed, whole } = analysis.consumption;
  return (cascade.dependence.edges[after] ?? []).some(
    ({ from, carried }) => !carried && (analysis.einsums[from]?.along ?? false) && needed[from]?.[reader] === whole,
  );
}

/**
 * The tensors that `after` reads along the rank and that the reader read before it, or that have an origin in common
 * with what it read. What is itself made after the reader does not count: there the re-read happened earlier.
 */
function readAgain(cascade: Cascade, analysis: RankPasses, reader: number, after: number): Set<string> {
  const { consumption, origins } = analysis;
  const first = consumption.readers[reader] as Reader;
  const found = new Set<string>();
  for (const { read, variables } of consumption.along.reads(after)) {
    const writer = cascade.tensors.get(read.tensor)?.writer ?? null;
    if (writer !== null && consumption.needed[writer]?.[reader] === consumption.whole) continue;
    const reach = variables.map(variable => origins.through(read, variable));
    if (shareOrigin({ origins: reach }, first, origins)) found.add(read.tensor);
  }
  return found;
}

/** Einsums from the reader's to `after`, along the values that complete the reader's fiber; the shortest way. */
function chainOf(cascade: Cascade, analysis: RankPasses, reader: number, after: number): number[] {
  const { readers, value, whole } = analysis.consumption;
  const start = readers[reader]?.einsum ?? -1;
  const next = new Map<number, number>();
  const open = [after];
  for (let to = open.shift(); to !== undefined && !next.has(start); to = open.shift()) {
    const ways = (cascade.dependence.edges[to] ?? []).filter(
      ({ from, carried }) => !carried && from !== after && (value[from]?.[reader] ?? 0) > 0,
    );
    const complete = ways.filter(({ from }) => value[from]?.[reader] === whole);
    for (const { from } of complete.length > 0 ? complete : ways) {
      if (next.has(from)) continue;
      next.set(from, to);
      open.push(from);
    }
  }
  const chain = [start];
  while (chain.at(-1) !== after && chain.length <= cascade.einsums.length) {
    chain.push(next.get(chain.at(-1) as number) ?? after);
  }
  return chain;
}

function wordsFor(cascade: Cascade, analysis: RankPasses, chain: readonly number[], through: string | null): string {
  const { einsums, tensors } = cascade;
  const { consumption } = analysis;
  const hidden = (index: Index): boolean =>
    index.terms.some(({ variable }) => consumption.along.covered(variable).length > 0);
  const nameOf = (i: number | undefined): string => einsums[i ?? -1]?.tensor ?? "?";
  const readOf = (reader: number, tensor: string): Access | undefined =>
    einsums[reader]?.reads.findLast(read => read.tensor === tensor);
  const [before, second] = chain as [number, number];
  const after = chain.at(-1) as number;
  // The first value on the way that has seen the whole fiber: the sum itself, or the last value of an iteration.
  const at = chain.findIndex((i, n) => n < chain.length - 1 && isFinished(analysis, before, i));
  const done = at === -1 ? before : (chain[at] as number);
  const reader = at === -1 ? second : (chain[at + 1] as number);
  const read = readOf(reader, nameOf(done));
  const value = read === undefined ? nameOf(done) : formatRead(read, at === -1 ? undefined : hidden);
  const way = chain.slice(0, -1).length > 1 ? ` (${chain.map(nameOf).join(" -> ")})` : "";
  if (through === null) {
    const fiber = einsums[before]?.reads.find(r => r.indices.some(hidden));
    const what = fiber === undefined ? "its fiber" : `all of ${formatRead(fiber, hidden)}`;
    return `${nameOf(after)} needs ${value}, which has read ${what}, before its first element${way}`;
  }
  const again = formatAccess(through, readOf(after, through)?.indices ?? [], hidden);
  const readersAt = (i: number): Reader[] =>
    (consumption.readersOf[i] ?? []).map(r => consumption.readers[r] as Reader);
  const ranks = tensors.get(through)?.indices.length ?? 0;
  if (readersAt(before).some(r => reaches(r, through, ranks, analysis.origins))) {
    return `${nameOf(after)} reads ${again} after ${value} has read all of it${way}`;
  }
  const pairs = readersAt(after).flatMap(b => readersAt(before).map(a => [a, b] as const));
  const shared = new Set(pairs.flatMap(([a, b]) => [...commonTensors(a, b, analysis.origins)]));
  const line = (tensor: string): number => tensors.get(tensor)?.writer ?? -1;
  const origin = [...shared].reduce((a, b) => (line(b) > line(a) ? b : a), [...shared][0] ?? "one tensor");
  const fiber = einsums[before]?.reads.findLast(r => r.indices.some(hidden));
  const what = fiber === undefined ? "its fiber" : formatRead(fiber, hidden);
  return `${nameOf(after)} reads ${again} after ${value} has read all of ${what}, and both come from ${origin}${way}`;
}

function isFinished({ consumption }: RankPasses, before: number, i: number): boolean {
  return (consumption.readersOf[before] ?? []).some(r => consumption.value[i]?.[r] === consumption.whole);
}
