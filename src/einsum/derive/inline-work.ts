import type { Cascade } from "../cascade.js";
import type { Einsum, Expression } from "../einsum.js";
import { formatExpression } from "../format-expression.js";
import { replaceEinsums, withoutUnused, withRight } from "./edit.js";
import { inlined, mapAccesses, writerOf } from "./factors.js";
import { type Law, lawResult, type Refusal, type Rewrite, rewriteOf } from "./law.js";

/** Inlining elementwise work: a tensor that is made element by element is what it is made of, wherever it is read. */
export const inlineWork: Law = {
  name: "inline elementwise work",
  statement: "f(t(r)) = f(g(x(r))), where t(r) = g(x(r))",
  apply: cascade => lawResult(cascade.einsums.flatMap(einsum => inlineIn(cascade, einsum))),
};

/** One for each tensor that an Einsum reads inside a function and that is made element by element. */
function inlineIn(cascade: Cascade, einsum: Einsum): (Rewrite | Refusal)[] {
  const { tensor, right } = einsum;
  const inside = insideFunctions(right);
  const names = [...new Set(inside.map(({ tensor: name }) => name))];
  return names.flatMap((name): (Rewrite | Refusal)[] => {
    const writer = writerOf(cascade, name);
    const accesses = inside.filter(access => access.tensor === name);
    if (writer === undefined || writer.reduced.length > 0 || writer.iteration !== null) return [];
    const refuse = (reason: string): (Rewrite | Refusal)[] => [{ tensor, reason }];
    if (einsum.filters.length > 0) return refuse(`a filter says over which points it reads ${name}`);
    if (accesses.some(access => inlined(access, writer) === null))
      return refuse(`${name} is rounded or filtered, or read at other than its own coordinates`);
    const replaced = mapAccesses(right, access =>
      access.tensor === name ? (inlined(access, writer) ?? access) : access,
    );
    const words = `${name} in ${tensor} as ${formatExpression(writer.right)}`;
    return [
      rewriteOf(name, words, () =>
        withoutUnused(replaceEinsums(cascade, new Map([[einsum, [withRight(einsum, replaced)]]])), cascade.outputs),
      ),
    ];
  });
}

/** Accesses that are in the argument of a function, where no law of products sees into them. */
function insideFunctions(expression: Expression): readonly Extract<Expression, { kind: "access" }>[] {
  switch (expression.kind) {
    case "unary":
      return expression.operand.kind === "access" ? [expression.operand] : argumentsOf(expression.operand);
    case "binary":
      return [...insideFunctions(expression.left), ...insideFunctions(expression.right)];
    default:
      return [];
  }
}

function argumentsOf(expression: Expression): readonly Extract<Expression, { kind: "access" }>[] {
  switch (expression.kind) {
    case "access":
      return [expression];
    case "unary":
      return argumentsOf(expression.operand);
    case "binary":
      return [...argumentsOf(expression.left), ...argumentsOf(expression.right)];
    default:
      return [];
  }
}
