import type { Cascade } from "../einsum/cascade.js";
import type { Access } from "../einsum/einsum.js";
import { attentionRoles } from "../einsum/roles.js";
import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import type { FloatSpec } from "../numerics/number-type.js";
import { numberTypes } from "../numerics/number-type.js";
import type { ElementRole } from "../spec/element-bits.js";
import { needsNoPlace, type PlacedEinsum } from "../spec/placement.js";

/** What the tensors of a design are to its arithmetic, by the mapping's names, and in which types its Einsums multiply. */
export interface ElementRoles {
  of(tensor: string): ElementRole;
  /** The operands whose types a multiply-accumulate of the Einsum has; none: accumulators. */
  factors(einsum: string): readonly ("q" | "k" | "v" | "p")[];
}

/**
 * What the tensors of a cascade are: inputs are operands, what is multiplied with V in a sum (or annotated so) is P, what leaves
 * is the output, and everything else is an accumulator (docs/arithmetic.md, "What it costs").
 */
export function tensorRolesOf(cascade: Cascade): ReadonlyMap<string, ElementRole> {
  const roles = attentionRoles(cascade);
  const inputs = new Map<string, ElementRole>(
    roles === null
      ? cascade.inputs.map(name => [name, "q"])
      : [
          [roles.q, "q"],
          [roles.k, "k"],
          [roles.v, "v"],
        ],
  );
  const roleOfInput = (tensor: string): ElementRole | undefined => inputs.get(copiedFrom(cascade, tensor));
  const found = new Map<string, ElementRole>(cascade.outputs.map(name => [name, "output"]));
  for (const { tensor, annotation, reads, reduced } of cascade.einsums) {
    if (annotation === "operand" && !cascade.outputs.includes(tensor)) found.set(tensor, "p");
    const isSummed = ({ indices }: Access): boolean =>
      indices.some(({ terms }) => terms.some(({ variable }) => reduced.includes(variable)));
    const sumsValues = reads.some(read => roleOfInput(read.tensor) === "v" && isSummed(read));
    for (const read of reads) {
      const role = roleOfInput(read.tensor);
      if (role !== undefined) found.set(read.tensor, role);
      else if (sumsValues && isSummed(read)) found.set(read.tensor, "p");
    }
  }
  return found;
}

export function elementRolesOf(cascade: Cascade, placement: readonly PlacedEinsum[]): ElementRoles {
  const found = tensorRolesOf(cascade);
  const names = new Map<string, ElementRole>();
  for (const { output, reads } of placement) {
    names.set(output, found.get(output) ?? "accumulator");
    for (const { name, tensor } of reads) names.set(name, found.get(tensor) ?? "accumulator");
  }
  const factors = new Map(
    placement.map(({ name, reads }) => {
      const own = new Set(reads.map(({ tensor }) => found.get(tensor)));
      const pairs = [["q", "k"] as const, ["p", "v"] as const];
      return [name, pairs.find(pair => pair.every(role => own.has(role))) ?? []];
    }),
  );
  return { of: tensor => names.get(tensor) ?? "accumulator", factors: einsum => factors.get(einsum) ?? [] };
}

/** The tensor that this one has the values of, by other indices. */
function copiedFrom(cascade: Cascade, tensor: string): string {
  const writer = cascade.tensors.get(tensor)?.writer ?? null;
  const einsum = writer === null ? undefined : cascade.einsums[writer];
  const [read] = einsum?.reads ?? [];
  if (einsum === undefined || read === undefined || einsum.iteration !== null || !needsNoPlace(einsum)) return tensor;
  return copiedFrom(cascade, read.tensor);
}

/** The type in which an Einsum does an operation: its products have that of the wider factor, all else the accumulator's. */
export function typeOfOperation(
  arithmetic: ArithmeticSpec,
  roles: ElementRoles,
  einsum: string,
  operation: string,
): FloatSpec {
  const types = operation === "mac" ? roles.factors(einsum).map(role => arithmetic.operands[role].type) : [];
  const accumulator = numberTypes[arithmetic.accumulator];
  return (
    types.reduce<FloatSpec | undefined>(
      (widest, type) => (widest === undefined || type.storageBits > widest.storageBits ? type : widest),
      undefined,
    ) ?? accumulator
  );
}
