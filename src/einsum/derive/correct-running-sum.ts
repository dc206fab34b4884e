import type { Cascade } from "../cascade.js";
import type { Access, Einsum, Expression } from "../einsum.js";
import { formatAccess } from "../format-einsum.js";
import { formatExpression } from "../format-expression.js";
import { iterativeRead } from "../tensors.js";
import { runningOf } from "./change-reference.js";
import { freeName, withoutUnused } from "./edit.js";
import { type ExponentialOfDifference, exponentialOf } from "./exponential.js";
import { expressionOf, inlined, opened, variablesOf, writerOf } from "./factors.js";
import { indexAt, iterated, notOneReduction, Running } from "./iterate.js";
import type { Law, Refusal, Rewrite } from "./law.js";

/**
 * A sum whose terms are corrected for what a running value leaves in the end, as a running sum that is corrected whenever
 * that value changes: f(a - c) = f(a - b) * f(b - c), so that what was right for one turn is right for the next after one factor.
 */
export const correctRunningSum: Law = {
  name: "correct a running sum",
  statement:
    "sum over r of x(r) * exp(b(r + 1) - b(end)) = S(end), where S(0) = 0 and S(r + 1) = S(r) * exp(b(r) - b(r + 1)) + x(r)",
  apply(cascade) {
    const results = cascade.einsums.map(einsum => correctIn(cascade, einsum)).filter(result => result !== null);
    return {
      rewrites: results.filter(result => "cascade" in result),
      refusals: results.filter(result => "reason" in result),
    };
  },
};

/** A factor that is 1 at the last turn: exp(b[r+1] - b[R]). */
interface Correction {
  readonly exponential: ExponentialOfDifference;
  readonly now: Access;
}

/** Null for an Einsum that is no sum, or has no such factor. */
function correctIn(cascade: Cascade, einsum: Einsum): Rewrite | Refusal | null {
  const { tensor, reductions, reduced } = einsum;
  const [only] = reductions;
  if (only?.op !== "+") return null;
  const { factors, divisors } = opened(cascade, einsum.right);
  const corrections = factors.map(factor => correctionOf(cascade, factor, einsum));
  const found = corrections.filter(correction => correction !== null);
  if (found.length === 0) return null;
  const refuse = (reason: string): Refusal => ({ tensor, reason });
  const unfit = notOneReduction(cascade, einsum);
  const [variable] = reduced;
  if (unfit !== null || variable === undefined) return refuse(unfit ?? "it is not reduced");
  if (found.some(({ now }) => cascade.tensors.get(now.tensor)?.iterative?.variable !== variable))
    return refuse(`it is corrected for what does not run over ${variable}`);
  const stray = found
    .flatMap(({ exponential }) => [exponential.to, ...exponential.scales])
    .flatMap(part => [...variablesOf(part)])
    .find(name => !einsum.free.includes(name));
  if (stray !== undefined) return refuse(`its factor varies over ${stray}, over which it is summed`);

  const rest = expressionOf({ factors: factors.filter((_, i) => corrections[i] === null), divisors });
  const running = new Running(cascade, freeName(cascade, `R${tensor}`), einsum, variable);
  const names = [running.tensor];
  const moved: Einsum[] = [];
  const lines = [running.start("0")];
  const made = new Map<string, string>(); // a square is corrected twice by one factor
  const changes = found.map(({ exponential, now }) => {
    const before: Access = {
      ...now,
      indices: now.indices.map((index, i) => turnBefore(cascade, now, index, i, einsum)),
    };
    const change = formatExpression(exponential.with(before, now));
    const again = made.get(change);
    if (again !== undefined) return again;
    const known = cascade.einsums.find(
      other => other.annotation === "factor" && formatExpression(other.right) === change && other.filters.length === 0,
    );
    const later = known !== undefined && known.span.line > einsum.span.line;
    if (known !== undefined && !later) return formatAccess(known.tensor, known.indices);
    if (later) moved.push(known);
    const name = known?.tensor ?? freeName(cascade, `P${now.tensor}`, names);
    names.push(name);
    const over = [...variablesOf(exponential.with(before, now))].map(v => indexAt(v, [], einsum));
    lines.push(`${formatAccess(name, over)} = ${change} @factor`);
    made.set(change, formatAccess(name, over));
    return formatAccess(name, over);
  });
  const kept = freeName(cascade, `SP${tensor}`, names);
  const keptAt = formatAccess(kept, [indexAt(variable, [], einsum), ...einsum.indices]);
  lines.push(
    `${keptAt} = ${[running.before, ...changes].join(" * ")} @accumulator`,
    `${running.after} = ${formatExpression(rest)} + ${keptAt}`,
  );
  const derived = withoutUnused(iterated(cascade, running, lines, moved), cascade.outputs);
  const words = `${tensor} as ${running.tensor}, which runs over ${variable} and is multiplied by ${changes.join(" and ")}`;
  return { tensor, words, cascade: derived };
}

const turnBefore = (cascade: Cascade, now: Access, index: Access["indices"][number], i: number, einsum: Einsum) => {
  const iterative = cascade.tensors.get(now.tensor)?.iterative;
  return i === iterative?.position ? indexAt(iterative.variable, [], einsum) : index;
};

/** A factor, or what makes it element by element, as exp(b[r+1] - b[R]). */
function correctionOf(cascade: Cascade, factor: Expression, einsum: Einsum): Correction | null {
  const inside = factor.kind === "access" ? inlined(factor, writerOf(cascade, factor.tensor)) : null;
  const exponential = exponentialOf(inside ?? factor);
  if (exponential === null || exponential.from.kind !== "access") return null;
  const now = runningOf(cascade, exponential.to, einsum);
  const tensor = cascade.tensors.get(exponential.from.tensor);
  if (now === null || tensor === undefined || iterativeRead(tensor, exponential.from) !== "current") return null;
  return formatExpression(now) === formatExpression(exponential.from) ? { exponential, now } : null;
}
