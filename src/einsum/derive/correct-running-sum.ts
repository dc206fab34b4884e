import type { Cascade } from "../cascade.js";
import { accessesOf, type Einsum, type Expression } from "../einsum.js";
import { formatAccess } from "../format-einsum.js";
import { formatExpression } from "../format-expression.js";
import { type Correction, correctionOf, mayDivideByZero } from "./correction.js";
import { freeName, withoutUnused } from "./edit.js";
import { expressionOf, opened, type Quotient, variablesOf } from "./factors.js";
import { indexAt, iterated, notOneReduction, Running } from "./iterate.js";
import { type Law, lawResult, type Refusal, type Rewrite, rewriteOf } from "./law.js";
import { cancelled } from "./normal-form.js";

/**
 * A sum whose terms are corrected for what a running value leaves in the end, as a running sum that is corrected whenever
 * that value changes: f(a - c) = f(a - b) * f(b - c), so that what was right for one step is right for the next after one factor.
 */
export const correctRunningSum: Law = {
  name: "correct a running sum",
  statement:
    "sum over r of x(r) * exp(b(r + 1) - b(end)) = S(end), where S(0) = 0 and S(r + 1) = S(r) * exp(b(r) - b(r + 1)) + x(r); so for b(end) / b(r + 1)",
  apply: cascade => lawResult(cascade.einsums.map(einsum => correctIn(cascade, einsum, false))),
};

/** The same for a factor that is what a running value leaves, or a power of it (FuseMax section III, Cascade 3). */
export const followFactor: Law = {
  name: "follow a running factor",
  statement:
    "sum over r of x(r) * h(b(end)) = S(end), where S(0) = 0 and S(r + 1) = S(r) * h(b(r + 1)) / h(b(r)) + x(r) * h(b(r + 1)), for h a power: h(a) / h(b) = h(a / b)",
  apply: cascade => lawResult(cascade.einsums.map(einsum => correctIn(cascade, einsum, true))),
};

/** Null for an Einsum that is no sum, or has no such factor. */
function correctIn(cascade: Cascade, einsum: Einsum, follows: boolean): Rewrite | Refusal | null {
  const { tensor, reductions, reduced, right } = einsum;
  const [only] = reductions;
  const [variable] = reduced;
  if (only?.op !== "+" || variable === undefined) return null;
  const { factors, divisors } = opened(cascade, right);
  const corrections = (parts: readonly Expression[]) =>
    parts.map(part => correctionOf(cascade, part, einsum, variable) ?? part);
  const [above, below] = [corrections(factors), corrections(divisors)];
  const found = [...above, ...below].filter(isCorrection);
  if (found.length === 0) return null;
  // What a factor has now, b[r+1], may be what the terms are divided by: then nothing of it is left.
  const nows = found.flatMap(({ now }) => (now === null ? [] : [now]));
  const rest = cancelled({
    coefficient: 1,
    factors: above.flatMap(part => (isCorrection(part) ? (part.now ?? []) : part)),
    divisors: below.flatMap(part => (isCorrection(part) ? (part.now ?? []) : part)),
  });
  const left = [...rest.factors, ...rest.divisors].map(formatExpression);
  if (nows.some(now => left.includes(formatExpression(now))) !== follows) return null;
  const refuse = (reason: string): Refusal => ({ tensor, reason });
  const unfit = notOneReduction(cascade, einsum);
  if (unfit !== null) return refuse(unfit);
  const early = found.find(
    ({ end }) => (cascade.tensors.get(end.tensor)?.writer ?? 0) > cascade.einsums.indexOf(einsum),
  );
  if (early !== undefined) return refuse(`${early.end.tensor} is made on a later line`);

  const divides = found.some(correction => mayDivideByZero(cascade, correction));
  const running = new Running(cascade, freeName(cascade, `R${tensor}`), einsum, variable);
  const change: Quotient = {
    factors: [...above.flatMap(part => (isCorrection(part) ? part.factors : [])), ...under(below)],
    divisors: [...above.flatMap(part => (isCorrection(part) ? part.divisors : [])), ...over(below)],
  };
  const made = new CorrectedSum(cascade, einsum, variable, running);
  const multiplied = made.factors(change.factors);
  const words = `${tensor} as ${running.tensor}, which runs over ${variable} and is multiplied by ${[
    ...multiplied,
    ...change.divisors.map(divisor => `1 / ${formatExpression(divisor)}`),
  ].join(" and ")}`;
  return rewriteOf(
    tensor,
    words,
    () => made.cascadeWith(expressionOf(rest), multiplied, change.divisors),
    divides ? "division" : null,
  );
}

const isCorrection = (part: Expression | Correction): part is Correction => "now" in part;
const under = (parts: readonly (Expression | Correction)[]): readonly Expression[] =>
  parts.flatMap(part => (isCorrection(part) ? part.divisors : []));
const over = (parts: readonly (Expression | Correction)[]): readonly Expression[] =>
  parts.flatMap(part => (isCorrection(part) ? part.factors : []));

/** The lines of a corrected sum: those of its factors, and its own. */
class CorrectedSum {
  private readonly lines: string[] = [];
  private readonly moved: Einsum[] = [];
  private readonly names: string[];

  constructor(
    private readonly cascade: Cascade,
    private readonly einsum: Einsum,
    private readonly variable: string,
    private readonly running: Running,
  ) {
    this.names = [running.tensor];
    this.lines.push(running.start("0"));
  }

  /** Exponentials get a line of their own, or that which they have already; anything else is where it is used. */
  factors(parts: readonly Expression[]): readonly string[] {
    const made = new Map<string, string>(); // a square is corrected twice by one factor
    return parts.map(part => {
      if (part.kind !== "unary" || part.fn !== "exp") return formatExpression(part);
      const text = formatExpression(part);
      const name = made.get(text) ?? this.factor(part, text);
      made.set(text, name);
      return name;
    });
  }

  private factor(part: Expression, change: string): string {
    const { cascade, einsum } = this;
    const known = cascade.einsums.find(
      other => other.annotation === "factor" && formatExpression(other.right) === change && other.filters.length === 0,
    );
    const later = known !== undefined && known.span.line > einsum.span.line;
    if (known !== undefined && !later) return formatAccess(known.tensor, known.indices);
    if (later) this.moved.push(known);
    const base = accessesOf(part)[0]?.tensor ?? this.running.tensor;
    const name = known?.tensor ?? freeName(cascade, `P${base}`, this.names);
    this.names.push(name);
    const at = formatAccess(
      name,
      [...variablesOf(part)].map(v => indexAt(v, [], einsum)),
    );
    this.lines.push(`${at} = ${change} @factor`);
    return at;
  }

  cascadeWith(rest: Expression, changes: readonly string[], divisors: readonly Expression[]): Cascade {
    const { cascade, einsum, running, variable } = this;
    const kept = freeName(cascade, `SP${einsum.tensor}`, this.names);
    const at = formatAccess(kept, [indexAt(variable, [], einsum), ...einsum.indices]);
    // Powers, which need no parentheses.
    const by = divisors.map(divisor => ` / ${formatExpression(divisor)}`).join("");
    const product = [running.before, ...changes.map(change => (/ [-+] /.test(change) ? `(${change})` : change))];
    const lines = [
      ...this.lines,
      `${at} = ${product.join(" * ")}${by} @accumulator`,
      `${running.after} = ${formatExpression(rest)} + ${at}`,
    ];
    return withoutUnused(iterated(cascade, running, lines, this.moved), cascade.outputs);
  }
}
