import type { Cascade } from "../../src/einsum/cascade.js";
import type { Access, Einsum, Index } from "../../src/einsum/einsum.js";

/**
 * The passes over K of a small cascade by brute force. Every Einsum that ranges over K is a row of tasks, one an element,
 * carried out in ascending order; a task may run as soon as the elements that it reads are there. Of all interleavings of
 * the rows, the oracle finds the one whose longest chain of re-reads is shortest. In an interleaving, e2 re-reads after
 * e1 when e1 has read all of its elements before e2 reads its first, and both read tensors with a common origin; the next
 * pair of a chain starts from e2 or from an Einsum that depends on it. What is read whole for one element (K[j] of
 * Z[k] = Q[k] * K[j]) has been read when the first element is there.
 *
 * It knows nothing of the analysis: what an element needs is worked out point by point, for a K of `length`.
 */
export function fewestPasses(cascade: Cascade, length: number): number {
  const { einsums } = cascade;
  const rows = einsums.map(einsum => einsum.iteration?.role !== "init" && rangesOverK(einsum));
  const tasks = einsums.map((_, i) => (rows[i] ? length : 1));
  const needs = einsums.map((_, i) =>
    Array.from({ length: tasks[i] as number }, (_x, at) => needsOf(cascade, i, at, length)),
  );
  const origins = einsums.map(einsum => originsOf(cascade, einsum.reads.filter(isAlongK)));
  const readings = einsums.map((einsum, i) => readingsOf(cascade, einsum, tasks[i] as number));
  const producers = einsums.map((_, i) => ancestorsOf(cascade, i));
  const share = einsums.map((_, a) =>
    readings.map(own => own.map(reading => [...(origins[a] as Set<string>)].some(t => reading.origins.has(t)))),
  );
  let best = Number.POSITIVE_INFINITY;
  const seen = new Set<string>();
  const done = einsums.map(() => 0);
  const label = einsums.map(() => 1);
  // The chain that ends at an Einsum or at one that it depends on.
  const chainOf = (e: number): number => Math.max(...(producers[e] as number[]).map(p => label[p] as number));
  const visit = (): void => {
    if (Math.max(...label) >= best) return;
    const key = `${done.join()}|${label.join()}`;
    if (seen.has(key)) return;
    seen.add(key);
    let finished = true;
    for (const [e, count] of tasks.entries()) {
      const at = done[e] as number;
      if (at === count) continue;
      finished = false;
      const ready = needs[e]?.[at]?.every(({ einsum, before }) => (done[einsum] as number) >= before);
      if (!ready) continue;
      const before = label[e] as number;
      if (at === 0 && rows[e]) {
        const behind = [...einsums.keys()].filter(
          o =>
            o !== e &&
            rows[o] &&
            readings[o]?.some(
              (r, n) =>
                (done[o] as number) >= r.readAfter &&
                share[e]?.[o]?.[n] &&
                // Two that read a fiber in one go may do so at once, unless one needs the other.
                (!r.inOneGo || producers[e]?.includes(o)),
            ),
        );
        label[e] = Math.max(1, ...behind.map(o => 1 + chainOf(o)));
      }
      done[e] = at + 1;
      visit();
      done[e] = at;
      label[e] = before;
    }
    if (finished) best = Math.min(best, Math.max(...label));
  };
  visit();
  return best;
}

const isK = (variable: string): boolean => variable === "k";
const usesK = ({ indices }: Access): boolean => indices.some(({ terms }) => terms.some(t => isK(t.variable)));
/** Whether a read goes along K at all: what is read along another rank is no reading of this one. */
const isAlongK = (read: Access): boolean =>
  usesK(read) || !read.indices.some(({ terms }) => terms.some(t => t.variable === "i"));
const usesOther = ({ indices }: Access): boolean =>
  indices.some(({ terms }) => terms.some(t => t.variable === "j" || t.variable === "i"));

/** Whether an Einsum goes along K: by k, or by a j that is nothing but another name for it. */
const rangesOverK = ({ free, reduced }: Einsum): boolean => free.length + reduced.length > 0;

/** Whether each element of an Einsum, kept by k, reads what it reads along j in one go. */
const isAtomic = (einsum: Einsum): boolean => einsum.free.some(isK) && einsum.reads.some(usesK);

const filterOf = ({ filters }: Einsum): "<=" | ">=" | undefined => filters[0]?.relation as "<=" | ">=" | undefined;

/** What is read along j for one element: all, unless a filter stops at k. */
const readsWhole = (einsum: Einsum, read: Access): boolean =>
  isAtomic(einsum) && usesOther(read) && !usesK(read) && filterOf(einsum) !== "<=";

interface Need {
  readonly einsum: number;
  /** How many tasks of that Einsum must be done. */
  readonly before: number;
}

/** What task `at` of an Einsum waits for. */
function needsOf(cascade: Cascade, e: number, at: number, length: number): Need[] {
  const einsum = cascade.einsums[e] as Einsum;
  return einsum.reads.flatMap((read): Need[] => {
    const writers = [...cascade.einsums.keys()].filter(i => cascade.einsums[i]?.tensor === read.tensor);
    const step = writers.find(i => cascade.einsums[i]?.iteration?.role === "step");
    const init = writers.find(i => cascade.einsums[i]?.iteration?.role === "init");
    const all = (i: number): Need => ({
      einsum: i,
      before: cascade.einsums[i]?.iteration?.role !== "init" && rangesOverK(cascade.einsums[i] as Einsum) ? length : 1,
    });
    if (writers.length === 0) return [];
    const [index] = read.indices;
    if (step !== undefined && init !== undefined && index !== undefined) {
      if (index.terms.length === 0) return [all(step)];
      const coordinate = at + (index.offset.length > 0 ? 1 : 0);
      return coordinate === 0
        ? [{ einsum: init, before: 1 }]
        : [
            { einsum: init, before: 1 },
            { einsum: step, before: coordinate },
          ];
    }
    const writer = writers[0] as number;
    if (index === undefined || readsWhole(einsum, read)) return [all(writer)];
    const made = cascade.einsums[writer] as Einsum;
    // An element of a suffix that is summed as it is read is there when the whole fiber has been read.
    if (filterOf(made) === ">=" && !isAtomic(made)) return [all(writer)];
    // At the fiber's ends, where k-1 or k+1 is not there, an element waits as its neighbour does.
    const before = Math.min(length, Math.max(1, coordinateOf(index, at, length) + 1));
    return [{ einsum: writer, before }];
  });
}

/** k+1, 2*k, K-1-k or K-1 at a coordinate of k; j where it only goes along. */
function coordinateOf(index: Index, at: number, length: number): number {
  const value = (size: Index["offset"]): number =>
    size.reduce((sum, { coefficient, names }) => sum + coefficient * (names.length > 0 ? length : 1), 0);
  return index.terms.reduce((sum, { coefficient }) => sum + at * value(coefficient), value(index.offset));
}

interface Reading {
  readonly origins: ReadonlySet<string>;
  /** After how many tasks all of it has been read. */
  readonly readAfter: number;
  /** For the first element already. */
  readonly inOneGo: boolean;
}

/** What an Einsum reads along K: in one go for its first element, and element by element. */
function readingsOf(cascade: Cascade, einsum: Einsum, tasks: number): Reading[] {
  const along = einsum.reads.filter(isAlongK);
  const whole = along.filter(read => readsWhole(einsum, read));
  const rest = along.filter(read => !readsWhole(einsum, read));
  return [
    ...(whole.length === 0 ? [] : [{ origins: originsOf(cascade, whole), readAfter: 1, inOneGo: true }]),
    ...(rest.length === 0 ? [] : [{ origins: originsOf(cascade, rest), readAfter: tasks, inOneGo: false }]),
  ];
}

/** The tensors that are read along K and what those derive from element by element. */
function originsOf(cascade: Cascade, reads: readonly Access[]): Set<string> {
  const found = new Set<string>();
  const open: Access[] = [...reads];
  for (let read = open.pop(); read !== undefined; read = open.pop()) {
    if (!read.indices.some(index => index.terms.length > 0) || found.has(read.tensor)) continue;
    found.add(read.tensor);
    const { tensor } = read;
    for (const writer of cascade.einsums) {
      if (writer.tensor !== tensor || writer.iteration?.role === "init" || writer.free.length === 0) continue;
      open.push(...writer.reads.filter(own => usesK(own) || filterOf(writer) === "<="));
    }
  }
  return found;
}

/** An Einsum and everything that it depends on. */
function ancestorsOf(cascade: Cascade, start: number): number[] {
  const found = new Set<number>();
  const open = [start];
  for (let e = open.pop(); e !== undefined; e = open.pop()) {
    if (found.has(e)) continue;
    found.add(e);
    for (const read of cascade.einsums[e]?.reads ?? []) {
      open.push(...[...cascade.einsums.keys()].filter(i => cascade.einsums[i]?.tensor === read.tensor));
    }
  }
  return [...found];
}
