import type { Cursor } from "./cursor.js";
import type { Filter, Index, IndexTerm } from "./einsum.js";
import { addSizes, multiplySizes, nameSize, negateSize, numberSize, oneSize, type Size, zeroSize } from "./size.js";
import { type Span, spanTo } from "./source.js";

/** An index expression of a left-hand side; `start` is what follows `=` in `m1=0`. */
export interface LeftIndex {
  readonly index: Index;
  readonly start: Index | null;
}

/** Inside brackets a name without a capital letter is a rank variable, one with a capital a rank's size. */
export function isVariable(name: string): boolean {
  return name === name.toLowerCase();
}

/** `index [ : filter { & filter } ]` between brackets, comma separated. The opening bracket has been taken. */
export function parseIndices(cursor: Cursor, filters: Filter[]): Index[] {
  const indices: Index[] = [];
  if (cursor.take("]")) return indices;
  do {
    indices.push(parseIndex(cursor));
    if (cursor.take(":")) parseFilters(cursor, filters);
  } while (cursor.take(","));
  cursor.expect("]", 'to end the indices, or "," and another', "indices are separated by commas: A[e,m1,m0]");
  return indices;
}

/** The indices of a left-hand side: `e`, `m1+1`, `m1=0`, `m1*M0+m0`. The opening bracket has been taken. */
export function parseLeftIndices(cursor: Cursor): LeftIndex[] {
  const indices: LeftIndex[] = [];
  if (cursor.take("]")) return indices;
  do {
    const index = parseIndex(cursor);
    if (cursor.sees(":")) {
      throw cursor.unexpected(
        '"," or "]" on the left of "="',
        "a filter stands on the right, on a tensor that is read",
      );
    }
    indices.push({ index, start: cursor.take("=") ? parseIndex(cursor) : null });
  } while (cursor.take(","));
  cursor.expect("]", 'to end the indices, or "," and another', "indices are separated by commas: A[e,m1,m0]");
  return indices;
}

/** A sum of products, each with at most one rank variable. */
export function parseIndex(cursor: Cursor): Index {
  const first = cursor.peek().span;
  let terms: readonly IndexTerm[] = [];
  let offset: Size = zeroSize;
  let negative = cursor.take("-");
  for (;;) {
    const product = parseProduct(cursor);
    const factor = negative ? negateSize(product.factor) : product.factor;
    if (product.variable === undefined) offset = addSizes(offset, factor);
    else terms = addTerm(terms, { variable: product.variable, coefficient: factor });
    if (cursor.take("+")) negative = false;
    else if (cursor.take("-")) negative = true;
    else return { terms, offset, span: spanTo(first, product.last) };
  }
}

function addTerm(terms: readonly IndexTerm[], term: IndexTerm): IndexTerm[] {
  const known = terms.find(other => other.variable === term.variable);
  if (known === undefined) return [...terms, term];
  const coefficient = addSizes(known.coefficient, term.coefficient);
  const others = terms.filter(other => other !== known);
  return coefficient.length === 0 ? others : [...others, { variable: term.variable, coefficient }];
}

interface Product {
  readonly variable: string | undefined;
  readonly factor: Size;
  readonly last: Span;
}

function parseProduct(cursor: Cursor): Product {
  let variable: string | undefined;
  let factor: Size = oneSize;
  for (;;) {
    const token = cursor.peek();
    if (token.kind === "number") {
      const value = Number(token.text);
      if (!Number.isSafeInteger(value)) throw cursor.unexpected("a whole number in an index");
      factor = multiplySizes(factor, numberSize(value));
    } else if (token.kind === "name" && isVariable(token.text)) {
      if (variable !== undefined) {
        throw cursor.unexpected("at most one rank variable in a product", "an index is a sum such as m1*M0 + m0");
      }
      variable = token.text;
    } else if (token.kind === "name") {
      factor = multiplySizes(factor, nameSize(token.text));
    } else {
      throw cursor.unexpected(
        "a rank variable, a rank's size or a number",
        "an index is a sum such as k, i+1, K or m1*M0 + m0",
      );
    }
    const last = cursor.next().span;
    if (cursor.sees("/")) throw cursor.unexpected('"+", "-", "*", "," or "]" in an index', "an index cannot divide");
    if (!cursor.take("*")) return { variable: factor.length === 0 ? undefined : variable, factor, last };
  }
}

const relations: readonly string[] = ["<=", "<", ">=", ">", "=="];

/** `k<=i`, `j<=k<=i`, or several joined by `&`. */
function parseFilters(cursor: Cursor, filters: Filter[]): void {
  do {
    let left = parseIndex(cursor);
    let links = 0;
    while (cursor.peek().kind === "symbol" && relations.includes(cursor.peek().text)) {
      const relation = cursor.next().text as Filter["relation"];
      const right = parseIndex(cursor);
      const filter = { left, relation, right, span: spanTo(left.span, right.span) };
      if (left.terms.length === 0 && right.terms.length === 0) {
        throw cursor.error(filter.span, "a condition without a rank variable", "a condition such as k<=i");
      }
      filters.push(filter);
      left = right;
      links += 1;
    }
    if (links === 0) throw cursor.unexpected("one of <= < >= > ==", "a filter reads A[k: k<=i]");
  } while (cursor.take("&"));
}
