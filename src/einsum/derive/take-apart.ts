import type { Cascade } from "../cascade.js";
import { type Access, accessesOf, type Einsum, type Expression } from "../einsum.js";
import { formatAccess } from "../format-einsum.js";
import { formatExpression } from "../format-expression.js";
import { nameSize } from "../size.js";
import { freshName, replaceEinsums, withoutUnused } from "./edit.js";
import { bodyOf, rename, variablesOf } from "./factors.js";
import { familyOf, isLate } from "./late.js";
import { type Law, lawResult, type Refusal, type Rewrite, rewriteOf } from "./law.js";
import { type Algebra, expand, keyOf, productOf, sumOf, type Term } from "./normal-form.js";
import { isNonNegative } from "./sign.js";

/**
 * A sum is linear (FuseMax section III defers one factor; this is the case of several): whatever its terms are, a sum of products of
 * what varies with what does not is as many sums.
 */
export const splitSum: Law = {
  name: "split a sum",
  statement: "sum over r of (x(r) * c + y(r) * d) = (sum over r of x(r)) * c + (sum over r of y(r)) * d",
  apply: cascade => lawResult(cascade.einsums.map(einsum => takeApart(cascade, einsum, null))),
};

/**
 * The same where what varies is shifted by what does not, as in the sum of (x - mean)^2: right for real numbers, but the sums may be
 * far larger than their combination (T. F. Chan, G. H. Golub, R. J. LeVeque, The American Statistician 37, 1983).
 */
export const recombineSums: Law = {
  name: "recombine sums",
  statement:
    "sum over r of (x(r) - c) * (y(r) - d) = sum of x * y - d * sum of x - c * sum of y + c * d * R: large sums may cancel",
  apply: cascade => lawResult(cascade.einsums.map(einsum => takeApart(cascade, einsum, "cancellation"))),
};

/** What varies over the reduced ranks in some of the terms, with all that it is multiplied by. */
interface Group {
  readonly varying: Pick<Term, "factors" | "divisors">;
  readonly by: Term[];
}

/** Null for an Einsum that is no sum of several products, or of those of the other law. */
function takeApart(cascade: Cascade, einsum: Einsum, caution: Rewrite["caution"]): Rewrite | Refusal | null {
  const { tensor, reductions, reduced, right } = einsum;
  if (reduced.length === 0) return null;
  const varies = (part: Expression): boolean => reduced.some(variable => variablesOf(part).has(variable));
  const positive = (part: Expression): boolean => isNonNegative(cascade, part);
  const algebra = algebraFor(cascade, varies, familyOf(cascade, reduced));
  const terms = expand(right, algebra);
  if (terms.length < 2) return null;
  const cancels = mayCancel(right, algebra, varies) && !terms.every(term => positive(productOf(term)));
  if (cancels !== (caution !== null)) return null;
  const groups = groupsOf(terms, varies);
  if (!isWorthwhile(cascade, einsum, [...groups.values()], varies)) return null;
  const refuse = (reason: string): Refusal => ({ tensor, reason });
  const [only, another] = reductions;
  if (another !== undefined || only?.op !== "+")
    return refuse("it is reduced by other than one sum, which alone is linear");
  if (einsum.iteration !== null) return refuse("it iterates: each step reads what the one before left");
  if (einsum.filters.length > 0) return refuse("a filter says over which points it sums");
  const sums = [...groups.values()].map(({ varying }) => formatExpression(productOf({ coefficient: 1, ...varying })));
  const words = `${tensor} from the sums over ${reduced.join(", ")} of ${sums.join(" and ")}`;
  return rewriteOf(tensor, words, () => recombined(cascade, einsum, [...groups.values()]), caution);
}

/** Opens what is made element by element over the summed ranks of what is late, where it is a sum or a product. */
function algebraFor(cascade: Cascade, varies: (part: Expression) => boolean, family: ReadonlySet<string>): Algebra {
  const inside = (access: Access): Expression | null => bodyOf(cascade, access);
  const algebra: Algebra = {
    inside,
    open(access) {
      const body = varies(access) ? inside(access) : null;
      if (body === null || !accessesOf(body).some(read => isLate(cascade, read, family))) return null;
      const terms = expand(body, algebra);
      const [only] = terms;
      const isAtom = terms.length === 1 && only?.coefficient === 1 && only.factors.length + only.divisors.length < 2;
      return isAtom && only.divisors.length === 0 ? null : body;
    },
    isPositive: part => isNonNegative(cascade, part),
  };
  return algebra;
}

/**
 * Whether taking a sum apart may leave large sums whose difference is small: where in a distributed product, or added to what does not
 * vary, is a sum or a difference whose sides may have opposite signs, or a logarithm is taken apart.
 */
function mayCancel(whole: Expression, algebra: Algebra, varies: (part: Expression) => boolean): boolean {
  const walk = (part: Expression): boolean => {
    if (!varies(part)) return false;
    switch (part.kind) {
      case "access": {
        const inside = algebra.open(part);
        return inside !== null && walk(inside);
      }
      case "unary":
        if (part.fn === "log") return expand(part, algebra).length > 1;
        return ["neg", "square", "recip"].includes(part.fn) && walk(part.operand);
      case "binary": {
        if (part.op === "max" || part.op === "min") return false;
        const adds = part.op === "+" || part.op === "-";
        if (adds && !(part.op === "+" && algebra.isPositive(part.left) && algebra.isPositive(part.right))) return true;
        return walk(part.left) || walk(part.right);
      }
      default:
        return false;
    }
  };
  return walk(whole);
}

function groupsOf(terms: readonly Term[], varies: (part: Expression) => boolean): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const { coefficient, factors, divisors } of terms) {
    const varying = { factors: factors.filter(varies), divisors: divisors.filter(varies) };
    const key = keyOf(varying);
    const group: Group = groups.get(key) ?? { varying, by: [] };
    group.by.push({
      coefficient,
      factors: factors.filter(factor => !varies(factor)),
      divisors: divisors.filter(divisor => !varies(divisor)),
    });
    groups.set(key, group);
  }
  return groups;
}

/** Whether the sums wait for less than the whole does: some factor is late, or they wait for different values. */
function isWorthwhile(
  cascade: Cascade,
  einsum: Einsum,
  groups: readonly Group[],
  varies: (part: Expression) => boolean,
): boolean {
  const family = familyOf(cascade, einsum.reduced);
  const late = (parts: readonly Expression[]): string[] =>
    parts.flatMap(accessesOf).flatMap(access => (isLate(cascade, access, family) ? [formatExpression(access)] : []));
  if (groups.some(({ by }) => by.some(({ factors, divisors }) => late([...factors, ...divisors]).length > 0)))
    return true;
  const waits = groups.map(({ varying }) =>
    [...new Set(late([...varying.factors, ...varying.divisors].filter(varies)))].sort().join(),
  );
  return new Set(waits).size > 1;
}

function recombined(cascade: Cascade, einsum: Einsum, groups: readonly Group[]): Cascade {
  const { tensor, reduced, indices, annotation } = einsum;
  const names: string[] = [];
  const lines: string[] = [];
  const terms = groups.flatMap(({ varying, by }) => {
    const body = productOf({ coefficient: 1, ...varying });
    const variables = variablesOf(body);
    const over = reduced.filter(variable => variables.has(variable));
    const times = reduced
      .filter(variable => !variables.has(variable))
      .map((variable): Expression => ({ kind: "size", size: nameSize(cascade.ranks.ofVariable(variable).name) }));
    const sum = over.length === 0 ? [] : [sumFor(body, over)];
    return by.map(term => ({ ...term, factors: [...term.factors, ...times, ...sum] }));
  });
  function sumFor(body: Expression, over: readonly string[]): Access {
    const own = indices.filter(index => index.terms.every(({ variable }) => variablesOf(body).has(variable)));
    const kept: Access = { kind: "access", tensor: "", indices: own, bracketed: true, span: einsum.span };
    const known = existingSum(cascade, einsum, body, kept, over);
    if (known !== null) return { ...kept, tensor: known };
    const name = freshName(cascade, tensor, names);
    names.push(name);
    lines.push(`${formatAccess(name, own)} = ${formatExpression(body)}`);
    return { ...kept, tensor: name };
  }
  lines.push(
    `${formatAccess(tensor, indices)} = ${formatExpression(sumOf(terms))}${annotation === null ? "" : ` @${annotation}`}`,
  );
  return withoutUnused(replaceEinsums(cascade, new Map([[einsum, lines]])), cascade.outputs);
}

/** The tensor of an earlier Einsum that sums the same. */
function existingSum(
  cascade: Cascade,
  einsum: Einsum,
  body: Expression,
  kept: Access,
  over: readonly string[],
): string | null {
  const found = cascade.einsums.find(other => {
    const [only, another] = other.reductions;
    if (other.span.line >= einsum.span.line || another !== undefined || only?.op !== "+") return false;
    if (other.iteration !== null || other.filters.length > 0 || other.annotation !== null) return false;
    const ranks = (variables: readonly string[]): string =>
      variables.map(variable => cascade.ranks.ofVariable(variable).name).join();
    if (ranks(other.reduced) !== ranks(over)) return false;
    const names = new Map(other.reduced.map((variable, i) => [variable, over[i] ?? variable]));
    const same = formatExpression(rename(other.right, names)) === formatExpression(body);
    return same && formatAccess("", other.indices) === formatAccess("", kept.indices);
  });
  return found?.tensor ?? null;
}
