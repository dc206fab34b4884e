/**
 * Errors that a user can fix. Each says where it happened, what was got, what was expected and how to fix it;
 * the CLI prints `message` as one line on stderr and exits with 2.
 */
export interface Complaint {
  /** The place: an option, a file with line and column, a tensor with an index. */
  readonly where: string;
  /** What was found there. */
  readonly got: string;
  /** What would have been right. */
  readonly expected: string;
  /** What to do about it, when it is not obvious from `expected`. */
  readonly fix?: string;
  /** The sentence in place of `got` and `expected`, where what is wrong is no value: "cannot be given with --json". */
  readonly problem?: string;
}

/** What is no value that was got, but the want of one, what failed, or what the system said. */
const isNoValue = (got: string): boolean =>
  /^(no |none |neither |too little |a failed |a deadlock|a worker thread that |a session that |permission denied|operation not permitted)/.test(
    got,
  );

/** What is wrong, in words: "got X; expected Y" where X is something, "no X; expected Y" where it is missing. */
export function problemOf({ got, expected, problem }: Pick<Complaint, "got" | "expected" | "problem">): string {
  return problem ?? `${isNoValue(got) ? "" : "got "}${got}; expected ${expected}`;
}

/** A number of things: 1 head, 2 heads, 3 queries. A number may be written already, such as 1K. */
export function howMany(count: number | string, noun: string): string {
  if (String(count) === "1") return `1 ${noun}`;
  return `${count} ${noun
    .replace(/is$/, "e")
    .replace(/([^aeou])y$/, "$1ie")
    .replace(/(s|ch)$/, "$1e")}s`;
}

/** Characters that move a cursor, end a line, reorder text or cannot be seen: what a file could forge our output with. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Text that came from outside, as it may be in a line of ours: escaped where it would not show as itself, and without
 * its middle where it is longer than `most` characters.
 */
export function shown(text: string, most = 400): string {
  const head = Math.ceil(most / 2);
  const short = text.length <= most ? text : `${text.slice(0, head)} … ${text.slice(text.length - (most - head))}`;
  return short.replace(unseen, character => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** Whether a text holds a character that does not show as itself; line ends and tabs are none of them. */
export const hasUnseen = (text: string): boolean => text.replace(/[\t\r\n]/g, "").search(unseen) >= 0;

/** Lists of what is allowed are longer than what was got. */
const longestExpected = 1500;

/**
 * Base of all errors that are the input's or the machine's fault rather than the program's.
 * @example
 * ```ts
 * import { FusemaxError, parseCascade } from "fusemax";
 *
 * try {
 *   parseCascade("Y = A[m] *");
 * } catch (error) {
 *   if (error instanceof FusemaxError) console.log(error.message.split("\n")[0]); // cascade:1:11: got the end of the line; expected a tensor, a number, a function or (
 * }
 * ```
 */
export class FusemaxError extends Error {
  readonly complaint: Complaint;
  /** The offending line of a text, with carets under the place; for texts that people write in lines. */
  readonly excerpt?: string;

  constructor(given: Complaint, options?: ErrorOptions) {
    const where = given.where === "" ? '""' : shown(given.where); // a file without a name is a place, too
    const got = shown(given.got);
    const expected = shown(given.expected, longestExpected);
    const fix = given.fix === undefined ? undefined : shown(given.fix);
    const problem = given.problem === undefined ? {} : { problem: shown(given.problem) };
    const sentence = problemOf({ got, expected, ...problem });
    super(`${where}: ${sentence}${fix === undefined ? "" : `; ${fix}`}`, options);
    this.name = new.target.name;
    this.complaint = { where, got, expected, ...(fix === undefined ? {} : { fix }), ...problem };
  }
}

/** A command line that cannot be obeyed: unknown option, contradictory or absurd values. */
export class UsageError extends FusemaxError {}

/** A tensor or a file of tensors that cannot be used: missing, truncated, wrong type, shape or value. */
export class InputError extends FusemaxError {}

/** A spec or a cascade that is not well formed; `where` is `file:line:column path`. */
export class SpecError extends FusemaxError {}

/** A value left the range of the accumulator while the array computed (fp16 formats only). */
export class NumericsError extends FusemaxError {}

/** No adapter, an adapter that failed the self-test, or one that was lost. */
export class DeviceError extends FusemaxError {}

/** A computed number that is none: not a number, or past the largest double. Nothing is written with one in it. */
export class ResultError extends FusemaxError {}
