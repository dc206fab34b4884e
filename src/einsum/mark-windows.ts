import { type Access, accessesOf, type Expression, type Index, rankNameOf } from "./einsum.js";
import type { CascadeText } from "./parse.js";
import { constantOf } from "./size.js";

/**
 * Marks the indices in which variables slide over each other, `p*2+r`, apart from those of a split rank, `m1*M0+m0`: there each
 * factor is a size of the text's own ranks, and a number only where `ranks:` says that the inner part has it.
 */
export function withWindows(text: CascadeText): CascadeText {
  const numbers = new Map(
    text.ranks.flatMap(({ name, size }) => (size === null ? [] : [[name, constantOf(size)] as const])),
  );
  const ranks = new Set(text.ranks.flatMap(({ name, size }) => [name, ...(size ?? []).flatMap(({ names }) => names)]));
  const named = ({ terms }: Index): void => {
    for (const { variable } of terms) ranks.add(rankNameOf(variable));
  };
  for (const { left, right } of text.statements) {
    for (const { index } of left) named(index);
    for (const { indices } of accessesOf(right)) indices.forEach(named);
  }
  for (const { limit } of text.stops) for (const { names } of limit) for (const name of names) ranks.add(name);
  const isSplit = ({ terms }: Index): boolean => {
    const inner = terms.filter(({ coefficient }) => constantOf(coefficient) === 1);
    const [only] = inner;
    if (inner.length !== 1 || only === undefined) return false;
    return terms.every(term => {
      const [factor] = term.coefficient;
      if (term === only) return true;
      if (term.coefficient.length !== 1 || factor === undefined) return false;
      if (factor.names.length === 0) return numbers.get(rankNameOf(only.variable)) === factor.coefficient;
      return factor.coefficient === 1 && factor.names.every(name => ranks.has(name));
    });
  };
  const slides = (index: Index): boolean =>
    index.terms.length > 1 &&
    index.terms.every(({ coefficient }) => coefficient.every(part => part.coefficient > 0)) &&
    !isSplit(index);
  const mark = (index: Index): Index => (slides(index) ? { ...index, window: true } : index);
  const inside = (access: Access): Access => ({ ...access, indices: access.indices.map(mark) });
  return {
    ...text,
    inputs: text.inputs?.map(input => ({ ...input, indices: input.indices?.map(mark) ?? null })) ?? null,
    statements: text.statements.map(statement => ({
      ...statement,
      left: statement.left.map(({ index, start }) => ({ index: mark(index), start })),
      right: mapped(statement.right, inside),
    })),
  };
}

function mapped(expression: Expression, map: (access: Access) => Access): Expression {
  if (expression.kind === "access") return map(expression);
  if (expression.kind === "binary") {
    return { ...expression, left: mapped(expression.left, map), right: mapped(expression.right, map) };
  }
  if (expression.kind !== "unary") return expression;
  const operand = mapped(expression.operand, map);
  const { scale } = expression;
  return scale === undefined ? { ...expression, operand } : { ...expression, operand, scale: mapped(scale, map) };
}
