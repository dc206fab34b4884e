import type { Cursor } from "./cursor.js";
import { type Filter, type Index, type IndexTerm, rankNameOf } from "./einsum.js";
import { addSizes, multiplySizes, nameSize, negateSize, numberSize, oneSize, type Size, zeroSize } from "./size.js";
import { spanTo } from "./source.js";

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
    indices.push(parseNamed(cursor));
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
    const index = parseNamed(cursor);
    if (cursor.sees(":")) {
      throw cursor.unexpected(
        '"," or "]" on the left of "="',
        "a filter belongs on the right, on a tensor that is read",
      );
    }
    indices.push({ index, start: cursor.take("=") ? parseIndex(cursor) : null });
  } while (cursor.take(","));
  cursor.expect("]", 'to end the indices, or "," and another', "indices are separated by commas: A[e,m1,m0]");
  return indices;
}

/** `index`, or `RANK: index`. */
function parseNamed(cursor: Cursor): Index {
  if (!seesRank(cursor)) return parseIndex(cursor);
  const { text, span } = cursor.next();
  cursor.next();
  const index = parseIndex(cursor);
  return { ...index, rank: rankNameOf(text), span: spanTo(span, index.span) };
}

/** Whether a name and a colon begin an index; before a filter, `A[K: K<=i]`, a relation follows. */
function seesRank(cursor: Cursor): boolean {
  const { kind, text } = cursor.peek();
  if (kind !== "name" || isVariable(text) || !cursor.sees(":", 1)) return false;
  for (let ahead = 2; ; ahead += 1) {
    const token = cursor.peek(ahead);
    if (token.kind === "end" || [":", ",", "]"].includes(token.text)) return true;
    if (relations.includes(token.text)) return false;
  }
}

/** A sum of products, each with at most one rank variable. */
export function parseIndex(cursor: Cursor): Index {
  const first = cursor.peek().span;
  const { terms, offset } = parseSum(cursor, 0);
  return { terms, offset, span: spanTo(first, cursor.peek(-1).span) };
}

/** What an index is worth, without its place. */
interface Affine {
  readonly terms: readonly IndexTerm[];
  readonly offset: Size;
}

const deepest = 20;

function parseSum(cursor: Cursor, depth: number): Affine {
  let sum: Affine = { terms: [], offset: zeroSize };
  let negative = cursor.take("-");
  for (;;) {
    const product = parseProduct(cursor, depth);
    const { terms, offset } = negative ? scaled(product, negateSize(oneSize)) : product;
    sum = { terms: terms.reduce(addTerm, sum.terms), offset: addSizes(sum.offset, offset) };
    if (cursor.take("+")) negative = false;
    else if (cursor.take("-")) negative = true;
    else return sum;
  }
}

const scaled = ({ terms, offset }: Affine, factor: Size): Affine => ({
  terms: terms.flatMap(({ variable, coefficient }) => {
    const product = multiplySizes(coefficient, factor);
    return product.length === 0 ? [] : [{ variable, coefficient: product }];
  }),
  offset: multiplySizes(offset, factor),
});

function addTerm(terms: readonly IndexTerm[], term: IndexTerm): readonly IndexTerm[] {
  const known = terms.find(other => other.variable === term.variable);
  if (known === undefined) return [...terms, term];
  const coefficient = addSizes(known.coefficient, term.coefficient);
  const others = terms.filter(other => other !== known);
  return coefficient.length === 0 ? others : [...others, { variable: term.variable, coefficient }];
}

/** Factors, of which one may hold rank variables: `2*(p+r)`, `m1*M0`. */
function parseProduct(cursor: Cursor, depth: number): Affine {
  let product: Affine = { terms: [], offset: oneSize };
  for (;;) {
    const factor = parseFactor(cursor, product.terms.length > 0, depth);
    product = factor.terms.length === 0 ? scaled(product, factor.offset) : scaled(factor, product.offset);
    if (cursor.sees("/")) throw cursor.unexpected('"+", "-", "*", "," or "]" in an index', "an index cannot divide");
    if (!cursor.take("*")) return product;
  }
}

/** @param taken whether another factor of the product has a rank variable */
function parseFactor(cursor: Cursor, taken: boolean, depth: number): Affine {
  const token = cursor.peek();
  const one = "an index is a sum such as m1*M0 + m0";
  if (cursor.sees("(") && depth < deepest) {
    cursor.next();
    const inner = parseSum(cursor, depth + 1);
    cursor.expect(")", 'to close "("', one);
    if (!taken || inner.terms.length === 0) return inner;
    throw cursor.error(
      token.span,
      "rank variables times a rank variable",
      "at most one rank variable in a product",
      one,
    );
  }
  if (token.kind === "number") {
    const value = Number(token.text);
    if (!Number.isSafeInteger(value)) throw cursor.unexpected("a whole number in an index");
    cursor.next();
    return { terms: [], offset: numberSize(value) };
  }
  if (token.kind !== "name") {
    throw cursor.unexpected(
      "a rank variable, a rank's size or a number",
      "an index is a sum such as k, i+1, K or m1*M0 + m0",
    );
  }
  if (!isVariable(token.text)) {
    cursor.next();
    return { terms: [], offset: nameSize(token.text) };
  }
  if (cursor.parameters.has(token.text)) {
    cursor.next();
    return { terms: [], offset: nameSize(rankNameOf(token.text)) };
  }
  if (taken) throw cursor.unexpected("at most one rank variable in a product", one);
  cursor.next();
  return { terms: [{ variable: token.text, coefficient: oneSize }], offset: zeroSize };
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
