import { barriersOf } from "../barriers.js";
import type { Cascade } from "../cascade.js";
import type { Einsum } from "../einsum.js";
import { passesOver, type RankPasses } from "../passes.js";
import { freshName, replaceEinsums, withRight } from "./edit.js";
import { mapAccesses } from "./factors.js";
import { type Law, lawResult, type Refusal, type Rewrite, rewriteOf } from "./law.js";

/**
 * Recomputing in place of storing: what has to live between two passes may be made again in the second from what it is made of, so
 * that inputs are read again and nothing is kept: all that it is made of along the rank, down to the inputs. Footprint is traded for operations.
 */
export const recompute = (rankName: string): Law => ({
  name: "recompute in place of storing",
  statement: "f(t(r)) = f(u(r)), where u is made as t is, again in the later pass",
  apply(cascade) {
    const rank = cascade.ranks.byName(rankName);
    if (rank === undefined) return lawResult([]);
    const analysis = passesOver(cascade, rank);
    const stored = new Set(barriersOf(cascade, analysis).map(({ through }) => through));
    return lawResult(
      cascade.einsums.map(({ tensor }) => {
        if (!stored.has(tensor)) return null;
        const passOf = (i: number): number => analysis.einsums[i]?.pass ?? 1;
        const readers = cascade.einsums.flatMap(({ reads }, i) =>
          reads.some(read => read.tensor === tensor) ? [i] : [],
        );
        const first = Math.min(...readers.map(passOf));
        const later = readers.filter(i => passOf(i) === Math.min(...readers.map(passOf).filter(pass => pass > first)));
        return later.length === 0 ? null : again(cascade, analysis, tensor, later);
      }),
    );
  },
});

function again(
  cascade: Cascade,
  analysis: RankPasses,
  tensor: string,
  readers: readonly number[],
): Rewrite | Refusal | null {
  const refuse = (reason: string): Refusal => ({ tensor, reason });
  const later = readers.flatMap(i => cascade.einsums[i] ?? []);
  if (later.some(({ filters }) => filters.length > 0)) return refuse("a filter says where it is read");
  const names = new Map<string, string>();
  const lines: string[] = [];
  const copied = (name: string): string | null => {
    const known = names.get(name);
    if (known !== undefined) return known;
    const at = cascade.tensors.get(name)?.writer ?? null;
    const writer = at === null ? undefined : cascade.einsums[at];
    if (at === null || writer === undefined) return null;
    if (writer.iteration !== null || writer.filters.length > 0) return null;
    const along = new Set(analysis.consumption.along.reads(at).map(({ read }) => read.tensor));
    for (const read of along) if (!cascade.inputs.includes(read) && copied(read) === null) return null;
    const fresh = freshName(cascade, name, [...names.values()]);
    names.set(name, fresh);
    const right = mapAccesses(writer.right, access =>
      along.has(access.tensor) ? { ...access, tensor: names.get(access.tensor) ?? access.tensor } : access,
    );
    lines.push(withRight({ ...writer, tensor: fresh }, right));
    return fresh;
  };
  const name = copied(tensor);
  if (name === null) return refuse("it, or what it is made of, iterates or is filtered, or is read as it is given");
  const changed = new Map<Einsum, readonly string[]>();
  for (const [i, einsum] of later.entries()) {
    const right = mapAccesses(einsum.right, access =>
      access.tensor === tensor ? { ...access, tensor: name } : access,
    );
    changed.set(einsum, [...(i === 0 ? lines : []), withRight(einsum, right)]);
  }
  const words = `${tensor} again, as ${name}, for ${later.map(einsum => einsum.tensor).join(" and ")}`;
  return rewriteOf(tensor, words, () => replaceEinsums(cascade, changed));
}
