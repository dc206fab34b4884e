import type { Token } from "./lexer.js";
import { CascadeError, type Source, type Span } from "./source.js";

/** A walk along the tokens of one line. */
export class Cursor {
  readonly source: Source;
  /** Names without capitals that are sizes all the same (parameters.ts). */
  readonly parameters: ReadonlySet<string>;
  private readonly tokens: readonly Token[];
  private at = 0;

  constructor(source: Source, tokens: readonly Token[], parameters: ReadonlySet<string> = new Set()) {
    this.source = source;
    this.tokens = tokens;
    this.parameters = parameters;
  }

  peek(ahead = 0): Token {
    return this.tokens[Math.max(0, Math.min(this.at + ahead, this.tokens.length - 1))] as Token;
  }

  next(): Token {
    const token = this.peek();
    this.at = Math.min(this.at + 1, this.tokens.length - 1);
    return token;
  }

  get done(): boolean {
    return this.peek().kind === "end";
  }

  /** Whether the token here is the symbol `text`. */
  sees(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === "symbol" && token.text === text;
  }

  /** Steps over the symbol if it is here. */
  take(text: string): boolean {
    if (!this.sees(text)) return false;
    this.next();
    return true;
  }

  expect(text: string, what: string, fix?: string): Token {
    if (!this.sees(text)) throw this.unexpected(`"${text}" ${what}`, fix);
    return this.next();
  }

  expectName(what: string, fix?: string): Token {
    if (this.peek().kind !== "name") throw this.unexpected(what, fix);
    return this.next();
  }

  expectEnd(what: string, fix?: string): void {
    if (!this.done) throw this.unexpected(what, fix);
  }

  /** The error that the token here is not what the grammar allows. */
  unexpected(expected: string, fix?: string): CascadeError {
    const token = this.peek();
    return this.error(token.span, token.kind === "end" ? "the end of the line" : `"${token.text}"`, expected, fix);
  }

  error(span: Span, got: string, expected: string, fix?: string): CascadeError {
    return new CascadeError(this.source, span, { got, expected, ...(fix === undefined ? {} : { fix }) });
  }
}
