import type { Cursor } from "./cursor.js";
import { type Access, type BinaryOperator, type Expression, type Filter, unaryFunctions } from "./einsum.js";
import type { Token } from "./lexer.js";
import { parseIndices } from "./parse-index.js";
import { nearest, spanTo } from "./source.js";

/** How deep parentheses, functions and signs may nest. */
const maximumNesting = 200;

/** A right-hand side, up to `::`, `@`, a closing bracket, a comma or the end. Its filters are added to `filters`. */
export function parseExpression(cursor: Cursor, filters: Filter[]): Expression {
  return new ExpressionParser(cursor, filters).sum(0);
}

class ExpressionParser {
  private readonly cursor: Cursor;
  private readonly filters: Filter[];

  constructor(cursor: Cursor, filters: Filter[]) {
    this.cursor = cursor;
    this.filters = filters;
  }

  sum(depth: number): Expression {
    let left = this.product(depth);
    while (this.cursor.sees("+") || this.cursor.sees("-")) {
      const op = this.cursor.next().text as BinaryOperator;
      left = { kind: "binary", op, left, right: this.product(depth) };
    }
    return left;
  }

  private product(depth: number): Expression {
    let left = this.signed(depth);
    while (this.cursor.sees("*") || this.cursor.sees("/")) {
      const op = this.cursor.next().text as BinaryOperator;
      left = { kind: "binary", op, left, right: this.signed(depth) };
    }
    return left;
  }

  private signed(depth: number): Expression {
    const { cursor } = this;
    if (depth > maximumNesting) throw cursor.unexpected(`at most ${maximumNesting} levels of nesting`);
    if (cursor.take("+")) return this.signed(depth + 1);
    if (!cursor.take("-")) return this.primary(depth);
    const operand = this.signed(depth + 1);
    return operand.kind === "number"
      ? { kind: "number", value: -operand.value }
      : { kind: "unary", fn: "neg", operand };
  }

  private primary(depth: number): Expression {
    const { cursor } = this;
    if (cursor.take("(")) {
      const inner = this.sum(depth + 1);
      cursor.expect(")", 'to close "("');
      return inner;
    }
    const token = cursor.peek();
    if (token.kind === "number") {
      cursor.next();
      return { kind: "number", value: Number(token.text) };
    }
    if (token.kind !== "name") throw cursor.unexpected("a tensor, a number, a function or (");
    cursor.next();
    if (cursor.sees("(")) return this.call(token, depth);
    if (token.text === "inf") return { kind: "number", value: Number.POSITIVE_INFINITY };
    return this.access(token);
  }

  private access(name: Token): Access {
    const { cursor } = this;
    if (!cursor.take("[")) return { kind: "access", tensor: name.text, indices: [], bracketed: false, span: name.span };
    const indices = parseIndices(cursor, this.filters);
    const close = cursor.peek(-1).span;
    return { kind: "access", tensor: name.text, indices, bracketed: true, span: spanTo(name.span, close) };
  }

  private call(name: Token, depth: number): Expression {
    const { cursor } = this;
    cursor.next();
    if (name.text === "max" || name.text === "min") return this.extremum(name.text, depth);
    const fn = unaryFunctions.find(known => known === name.text);
    if (fn === undefined) {
      const known = ["max", "min", ...unaryFunctions];
      const near = nearest(name.text, known);
      throw cursor.error(
        name.span,
        `the function "${name.text}"`,
        `one of ${known.join(", ")}`,
        near === undefined ? "a tensor takes square brackets: A[k]" : `did you mean ${near}?`,
      );
    }
    const operand = this.sum(depth + 1);
    if (!cursor.take(",")) {
      cursor.expect(")", `to close "${fn}("`);
      return { kind: "unary", fn, operand };
    }
    if (fn !== "exp")
      throw cursor.error(name.span, `two arguments of ${fn}`, "one", "only exp takes a second, its scale");
    if (cursor.peek().text === "scale" && cursor.sees("=", 1)) {
      cursor.next();
      cursor.next();
    }
    const scale = this.sum(depth + 1);
    cursor.expect(")", 'to close "exp("');
    return { kind: "unary", fn, operand, scale };
  }

  private extremum(op: "max" | "min", depth: number): Expression {
    const { cursor } = this;
    let left = this.sum(depth + 1);
    if (!cursor.sees(",")) {
      throw cursor.unexpected(
        `"," and another value in ${op}(a, b)`,
        `to reduce over a rank, write the Einsum and then :: ${op}(k)`,
      );
    }
    while (cursor.take(",")) left = { kind: "binary", op, left, right: this.sum(depth + 1) };
    cursor.expect(")", `to close "${op}("`);
    return left;
  }
}
