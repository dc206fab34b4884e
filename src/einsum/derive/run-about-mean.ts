import type { Cascade } from "../cascade.js";
import type { Einsum } from "../einsum.js";
import { formatAccess } from "../format-einsum.js";
import { formatExpression } from "../format-expression.js";
import { type AboutMeans, aboutMeansOf, type Deviation } from "./deviations.js";
import { freeName, withoutUnused } from "./edit.js";
import { indexAt, iterated, notOneReduction, Running } from "./iterate.js";
import { type Law, lawResult, type Refusal, type Rewrite, rewriteOf } from "./law.js";
import { isNonNegative } from "./sign.js";

/**
 * Sums of squares and products about means in one pass (B. P. Welford, Technometrics 4, 1962; with weights D. H. D. West, CACM 22,
 * 1979): the mean of what has been seen moves with every element, and the sum by the product of one difference from the old
 * mean and one from the new.
 */
export const runAboutMean: Law = {
  name: "a running sum of squares about a running mean",
  statement:
    "sum over r of w(r) * (x(r) - mean of x) * (y(r) - mean of y) = S(end), where m(r + 1) = m(r) + (x(r) - m(r)) * w(r) / W(r + 1), n likewise of y, W the sum of w, and S(r + 1) = S(r) + w(r) * (x(r) - m(r)) * (y(r) - n(r + 1))",
  apply: cascade => lawResult(cascade.einsums.map(einsum => runIn(cascade, einsum))),
};

/** Null for an Einsum that is no sum of products of differences from two values. */
function runIn(cascade: Cascade, einsum: Einsum): Rewrite | Refusal | null {
  const about = aboutMeansOf(cascade, einsum);
  if (about === null) return null;
  const refuse = (reason: string): Refusal => ({ tensor: einsum.tensor, reason });
  const unfit = notOneReduction(cascade, einsum);
  const [variable] = einsum.reduced;
  if (unfit !== null || variable === undefined) return refuse(unfit ?? "it is not reduced");
  if ("reason" in about) return refuse(about.reason);
  const divides = about.weight !== null && !isNonNegative(cascade, about.weight);
  const running = new Running(cascade, freeName(cascade, `R${einsum.tensor}`), einsum, variable);
  const names = new Names(cascade, running.tensor);
  const first = new RunningMean(cascade, einsum, variable, about.first, names);
  const second = about.second === null ? first : new RunningMean(cascade, einsum, variable, about.second, names);
  const words = `${einsum.tensor} as ${running.tensor} about ${[...new Set([first.mean.tensor, second.mean.tensor])].join(" and ")}, which run over ${variable}`;
  const make = (): Cascade =>
    withoutUnused(
      iterated(cascade, running, linesOf(cascade, einsum, variable, { about, running, first, second, names })),
      cascade.outputs,
    );
  return rewriteOf(einsum.tensor, words, make, divides ? "division" : null);
}

class Names {
  private readonly taken: string[];
  constructor(
    private readonly cascade: Cascade,
    first: string,
  ) {
    this.taken = [first];
  }
  fresh(name: string): string {
    const free = freeName(this.cascade, name, this.taken);
    this.taken.push(free);
    return free;
  }
}

/** A mean of what has been seen, and how far an element is from it. */
class RunningMean {
  readonly mean: Running;
  readonly x: string;
  readonly name: string;
  /** x[r] - m[r] */
  readonly apart: string;

  constructor(cascade: Cascade, einsum: Einsum, variable: string, { from, mean }: Deviation, names: Names) {
    this.x = formatExpression(from);
    this.mean = new Running(cascade, names.fresh(mean === null ? `M${einsum.tensor}` : `R${mean}`), einsum, variable);
    this.name = names.fresh(`D${einsum.tensor}`);
    this.apart = formatAccess(this.name, [indexAt(variable, [], einsum), ...einsum.indices]);
  }
}

interface Parts {
  readonly about: AboutMeans;
  readonly running: Running;
  readonly first: RunningMean;
  readonly second: RunningMean;
  readonly names: Names;
}

function linesOf(cascade: Cascade, einsum: Einsum, variable: string, parts: Parts): string[] {
  const { about, running, first, second, names } = parts;
  const means = first === second ? [first] : [first, second];
  const weight = about.weight === null ? null : formatExpression(about.weight);
  // Elements are counted once for all; their weights may differ with what is kept.
  const count = names.fresh(weight === null ? "N" : "W");
  const weights = weight === null ? null : new Running(cascade, count, einsum, variable);
  const [start, before, after] =
    weights === null
      ? [`${count}[${variable}=0] = 0`, `${count}[${variable}]`, `${count}[${variable}+1]`]
      : [weights.start("0"), weights.before, weights.after];
  const share = weight === null ? "" : ` * ${weight}`;
  return [
    start,
    ...means.map(({ mean }) => mean.start("0")),
    running.start("0"),
    `${after} = ${before} + ${weight ?? "1"}`,
    ...means.flatMap(({ mean, apart, x }) => [
      `${apart} = ${x} - ${mean.before}`,
      `${mean.after} = ${mean.before} + ${apart}${share} / ${after}`,
    ]),
    `${running.after} = ${running.before} + ${weight === null ? "" : `${weight} * `}${first.apart} * (${second.x} - ${second.mean.after})`,
  ];
}
