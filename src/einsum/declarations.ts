import type { Cursor } from "./cursor.js";
import { type Index, rankNameOf } from "./einsum.js";
import { parseIndex, parseLeftIndices } from "./parse-index.js";
import {
  addSizes,
  multiplySizes,
  nameSize,
  negateSize,
  numberSize,
  oneSize,
  type Size,
  soleName,
  zeroSize,
} from "./size.js";
import type { Span } from "./source.js";

// What is under ranks:, inputs: and until:, one item at a time.

/** `ranks: M = M1 * M0, K = 16, P`: a rank, and its size where one is said. */
export interface RankDeclaration {
  readonly name: string;
  readonly size: Size | null;
  readonly span: Span;
}

/** `inputs: Q[e,p], K`: `indices` is null where there are no brackets. */
export interface InputDeclaration {
  readonly name: string;
  readonly indices: readonly Index[] | null;
  readonly span: Span;
}

/** `until: m1 >= M1`. */
export interface Stop {
  readonly variable: string;
  readonly limit: Size;
  readonly span: Span;
}

/** `M = M1 * M0`, `K = 16`, `P`, or `M1 = M / M0`, which says M = M1 * M0. */
export function parseRank(cursor: Cursor): RankDeclaration[] {
  const token = cursor.expectName("a rank", "a split rank reads ranks: M = M1 * M0");
  const name = rankNameOf(token.text);
  if (!cursor.take("=")) return [{ name, size: null, span: token.span }];
  let size: Size = zeroSize;
  let isNegative = false;
  do {
    let product: Size = oneSize;
    do {
      const factor = cursor.peek();
      if (factor.kind === "number" && Number.isSafeInteger(Number(factor.text)) && Number(factor.text) > 0) {
        product = multiplySizes(product, numberSize(Number(factor.text)));
      } else if (factor.kind === "name") {
        product = multiplySizes(product, nameSize(rankNameOf(factor.text)));
      } else {
        throw cursor.unexpected("a rank or a whole number from 1", "a split rank reads ranks: M = M1 * M0");
      }
      cursor.next();
    } while (cursor.take("*"));
    if (cursor.sees("/")) {
      cursor.next();
      const divisor = cursor.expectName("the rank to divide by", "a split rank reads ranks: M = M1 * M0");
      const whole = soleName(product);
      if (whole === undefined || size.length > 0) {
        throw cursor.error(divisor.span, "this quotient", "one rank over another, M1 = M / M0");
      }
      const split = multiplySizes(nameSize(name), nameSize(rankNameOf(divisor.text)));
      return [{ name: whole, size: split, span: token.span }];
    }
    size = addSizes(size, isNegative ? negateSize(product) : product);
    isNegative = cursor.sees("-");
  } while (cursor.take("+") || cursor.take("-"));
  return [{ name, size, span: token.span }];
}

/** `Q[e,p]`, or `Q`. */
export function parseInput(cursor: Cursor): InputDeclaration {
  const token = cursor.expectName("a tensor", "inputs are listed by name: inputs: Q[e,p], K[e,m]");
  if (!cursor.take("[")) return { name: token.text, indices: null, span: token.span };
  const left = parseLeftIndices(cursor);
  return { name: token.text, indices: left.map(({ index }) => index), span: token.span };
}

/** `m1 >= M1`. */
export function parseStop(cursor: Cursor): Stop {
  const hint = "a stopping condition reads until: m1 >= M1";
  const token = cursor.expectName("a rank variable", hint);
  if (token.text !== token.text.toLowerCase()) {
    throw cursor.error(token.span, `"${token.text}"`, "the iterative rank's variable, in lower case", hint);
  }
  if (!cursor.take(">=") && !cursor.take("==")) throw cursor.unexpected('">="', hint);
  const limit = parseIndex(cursor);
  if (limit.terms.length > 0) {
    throw cursor.error(limit.span, "a rank variable", "a rank's size or a number to stop at", hint);
  }
  return { variable: token.text, limit: limit.offset, span: token.span };
}
