import { UsageError } from "../errors.js";
import type { ArithmeticSpec, OperandSpec } from "../numerics/arithmetic.js";
import type { Cascade } from "./cascade.js";
import { readRoles } from "./role-header.js";

type OperandName = "q" | "k" | "v";

/** What the tensors of a cascade are rounded to before they enter a multiplier, in an arithmetic of several types. */
export class OperandTypes {
  /** Inputs and copies of them, by the operand that they are. */
  private readonly names: ReadonlyMap<string, OperandName>;

  /** @throws UsageError for an input of which nothing says whether it is q, k or v, where that matters */
  constructor(
    cascade: Cascade,
    private readonly arithmetic: ArithmeticSpec,
  ) {
    const names = new Map<string, OperandName>();
    const header = readRoles(cascade);
    const { q, k, v } = arithmetic.operands;
    const alike = [k, v].every(({ type, scale }) => type.name === q.type.name && scale === q.scale);
    for (const tensor of cascade.inputs) {
      const named = (["q", "k", "v"] as const).find(role => (header.get(role) ?? role.toUpperCase()) === tensor);
      if (named === undefined && !alike) {
        throw new UsageError({
          where: `the input ${tensor} of ${cascade.name}`,
          got: `the types ${[q, k, v].map(({ type }) => type.name).join(", ")} of q, k and v in arithmetic ${arithmetic.name}`,
          expected: "an arithmetic in which they are one, or an input that is q, k or v",
          fix: "the header # roles: q=Q, k=K, v=V, out=AV says which are",
        });
      }
      names.set(tensor, named ?? "q");
    }
    for (const { tensor, right, reductions, iteration } of cascade.einsums) {
      if (right.kind !== "access" || reductions.length > 0 || iteration !== null) continue;
      const copied = names.get(right.tensor);
      if (copied !== undefined) names.set(tensor, copied);
    }
    this.names = names;
  }

  /** Of an input or a copy of one; undefined for what is computed. */
  of(tensor: string): OperandSpec | undefined {
    const name = this.names.get(tensor);
    return name === undefined ? undefined : this.arithmetic.operands[name];
  }

  /** Of a computed factor beside another tensor in a product that is summed: beside k that of q, else that of p. */
  computed(beside: string | null): OperandSpec {
    const { q, p } = this.arithmetic.operands;
    return beside !== null && this.names.get(beside) === "k" ? { type: q.type, scale: "none" } : p;
  }
}
