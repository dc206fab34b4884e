import { isBeyondDouble, withinDouble } from "../numerics/decimal.js";
import { CascadeError, type Source, type Span } from "./source.js";

type TokenKind = "name" | "number" | "symbol" | "end";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly span: Span;
}

/** Space, number, name, symbol; the longest symbol first, so that `::` is not two colons. */
const pattern =
  /([ \t\u00a0]+)|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|(::|<=|>=|==|[-+*/(),:=<>@&;[\]])/uy;

/** Names are in every table and message. */
const longestName = 100;

/** What people write in place of our symbols, and what to write instead. */
const instead: Readonly<Record<string, string>> = {
  "×": "*",
  "·": "*",
  "−": "-",
  "–": "-",
  "÷": "/",
  "≤": "<=",
  "≥": ">=",
  "∞": "inf",
  "⋄": "until",
  "^": "square(x), or x * x",
  "{": "[",
  "}": "]",
};

/** The tokens of one line, an `end` token last; a `#` and what follows it is a comment. */
export function tokenize(source: Source, lineNumber: number): Token[] {
  const line = source.lines[lineNumber - 1] ?? "";
  const hash = line.indexOf("#");
  const text = hash === -1 ? line : line.slice(0, hash);
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) {
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
      const span = { line: lineNumber, column: at + 1, length: character.length };
      const write = instead[character];
      throw new CascadeError(source, span, {
        got: `the character ${JSON.stringify(character)}`,
        expected: "a name, a number, an operator or a bracket",
        ...(write === undefined ? {} : { fix: `write ${write}` }),
      });
    }
    const [, space, number, name] = match;
    if ((name ?? number ?? "").length > longestName) {
      throw new CascadeError(
        source,
        { line: lineNumber, column: at + 1, length: longestName },
        { got: `a name or number of ${(name ?? number ?? "").length} characters`, expected: `at most ${longestName}` },
      );
    }
    if (number !== undefined && isBeyondDouble(Number(number), number)) {
      const span = { line: lineNumber, column: at + 1, length: number.length };
      throw new CascadeError(source, span, {
        got: `the number ${number}`,
        expected: withinDouble,
        fix: "infinity is written inf",
      });
    }
    if (space === undefined) {
      const kind = number !== undefined ? "number" : name !== undefined ? "name" : "symbol";
      tokens.push({ kind, text: match[0], span: { line: lineNumber, column: at + 1, length: match[0].length } });
    }
    at = pattern.lastIndex;
  }
  const column = text.trimEnd().length + 1;
  tokens.push({ kind: "end", text: "", span: { line: lineNumber, column, length: 1 } });
  return tokens;
}
