/**
 * Errors a user can mend. Each says where it happened, what was got, what was expected and how to mend it;
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
  readonly mend?: string;
}

/** Base of all errors that are the input's or the machine's fault rather than the program's. */
export class FusemaxError extends Error {
  readonly complaint: Complaint;
  /** The offending line of a text, with carets under the place; for texts that people write in lines. */
  readonly excerpt?: string;

  constructor(complaint: Complaint, options?: ErrorOptions) {
    const { where, got, expected, mend } = complaint;
    super(`${where}: got ${got}; expected ${expected}${mend === undefined ? "" : `; ${mend}`}`, options);
    this.name = new.target.name;
    this.complaint = complaint;
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
