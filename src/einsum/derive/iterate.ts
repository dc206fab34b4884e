import type { Cascade } from "../cascade.js";
import { type Access, type Einsum, type Index, plainVariable } from "../einsum.js";
import { formatAccess } from "../format-einsum.js";
import { nameSize, numberSize, oneSize, type Size, soleName, zeroSize } from "../size.js";
import { readInstead, replaceByIteration, stopOf } from "./edit.js";

/** An index that is a variable plus a number, or a number alone. */
export const indexAt = (variable: string | null, offset: Size, { span }: Einsum): Index => ({
  terms: variable === null ? [] : [{ variable, coefficient: oneSize }],
  offset,
  span,
});

/** A tensor that iterates over a variable, which is first in its indices. */
export class Running {
  private readonly limit: Size;

  constructor(
    cascade: Cascade,
    readonly tensor: string,
    readonly einsum: Einsum,
    readonly variable: string,
  ) {
    this.limit = nameSize(cascade.ranks.ofVariable(variable).name);
  }

  private at(index: Index): readonly Index[] {
    return [index, ...this.einsum.indices];
  }

  /** `R[m1=0,p] = start` */
  start(value: string): string {
    const [first, ...others] = this.at(indexAt(this.variable, zeroSize, this.einsum));
    const rest = others.map(index => formatAccess("", [index]).slice(1, -1));
    return `${this.tensor}[${[first && `${this.variable}=0`, ...rest].join(",")}] = ${value}`;
  }

  /** `R[m1,p]`, what the step before left. */
  get before(): string {
    return formatAccess(this.tensor, this.at(indexAt(this.variable, zeroSize, this.einsum)));
  }

  /** `R[m1+1,p]`, what this step makes. */
  get after(): string {
    return formatAccess(this.tensor, this.at(indexAt(this.variable, numberSize(1), this.einsum)));
  }

  /** `R[M1,p]` in the place of an access to the Einsum's tensor: what the iteration leaves. */
  end(access: Pick<Access, "indices">): Access {
    const { tensor, einsum, limit } = this;
    const indices = [indexAt(null, limit, einsum), ...access.indices];
    return { kind: "access", tensor, indices, bracketed: true, span: einsum.span };
  }
}

/** Why an Einsum is no reduction over one rank that an iteration could carry out; null where it is. */
export function notOneReduction(cascade: Cascade, einsum: Einsum): string | null {
  if (einsum.iteration !== null) return "it iterates already";
  if (einsum.filters.length > 0) return "a filter says over which points it is reduced";
  const [variable, another] = einsum.reduced;
  if (variable === undefined || another !== undefined) return "it is reduced over other than one rank";
  if (einsum.indices.some(index => plainVariable(index) === undefined)) return "it writes at a fixed coordinate";
  const stop = stopOf(cascade, variable);
  const end = stop === null ? variable.toUpperCase() : soleName(stop);
  if (end === undefined || cascade.ranks.byName(end) !== cascade.ranks.ofVariable(variable))
    return `iterations over ${variable} stop before its end`;
  return null;
}

/**
 * The cascade with an Einsum's lines in its place, whose last value its readers read where the iteration ends. An output
 * keeps its name. `moved` is taken out where it is.
 */
export function iterated(
  cascade: Cascade,
  running: Running,
  lines: readonly string[],
  moved: readonly Einsum[] = [],
): Cascade {
  const { einsum, variable } = running;
  const readers = cascade.outputs.includes(einsum.tensor)
    ? null
    : readInstead(cascade, einsum.tensor, access => running.end(access));
  const annotation = einsum.annotation === null ? "" : ` @${einsum.annotation}`;
  const end = running.end(einsum);
  const copy = `${formatAccess(einsum.tensor, einsum.indices)} = ${formatAccess(end.tensor, end.indices)}${annotation}`;
  const all = readers === null || einsum.annotation !== null ? [...lines, copy] : lines;
  const others = readers === null || einsum.annotation !== null ? [] : readers;
  return replaceByIteration(
    cascade,
    new Map([...others, ...moved.map(other => [other, []] as const), [einsum, all]]),
    variable,
  );
}
