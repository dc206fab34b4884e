import type { Cascade } from "../../src/einsum/cascade.js";
import type { Access, Einsum } from "../../src/einsum/einsum.js";

/**
 * The passes over K of a small cascade by brute force. Every Einsum that ranges over K is a row of tasks, one an element,
 * carried out in ascending order; a task may run as soon as the elements that it reads are there. Of all interleavings of
 * the rows, the oracle finds the one whose longest chain of re-reads is shortest. In an interleaving, e2 re-reads after
 * e1 when e1 has read all of its elements before e2 reads its first, and both read tensors with a common origin; the next
 * pair of a chain starts from e2 or from an Einsum that depends on it.
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
  const origins = einsums.map(einsum => originsOf(cascade, einsum));
  const producers = einsums.map((_, i) => ancestorsOf(cascade, i));
  const share = einsums.map((_, a) =>
    einsums.map((_x, b) => [...(origins[a] as Set<string>)].some(t => origins[b]?.has(t))),
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
        const behind = [...einsums.keys()].filter(o => rows[o] && done[o] === tasks[o] && share[e]?.[o]);
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

const rangesOverK = (einsum: Einsum): boolean => einsum.free.length + einsum.reduced.length > 0;

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
    if (index === undefined) return [all(writer)];
    // An element of a suffix is there when the whole fiber has been read; of anything else, when its task is done.
    const suffix = cascade.einsums[writer]?.filters.some(filter => filter.relation === ">=");
    return [suffix ? all(writer) : { einsum: writer, before: at + 1 }];
  });
}

/** The tensors that an Einsum reads along K and what those derive from element by element. */
function originsOf(cascade: Cascade, einsum: Einsum): Set<string> {
  const found = new Set<string>();
  const open: Access[] = [...einsum.reads];
  for (let read = open.pop(); read !== undefined; read = open.pop()) {
    if (!read.indices.some(index => index.terms.length > 0) || found.has(read.tensor)) continue;
    found.add(read.tensor);
    const { tensor } = read;
    for (const writer of cascade.einsums) {
      if (writer.tensor !== tensor || writer.iteration?.role === "init" || writer.free.length === 0) continue;
      if (writer.filters.some(filter => filter.relation === ">=")) continue;
      open.push(...writer.reads);
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
