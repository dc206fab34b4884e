import type { Cascade } from "../einsum/cascade.js";
import { SpecError } from "../errors.js";
import type { Path } from "./document.js";
import type { WrittenMapping } from "./mapping.js";

/**
 * The ranks that each tensor has besides the cascade's: batch and heads. Inputs are given theirs, under `batch` or as what
 * `tensors` lists beyond the cascade; what an Einsum makes has those of all that it reads.
 * @throws SpecError for the batch of something that is no input
 */
export function batchRanks(
  cascade: Cascade,
  mapping: WrittenMapping,
  real: (name: string) => string,
  at: (path: Path) => string,
): ReadonlyMap<string, readonly string[]> {
  const batch = new Map<string, readonly string[]>();
  const known = new Set([
    ...cascade.ranks.ranks.flatMap(({ names, parts }) => [...names, ...parts]),
    ...Object.entries(mapping.partitions ?? {}).flatMap(([rank, parts]) =>
      cascade.ranks.byName(rank) === undefined ? [] : Object.keys(parts),
    ),
  ]);
  for (const [name, typed] of Object.entries(mapping.tensors ?? {})) {
    const tensor = copiedInput(cascade, real(name));
    const list = "source" in typed ? typed.ranks : (typed as readonly string[]);
    if (cascade.inputs.includes(tensor))
      batch.set(
        tensor,
        list.filter(rank => !known.has(rank)),
      );
  }
  for (const [name, own] of Object.entries(mapping.batch ?? {})) {
    const tensor = copiedInput(cascade, real(name));
    if (!cascade.inputs.includes(tensor)) {
      const expected = `an input: ${cascade.inputs.join(", ")}; the rest has what it is made of`;
      throw new SpecError({ where: at(["batch", name]), got: name, expected });
    }
    const clash = own.find(rank => known.has(rank));
    if (clash !== undefined) {
      const expected = `ranks that ${cascade.name} does not have`;
      throw new SpecError({ where: at(["batch", name]), got: `the rank ${clash}`, expected });
    }
    batch.set(tensor, own);
  }
  const order = [...new Set([...batch.values()].flat())];
  const { einsums, dependence } = cascade;
  let changed = true;
  while (changed) {
    changed = false;
    for (const i of dependence.groups.flatMap(group => group.einsums)) {
      const einsum = einsums[i];
      if (einsum === undefined) continue;
      const all = new Set([
        ...(batch.get(einsum.tensor) ?? []),
        ...einsum.reads.flatMap(r => batch.get(r.tensor) ?? []),
      ]);
      if (all.size === (batch.get(einsum.tensor)?.length ?? 0)) continue;
      batch.set(
        einsum.tensor,
        order.filter(rank => all.has(rank)),
      );
      changed = true;
    }
  }
  return batch;
}

/** K for BK[e,m1,m0] = K[e, m1*M0+m0]: the input that a tensor is, by other indices. */
function copiedInput(cascade: Cascade, tensor: string): string {
  const writer = cascade.tensors.get(tensor)?.writer ?? null;
  const einsum = writer === null ? undefined : cascade.einsums[writer];
  if (einsum === undefined || einsum.right.kind !== "access" || einsum.reductions.length > 0) return tensor;
  return copiedInput(cascade, einsum.right.tensor);
}
