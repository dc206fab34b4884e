import type { Expression } from "../einsum/einsum.js";
import type { ArithmeticSpec } from "../numerics/arithmetic.js";
import { scaleBlock } from "../numerics/arithmetic.js";
import type { Formula } from "../spec/expression.js";
import type { EinsumMapping, Mapping } from "../spec/mapping.js";
import { exponentialMacs, peOperations } from "../spec/pe-operations.js";
import type { PlacedEinsum } from "../spec/placement.js";
import type { ElementRoles } from "./element-roles.js";

/** Operations for a point of an Einsum that an arithmetic takes beside those of six coefficients and no other choice. */
type Extra = readonly (readonly [operation: string, times: Formula])[];

/** What changes in the operations of each Einsum, by its name in the mapping. */
export type ExtraOperations = ReadonlyMap<string, Extra>;

/** Whether an array has an operation. */
type Has = (array: string, operation: string) => boolean;

/**
 * The operations that an arithmetic adds to a design's Einsums and takes from them (docs/arithmetic.md, "What it costs"): an
 * exponential's multiply-accumulates follow its coefficients; scales multiply sums; and in the one-pass form the exponent,
 * the offset, running sums and the reciprocal count as well.
 */
export function extraOperations(
  arithmetic: ArithmeticSpec,
  placement: readonly PlacedEinsum[],
  roles: ElementRoles,
  has: Has,
): ExtraOperations {
  const scores = new Set(placement.filter(({ name }) => roles.factors(name).includes("q")).map(({ output }) => output));
  // Scores with something added to them are scores: their scale comes with whatever is first done to them.
  for (const { einsum, output, reads } of placement) {
    const isMade = einsum.reductions.length > 0 || hasExponential(einsum.right);
    if (!isMade && reads.some(({ tensor }) => scores.has(tensor))) scores.add(output);
  }
  const runs = placement.some(({ iterates }) => iterates !== null);
  return new Map(
    placement.map(placed => {
      const { name, einsum, reads, variants } = placed;
      const array = variants[0]?.array ?? "";
      const extra = [
        ...exponential(placed, arithmetic, operation => has(array, operation)),
        ...(hasExponential(einsum.right) && reads.some(({ tensor }) => scores.has(tensor)) ? scaling(arithmetic) : []),
        ...(runs ? onePass(placed, arithmetic, roles) : []),
        ...(roles.of(einsum.tensor) === "output" && isShared(arithmetic.operands.v.scale)
          ? ([["mac", perOutput(placed)]] as const)
          : []),
      ];
      // A comparison is a subtraction, an addition a multiplication by one, where the array has no unit for it.
      const on = ([operation, times]: Extra[number]): Extra[number] => [
        [operation, "add", "mac"].find(unit => has(array, unit)) ?? operation,
        times,
      ];
      return [name, extra.map(on)] as const;
    }),
  );
}

/** The coefficients' difference to E2's, for each exponential that has no unit of its own. */
function exponential({ einsum }: PlacedEinsum, arithmetic: ArithmeticSpec, has: (operation: string) => boolean): Extra {
  const more = arithmetic.exp.coefficients.length - exponentialMacs;
  const exponentials = has("exp") ? 0 : Number(peOperations(einsum, operation => operation === "exp")["exp"] ?? 0);
  return more * exponentials === 0 ? [] : [["mac", more * exponentials]];
}

/** Once for each element that an Einsum makes: of its points, a share of those that are summed. */
const perOutput = ({ reduced }: PlacedEinsum): Formula => (reduced.length === 0 ? 1 : `1 / (${reduced.join(" * ")})`);

const isShared = (scale: ArithmeticSpec["operands"]["q"]["scale"]): boolean =>
  scale !== "none" && scaleBlock(scale) === null;

/**
 * Multiplications by scales of a score, once its sum is done: one; of each of its blocks one, and with nvfp4 one more for the
 * product of the two scales. A tensor core adds the exponents of MX inside its steps. Those of P and V fall inside a sum down
 * a column, where a PE has no cycle of its own for them: they are not counted.
 */
function scaling({ operands: { q, k }, dot }: ArithmeticSpec): Extra {
  if (q.scale === "mx") return dot === "chain" ? [["mac", "ceil(E / 32)"]] : [];
  if (q.scale === "nvfp4") return [["mac", "2 * ceil(E / 16)"]];
  return isShared(q.scale) || isShared(k.scale) ? [["mac", 1]] : [];
}

/**
 * What the one-pass form's own choices change. That a maximum stays within the threshold is a comparison of t, which costs as
 * little as that of E2 with -50: a PE corrects by 1 where it does, in the same cycles.
 */
function onePass({ einsum, iterates }: PlacedEinsum, arithmetic: ArithmeticSpec, roles: ElementRoles): Extra {
  const { exponent, offset, sums, normalize, operands } = arithmetic;
  const role = roles.of(einsum.tensor);
  const extra: (readonly [string, Formula])[] = [];
  if (role === "p" && hasExponential(einsum.right)) {
    // t = BQK * c + b in one step, and b = offset - RM * c in place of the subtraction.
    if (exponent === "fused") extra.push(["add", -1], ["mac", 1]);
    else if (offset !== 0) extra.push(["add", 1]);
    // The largest of a block, and the division by its scale.
    if (operands.p.scale !== "none") extra.push(["max", 1], ["mac", 1]);
  }
  // A running sum starts from the corrected one: nothing is left to add.
  const adds = einsum.right.kind === "binary" && einsum.right.op === "+";
  if (sums === "running" && iterates !== null && adds) extra.push(["add", -1]);
  const divides = einsum.right.kind === "binary" && einsum.right.op === "/";
  // One reciprocal a row of F values.
  if (normalize === "reciprocal" && role === "output" && divides) extra.push(["divide", "1 / F - 1"], ["mac", 1]);
  return extra;
}

function hasExponential(at: Expression): boolean {
  if (at.kind === "unary") return at.fn === "exp" || hasExponential(at.operand);
  return at.kind === "binary" && (hasExponential(at.left) || hasExponential(at.right));
}

/** A mapping with these operations added to its own. */
export function withOperations(mapping: Mapping, extra: ExtraOperations): Mapping {
  const changed = (variant: EinsumMapping, own: Extra): EinsumMapping => {
    const operations: Record<string, Formula> = { ...variant.operations };
    for (const [name, times] of own) operations[name] = sum(operations[name] ?? 0, times);
    return { ...variant, operations };
  };
  const einsums = Object.entries(mapping.einsums).map(([name, entry]) => {
    const own = extra.get(name) ?? [];
    if (own.length === 0) return [name, entry] as const;
    const whole =
      "variants" in entry ? { ...entry, variants: entry.variants.map(v => changed(v, own)) } : changed(entry, own);
    return [name, whole] as const;
  });
  return { ...mapping, einsums: Object.fromEntries(einsums) };
}

const sum = (a: Formula, b: Formula): Formula =>
  typeof a === "number" && typeof b === "number" ? a + b : `${a} + (${b})`;
