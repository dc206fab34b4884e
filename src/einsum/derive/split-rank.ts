import type { Cascade } from "../cascade.js";
import { type Einsum, type Expression, type Index, plainVariable, rankNameOf } from "../einsum.js";
import { formatExpression } from "../format-expression.js";
import type { Rank } from "../ranks.js";
import { nameSize, oneSize, zeroSize } from "../size.js";
import { formatLeft, replaceEinsums, withLine } from "./edit.js";
import { type Law, lawResult, type Refusal, rewriteOf } from "./law.js";

/**
 * Splitting a rank into tiles, M = M1 * M0: every coordinate m is m1 * M0 + m0. Reductions over m run over m1 and m0, in
 * the same order, so that not even a rounding changes. `tile` names M0.
 */
export const splitRank = (rankName: string, tile?: string): Law => ({
  name: "split a rank into tiles",
  statement: "x(m) over M is x(m1 * M0 + m0) over M1 and M0, where M = M1 * M0",
  apply(cascade) {
    const rank = cascade.ranks.byName(rankName);
    if (rank === undefined) return lawResult([]);
    const split = splitOf(cascade, rank, tile);
    if ("reason" in split) return lawResult([split]);
    const lines = new Map<Einsum, readonly string[]>();
    for (const einsum of cascade.einsums) {
      if ([...einsum.free, ...einsum.reduced].includes(split.variable))
        lines.set(einsum, [splitLine(cascade, einsum, split)]);
    }
    const words = `${rank.name} into ${split.outer} tiles of ${split.inner}`;
    const make = () =>
      withLine(replaceEinsums(cascade, lines), `ranks: ${rank.name} = ${split.outer} * ${split.inner}`);
    return lawResult([rewriteOf(cascade.outputs[0] ?? "", words, make)]);
  },
});

/** The variable of a rank, and the ranks and variables that take its place. */
interface Split {
  readonly variable: string;
  readonly outer: string;
  readonly inner: string;
  readonly variables: readonly [outer: string, inner: string];
}

function splitOf(cascade: Cascade, rank: Rank, tile: string | undefined): Split | Refusal {
  const refuse = (reason: string): Refusal => ({ tensor: rank.name, reason });
  if (rank.parts.length > 1) return refuse("it is split already");
  const variables = new Set(
    cascade.einsums
      .flatMap(({ free, reduced }) => [...free, ...reduced])
      .filter(v => cascade.ranks.ofVariable(v) === rank),
  );
  const [variable, other] = [...variables];
  if (variable === undefined) return refuse("no Einsum runs over it");
  if (other !== undefined) return refuse(`it goes by two variables, ${variable} and ${other}`);
  const outer = [`${variable}1`, tile?.toLowerCase() ?? `${variable}0`] as const;
  if (outer[0] === outer[1]) return refuse(`its tiles and their elements would both be ${rankNameOf(outer[0])}`);
  const taken = outer.map(rankNameOf).find(name => cascade.ranks.byName(name) !== undefined);
  if (taken !== undefined) return refuse(`there is a rank ${taken}`);
  for (const einsum of cascade.einsums) {
    const { tensor, indices, reads, filters, iteration } = einsum;
    if (iteration?.variable === variable) return refuse(`${tensor} iterates over it`);
    const names = (index: Index): boolean => index.terms.some(term => term.variable === variable);
    if (filters.some(({ left, right }) => names(left) || names(right))) return refuse(`a filter of ${tensor} names it`);
    const odd = [...indices, ...reads.flatMap(read => read.indices)].some(
      index => names(index) && plainVariable(index) === undefined,
    );
    if (odd) return refuse(`${tensor} reads or writes a neighbour along it`);
    const alongside = reads.find(
      read =>
        cascade.tensors.get(read.tensor)?.writer !== null &&
        read.indices.some((index, place) => {
          const written = cascade.tensors.get(read.tensor)?.indices[place];
          return written !== undefined && names(written) && !names(index);
        }),
    );
    if (alongside !== undefined) return refuse(`${tensor} reads a fixed coordinate of ${alongside.tensor} along it`);
  }
  const stop = new RegExp(`^\\s*until\\s*:.*\\b${variable}\\b`);
  if (cascade.source.lines.some(line => stop.test(line))) return refuse("a stop names it");
  return { variable, outer: rankNameOf(outer[0]), inner: rankNameOf(outer[1]), variables: outer };
}

/** The Einsum's line with m1 and m0 in the place of m: as two places of a tensor that is written, as one of an input. */
function splitLine(cascade: Cascade, einsum: Einsum, split: Split): string {
  const { variable, inner, variables } = split;
  const indexOf = (name: string, coefficient = oneSize) => ({ variable: name, coefficient });
  const places = (indices: readonly Index[], written: boolean): readonly Index[] =>
    indices.flatMap(index => {
      if (plainVariable(index) !== variable) return [index];
      const [outer, within] = variables;
      const both = [indexOf(outer, nameSize(inner)), indexOf(within)];
      if (!written) return [{ ...index, terms: both }];
      return [outer, within].map(name => ({ ...index, terms: [indexOf(name)], offset: zeroSize }));
    });
  const rewritten = (expression: Expression): Expression => {
    switch (expression.kind) {
      case "access": {
        const written = cascade.tensors.get(expression.tensor)?.writer !== null;
        return { ...expression, indices: places(expression.indices, written) };
      }
      case "unary": {
        const { scale } = expression;
        const operand = rewritten(expression.operand);
        return scale === undefined ? { ...expression, operand } : { ...expression, operand, scale: rewritten(scale) };
      }
      case "binary":
        return { ...expression, left: rewritten(expression.left), right: rewritten(expression.right) };
      default:
        return expression;
    }
  };
  const reductions = einsum.reductions.map(({ op, variables: over }) => {
    const named = over.flatMap(name => (name === variable ? variables : [name]));
    return ` :: ${op}(${named.join(", ")})`;
  });
  const annotation = einsum.annotation === null ? "" : ` @${einsum.annotation}`;
  const { tensor, iteration } = einsum;
  // The place of an iteration over another rank moves with what is split before it.
  const before = einsum.indices.slice(0, iteration?.position ?? 0);
  const moved = iteration === null ? null : { ...iteration, position: places(before, true).length };
  const left = formatLeft({ tensor, iteration: moved, indices: places(einsum.indices, true) });
  return `${left} = ${formatExpression(rewritten(einsum.right))}${reductions.join("")}${annotation}`;
}
