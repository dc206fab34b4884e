import type { Cascade } from "../cascade.js";
import type { Access } from "../einsum.js";
import { iterativeRead } from "../tensors.js";

const known = new WeakMap<Cascade, ReadonlyMap<string, ReadonlySet<string>>>();

/** The ranks whose fibers have been reduced, or iterated to the end, on the way to a tensor's elements. */
function consumedBy(cascade: Cascade): ReadonlyMap<string, ReadonlySet<string>> {
  const before = known.get(cascade);
  if (before !== undefined) return before;
  const consumed = new Map<string, Set<string>>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const einsum of cascade.einsums) {
      const own = consumed.get(einsum.tensor) ?? new Set<string>();
      const size = own.size;
      for (const variable of einsum.reduced) own.add(cascade.ranks.ofVariable(variable).name);
      for (const read of einsum.reads) {
        for (const rank of consumed.get(read.tensor) ?? []) own.add(rank);
        const loop = loopLeft(cascade, read);
        if (loop !== null) own.add(loop);
      }
      consumed.set(einsum.tensor, own);
      changed ||= own.size > size;
    }
  }
  known.set(cascade, consumed);
  return consumed;
}

/** The rank over which an access reads what an iteration leaves, or null. */
function loopLeft(cascade: Cascade, access: Access): string | null {
  const tensor = cascade.tensors.get(access.tensor);
  if (tensor === undefined || tensor.iterative === null || iterativeRead(tensor, access) !== "last") return null;
  return cascade.ranks.ofVariable(tensor.iterative.variable).name;
}

/** The ranks of variables, and all that are parts of one with them. */
export function familyOf(cascade: Cascade, variables: readonly string[]): ReadonlySet<string> {
  const names = variables.map(variable => cascade.ranks.ofVariable(variable).name);
  const wholes = cascade.ranks.ranks.filter(({ name, parts }) => [name, ...parts].some(part => names.includes(part)));
  return new Set([...names, ...wholes.flatMap(({ name, parts }) => [name, ...parts])]);
}

/** Whether an access reads a value that is there only once a fiber of some of these ranks has been read. */
export function isLate(cascade: Cascade, access: Access, family: ReadonlySet<string>): boolean {
  const loop = loopLeft(cascade, access);
  if (loop !== null && family.has(loop)) return true;
  return [...(consumedBy(cascade).get(access.tensor) ?? [])].some(rank => family.has(rank));
}
