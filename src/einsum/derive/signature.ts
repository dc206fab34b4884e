import type { Cascade } from "../cascade.js";
import type { Einsum } from "../einsum.js";
import { formatAccess } from "../format-einsum.js";
import { formatExpression } from "../format-expression.js";
import { mapAccesses } from "./factors.js";

/**
 * Tells cascades apart by what they compute and how, whatever their tensors are called and in whatever order their lines are: two
 * orders of the same rewrites give one signature. It numbers what it has seen.
 */
export class Signatures {
  private readonly numbers = new Map<string, number>();

  of(cascade: Cascade): string {
    const known = new Map<string, string>();
    const lines = new Map<string, Einsum[]>();
    for (const einsum of cascade.einsums) lines.set(einsum.tensor, [...(lines.get(einsum.tensor) ?? []), einsum]);
    const nameOf = (tensor: string): string => {
      const own = lines.get(tensor);
      if (own === undefined) return tensor;
      const name = known.get(tensor);
      if (name !== undefined) return name;
      known.set(tensor, "itself"); // an iteration reads what it has made
      const text = own.map(einsum => this.lineOf(einsum, nameOf)).join(";");
      const number = this.numbers.get(text) ?? this.numbers.size;
      this.numbers.set(text, number);
      known.set(tensor, `t${number}`);
      return `t${number}`;
    };
    return [...lines.keys()].map(nameOf).sort().join();
  }

  private lineOf(einsum: Einsum, nameOf: (tensor: string) => string): string {
    const right = mapAccesses(einsum.right, access => ({ ...access, tensor: nameOf(access.tensor) }));
    const reductions = einsum.reductions.map(({ op, variables }) => `${op}(${variables.join()})`);
    const filters = einsum.filters.map(({ left, relation, right: bound }) =>
      [formatAccess("", [left]), relation, formatAccess("", [bound])].join(""),
    );
    // What the first coordinate of an iteration is called does not matter.
    const left = einsum.iteration?.role === "init" ? "start" : formatAccess("", einsum.indices);
    return [left, formatExpression(right), ...reductions, ...filters, einsum.annotation ?? ""].join(" ");
  }
}
