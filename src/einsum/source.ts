import { hasUnseen, SpecError } from "../errors.js";

/** A stretch of a cascade's text; line and column count from 1, in UTF-16 units. */
export interface Span {
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** The text of a cascade, with the name that errors call it by (a file's path or a library name). */
export interface Source {
  readonly name: string;
  readonly lines: readonly string[];
}

/** What an error about a cascade says; `fix` is the hint. */
export interface CascadeComplaint {
  readonly got: string;
  readonly expected: string;
  readonly fix?: string;
}

/**
 * A cascade that is not well formed. `where` is `file:line:column`; `excerpt` is the offending line with carets under
 * the place.
 */
export class CascadeError extends SpecError {
  readonly span: Span;
  override readonly excerpt: string;

  constructor(source: Source, span: Span, complaint: CascadeComplaint) {
    super({ where: `${source.name}:${span.line}:${span.column}`, ...complaint });
    this.span = span;
    this.excerpt = excerptOf(source, span);
  }
}

/** How much of a long line an excerpt shows to the left of the caret. */
const excerptReach = 60;

function excerptOf(source: Source, span: Span): string {
  const line = source.lines[span.line - 1] ?? "";
  const from = Math.max(0, span.column - 1 - excerptReach);
  // One place for one, so that the caret still is below its character.
  const shown = line
    .slice(from, from + 2 * excerptReach)
    .replace(/[^\t]/g, character => (hasUnseen(character) ? "\ufffd" : character));
  // Tabs stay tabs, so that the caret is where a terminal or an editor puts the text.
  const before = line.slice(from, span.column - 1).replace(/[^\t]/g, " ");
  const room = Math.max(1, shown.length - (span.column - 1 - from));
  return `  ${shown}\n  ${before}${"^".repeat(Math.min(Math.max(1, span.length), room))}`;
}

/** The span from the start of one to the end of another on the same line. */
export function spanTo(from: Span, to: Span): Span {
  return { line: from.line, column: from.column, length: to.column + to.length - from.column };
}

/** The name nearest to `wanted` by edit distance, if any is near enough to be a slip of the fingers. */
export function nearest(wanted: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(wanted.toLowerCase(), name.toLowerCase());
    if (distance < least && distance < Math.max(wanted.length, name.length)) {
      best = name;
      least = distance;
    }
  }
  return best;
}

/** So many names are all said. */
const fewNames = 8;
/** Of more, those nearest to what was written. */
const nearNames = 5;

/**
 * Names that could have been meant, in a line: of many the nearest first, and where the others are.
 * @param where a place that has them all, such as specs/designs
 */
export function namesNear(wanted: string, names: readonly string[], where: string): string {
  if (names.length <= fewNames) return names.join(", ");
  const text = wanted.slice(0, 200).toLowerCase();
  const ranked = names.map((name, i) => {
    const isPart = text !== "" && name.toLowerCase().includes(text);
    return { name, i, distance: isPart ? 0 : editDistance(text, name.toLowerCase()) };
  });
  ranked.sort((a, b) => a.distance - b.distance || a.i - b.i);
  const near = ranked.slice(0, nearNames).map(({ name }) => name);
  return `${near.join(", ")} and ${names.length - near.length} others in ${where}`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
