import { Cursor } from "./cursor.js";
import {
  type InputDeclaration,
  parseInput,
  parseRank,
  parseStop,
  type RankDeclaration,
  type Stop,
} from "./declarations.js";
import { type Annotation, annotations, type Expression, type Filter, type ReductionOperator } from "./einsum.js";
import { type Token, tokenize } from "./lexer.js";
import { parametersIn } from "./parameters.js";
import { parseExpression } from "./parse-expression.js";
import { type LeftIndex, parseLeftIndices } from "./parse-index.js";
import { CascadeError, nearest, type Source, type Span } from "./source.js";

/** One Einsum as written, before names are resolved. */
export interface Statement {
  readonly tensor: string;
  readonly left: readonly LeftIndex[];
  readonly right: Expression;
  readonly filters: readonly Filter[];
  readonly reductions: readonly WrittenReduction[];
  readonly annotation: Annotation | null;
  readonly text: string;
  readonly span: Span;
}

export interface WrittenReduction {
  readonly op: ReductionOperator;
  readonly variables: readonly { readonly name: string; readonly span: Span }[];
}

/** A cascade's text as its grammar sees it. */
export interface CascadeText {
  readonly source: Source;
  /** `# key: value` lines that are before everything else. */
  readonly headers: ReadonlyMap<string, string>;
  readonly ranks: readonly RankDeclaration[];
  /** Null without an `inputs:` line. */
  readonly inputs: readonly InputDeclaration[] | null;
  readonly statements: readonly Statement[];
  readonly stops: readonly Stop[];
}

/** What one cascade may be; far above any real one, and still answered at once. */
export const cascadeLimits = { characters: 100_000, einsums: 1000, tokensPerLine: 4000, ranks: 200 } as const;

type Section = "ranks" | "inputs" | "until" | "initialization" | "extended einsums";
const sections: readonly Section[] = ["ranks", "inputs", "until", "initialization", "extended einsums"];
const otherNames: ReadonlyMap<string, Section> = new Map([
  ["rank", "ranks"],
  ["input", "inputs"],
  ["initializations", "initialization"],
  ["einsums", "extended einsums"],
]);

/**
 * Reads the text of a cascade (docs/cascades.md). `name` is what errors call it by.
 * @throws CascadeError with line, column and a hint.
 */
export function parseText(text: string, name: string): CascadeText {
  const source: Source = { name, lines: text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/) };
  if (text.length > cascadeLimits.characters) {
    throw new CascadeError(
      source,
      { line: 1, column: 1, length: 1 },
      {
        got: `a text of ${text.length} characters`,
        expected: `at most ${cascadeLimits.characters}`,
      },
    );
  }
  const reader = new Reader(source, parametersIn(source.lines.map((_, i) => tokensOf(source, i + 1))));
  for (let line = 1; line <= source.lines.length; line += 1) reader.readLine(line);
  return reader.result();
}

/** The tokens of a line that has any; what is wrong with it is said when it is read. */
function tokensOf(source: Source, line: number): readonly Token[] {
  try {
    return tokenize(source, line);
  } catch (error) {
    if (error instanceof CascadeError) return [];
    throw error;
  }
}

class Reader {
  private readonly source: Source;
  private readonly parameters: ReadonlySet<string>;
  private readonly headers = new Map<string, string>();
  private readonly ranks: RankDeclaration[] = [];
  private inputs: InputDeclaration[] | null = null;
  private readonly statements: Statement[] = [];
  private readonly stops: Stop[] = [];
  /** The list whose items may follow on lines of their own: set by a header that nothing follows. */
  private open: "ranks" | "inputs" | "until" | null = null;
  private started = false;

  constructor(source: Source, parameters: ReadonlySet<string>) {
    this.source = source;
    this.parameters = parameters;
  }

  readLine(line: number): void {
    const text = this.source.lines[line - 1] ?? "";
    if (/^\s*#/.test(text)) {
      if (!this.started) this.readHeader(text);
      return;
    }
    const tokens = tokenize(this.source, line);
    const cursor = new Cursor(this.source, tokens, this.parameters);
    if (cursor.done) return;
    this.started = true;
    if (tokens.length > cascadeLimits.tokensPerLine) {
      throw cursor.unexpected(`at most ${cascadeLimits.tokensPerLine} tokens in a line, not ${tokens.length}`);
    }
    const section = this.readSection(cursor);
    if (section === null) {
      if (this.open !== null && !isEinsum(tokens)) this.readList(this.open, cursor);
      else this.readEinsum(cursor, text, false);
    } else if (section === "initialization" || section === "extended einsums") {
      this.open = null;
      if (!cursor.done) this.readEinsum(cursor, text, true);
    } else {
      if (section === "inputs") this.inputs ??= [];
      this.open = cursor.done ? section : null;
      if (!cursor.done) this.readList(section, cursor);
    }
  }

  result(): CascadeText {
    const { source, headers, ranks, inputs, statements, stops } = this;
    if (statements.length === 0) {
      throw new CascadeError(
        source,
        { line: 1, column: 1, length: 1 },
        {
          got: "no Einsum",
          expected: "at least one, such as Y = A[k] * B[k]",
        },
      );
    }
    return { source, headers, ranks, inputs, statements, stops };
  }

  private readHeader(text: string): void {
    const [, key, value] = /^\s*#+\s*([A-Za-z][\w -]*?)\s*:\s*(.+?)\s*$/.exec(text) ?? [];
    if (key === undefined || value === undefined || this.headers.has(key.toLowerCase())) return;
    this.headers.set(key.toLowerCase(), value);
  }

  /** `Name:` or `Two Words:` at the start of a line. */
  private readSection(cursor: Cursor): Section | null {
    let words = 0;
    while (cursor.peek(words).kind === "name") words += 1;
    if (words === 0 || !cursor.sees(":", words)) return null;
    const names = Array.from({ length: words }, () => cursor.next());
    const written = names.map(token => token.text).join(" ");
    const section = sections.find(known => known === written.toLowerCase()) ?? otherNames.get(written.toLowerCase());
    if (section === undefined) {
      const [first] = names as [Token];
      const near = nearest(written, sections);
      throw cursor.error(
        { ...first.span, length: written.length },
        `the heading "${written}:"`,
        "ranks:, inputs:, Initialization:, Extended Einsums: or until:",
        near === undefined ? "an Einsum reads Y = A[k] * B[k]" : `did you mean ${near}:?`,
      );
    }
    cursor.next();
    return section;
  }

  private readList(section: "ranks" | "inputs" | "until", cursor: Cursor): void {
    while (!cursor.done) {
      if (section === "ranks") this.ranks.push(...parseRank(cursor));
      else if (section === "inputs") this.inputs?.push(parseInput(cursor));
      else this.stops.push(parseStop(cursor));
      if (!cursor.take(",") && !cursor.take(";")) cursor.expectEnd('"," or the end of the line');
    }
    if (this.ranks.length > cascadeLimits.ranks) throw cursor.unexpected(`at most ${cascadeLimits.ranks} ranks`);
  }

  private readEinsum(cursor: Cursor, line: string, afterHeading: boolean): void {
    this.open = null;
    const from = cursor.peek().span.column - 1;
    const statement = parseEinsum(cursor);
    const end = cursor.peek().span.column - 1;
    this.statements.push({ ...statement, text: line.slice(afterHeading ? from : 0, end).trim() });
    if (this.statements.length > cascadeLimits.einsums) {
      throw cursor.error(statement.span, "one Einsum more", `at most ${cascadeLimits.einsums}`);
    }
  }
}

/** Whether a line that follows an open list is an Einsum after all: in `ranks:` items have `=` too, but no brackets. */
function isEinsum(tokens: readonly Token[]): boolean {
  const equals = tokens.findIndex(token => token.text === "=");
  if (equals === -1) return false;
  return tokens.some(token => token.text === "[" || token.text === "(" || token.text === "::");
}

function parseEinsum(cursor: Cursor): Omit<Statement, "text"> {
  const name = cursor.expectName(
    "an Einsum, such as Z[m] = A[k,m] * B[k]",
    "an Einsum starts with the tensor it writes",
  );
  const left = cursor.take("[") ? parseLeftIndices(cursor) : [];
  cursor.expect("=", "after the tensor that is written", "an Einsum reads Z[m] = A[k,m] * B[k]");
  const filters: Filter[] = [];
  const right = parseExpression(cursor, filters);
  const reductions: WrittenReduction[] = [];
  while (cursor.take("::")) reductions.push(parseReduction(cursor));
  let annotation: Annotation | null = null;
  while (cursor.take("@")) {
    const token = cursor.expectName(`one of ${annotations.map(a => `@${a}`).join(", ")}`);
    const known = annotations.find(candidate => candidate === token.text);
    if (known === undefined || annotation !== null) {
      throw cursor.error(
        token.span,
        annotation === null ? `the annotation "@${token.text}"` : `a second annotation, "@${token.text}"`,
        annotation === null ? `one of ${annotations.map(a => `@${a}`).join(", ")}` : "one annotation an Einsum",
        annotation === null && nearest(token.text, annotations) !== undefined
          ? `did you mean @${nearest(token.text, annotations)}?`
          : undefined,
      );
    }
    annotation = known;
  }
  cursor.expectEnd("an operator, ::, @ or the end of the line", "one Einsum a line");
  return { tensor: name.text, left, right, filters, reductions, annotation, span: name.span };
}

const reductionOperators: readonly string[] = ["+", "*", "max", "min"];

function parseReduction(cursor: Cursor): WrittenReduction {
  const op = cursor.peek();
  if (!reductionOperators.includes(op.text)) {
    throw cursor.unexpected("max, min, + or * after ::", "a reduction reads :: max(m0)");
  }
  cursor.next();
  cursor.expect("(", "and the ranks to reduce over", "a reduction reads :: max(m0)");
  const variables: { name: string; span: Span }[] = [];
  do {
    const token = cursor.expectName("a rank variable", "a reduction reads :: max(m0)");
    variables.push({ name: token.text.toLowerCase(), span: token.span });
  } while (cursor.take(","));
  cursor.expect(")", "to close the reduction");
  return { op: op.text as ReductionOperator, variables };
}
