import type { Cascade } from "../cascade.js";
import type { Einsum } from "../einsum.js";
import { formatAccess } from "../format-einsum.js";
import { formatExpression } from "../format-expression.js";
import { splitOf } from "../split.js";
import { aboutMeansOf } from "./deviations.js";
import { freeName, withoutUnused } from "./edit.js";
import { indexAt, iterated, notOneReduction, Running } from "./iterate.js";
import { type Law, lawResult, type Refusal, type Rewrite, rewriteOf } from "./law.js";

/**
 * Variances of tiles merged (T. F. Chan, G. H. Golub, R. J. LeVeque, The American Statistician 37, 1983, Eq. 2.1): each tile about its own
 * mean, and the sums of two sets by the difference of their means.
 */
export const mergeTiles: Law = {
  name: "merge the sums of squares of tiles",
  statement:
    "sum over (r, s) of (x - mean)^2 = Q(end), where Q(r + 1) = Q(r) + q(r) + (m(r) - M(r))^2 * S * N(r) / N(r + 1), q(r) is the sum over s about the tile's mean m(r), and M the mean of the N elements before",
  apply: cascade => lawResult(cascade.einsums.flatMap(einsum => mergeIn(cascade, einsum))),
};

/** One for each split rank over all parts of which an Einsum sums about a mean. */
function mergeIn(cascade: Cascade, einsum: Einsum): (Rewrite | Refusal)[] {
  const about = aboutMeansOf(cascade, einsum);
  const [outer, inner, third] = einsum.reduced;
  if (about === null || outer === undefined || inner === undefined || third !== undefined) return [];
  const nameOf = (variable: string): string => cascade.ranks.ofVariable(variable).name;
  const rank = cascade.ranks.ranks.find(own => splitOf(cascade, own).join() === [outer, inner].map(nameOf).join());
  if (rank === undefined || rank.parts.length !== 2) return [];
  const refuse = (reason: string): Refusal => ({ tensor: einsum.tensor, reason });
  const unfit = notOneReduction(cascade, { ...einsum, reduced: [outer] });
  if (unfit !== null) return [refuse(unfit)];
  if ("reason" in about) return [refuse(about.reason)];
  if (about.weight !== null) return [refuse("its terms are weighted: tiles would not count alike")];
  const words = `${einsum.tensor} within each ${outer}, merged over ${outer}`;
  return [rewriteOf(einsum.tensor, words, () => mergedOver(cascade, einsum, [outer, inner]))];
}

function mergedOver(cascade: Cascade, einsum: Einsum, [outer, inner]: readonly [string, string]): Cascade {
  const about = aboutMeansOf(cascade, einsum);
  if (about === null || "reason" in about) return cascade;
  const size = cascade.ranks.ofVariable(inner).name;
  const names: string[] = [];
  const fresh = (name: string): string => {
    const free = freeName(cascade, name, names);
    names.push(free);
    return free;
  };
  const running = new Running(cascade, fresh(`R${einsum.tensor}`), einsum, outer);
  const at = (name: string): string => formatAccess(name, [indexAt(outer, [], einsum), ...einsum.indices]);
  const sums = [about.first, ...(about.second === null ? [] : [about.second])].map(({ from, mean }) => {
    const name = mean ?? `M${einsum.tensor}`;
    const [total, own, apart] = [fresh(`T${name}`), fresh(`L${name}`), fresh(`D${name}`)];
    return {
      from,
      own: at(own),
      total: at(total),
      apart: at(apart),
      mean: new Running(cascade, fresh(`R${name}`), einsum, outer),
    };
  });
  const [first, second = first] = sums;
  if (first === undefined || second === undefined) return cascade;
  const [within, count] = [at(fresh(`L${einsum.tensor}`)), fresh("N")];
  const deviation = ({ from, own }: typeof first): string => `(${formatExpression(from)} - ${own})`;
  const product = about.second === null ? `square${deviation(first)}` : `${deviation(first)} * ${deviation(second)}`;
  const share = `${size} * ${count}[${outer}] / ${count}[${outer}+1]`;
  const lines = [
    ...sums.flatMap(({ from, total, own }) => [
      `${total} = ${formatExpression(from)} :: +(${inner})`,
      `${own} = ${total} / ${size}`,
    ]),
    `${within} = ${product} :: +(${inner})`,
    `${count}[${outer}=0] = 0`,
    ...sums.map(({ mean }) => mean.start("0")),
    running.start("0"),
    `${count}[${outer}+1] = ${count}[${outer}] + ${size}`,
    ...sums.flatMap(({ own, apart, mean }) => [
      `${apart} = ${own} - ${mean.before}`,
      `${mean.after} = ${mean.before} + ${apart} * ${size} / ${count}[${outer}+1]`,
    ]),
    `${running.after} = ${running.before} + ${within} + ${first.apart} * ${second.apart} * ${share}`,
  ];
  return withoutUnused(iterated(cascade, running, lines), cascade.outputs);
}
