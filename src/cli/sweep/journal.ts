import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs";
import { InputError } from "../../errors.js";
import { requireRegular } from "../../io/regular-file.js";
import { systemError } from "../../io/system-error.js";
import type { SweepRequest } from "../../model/sweep.js";
import type { Block } from "./points.js";

// The finished points of a sweep: a line of JSON that says which sweep they belong to, then a line a block. A process
// killed in the middle of a write leaves a last line without its end, which the next run drops.

const schema = "fusemax.sweep-points/1";

export interface Journal {
  /** Blocks that were found finished. */
  readonly finished: readonly Block[];
  append(block: Block): void;
}

/** Everything that fixes the numbers: specs with their fields, grid and accounting. */
export function sweepIdentity(request: SweepRequest): string {
  const designs = request.designs.map(({ spec, architecture, mapping, binding, technology }) =>
    [spec, architecture, mapping, binding, technology].map(document => document.data),
  );
  return createHash("sha256")
    .update(JSON.stringify({ ...request, designs }))
    .digest("hex");
}

/** Opens a file of finished points, or begins one. Throws InputError when it belongs to another sweep or can't be used. */
export function openJournal(path: string, identity: string): Journal {
  const header = `${JSON.stringify({ schema, identity })}\n`;
  try {
    // As bytes: the points of a large sweep are longer than any string can be.
    if (existsSync(path)) requireRegular(path, "a file of finished points");
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    const end = bytes.lastIndexOf("\n") + 1;
    const start = bytes.toString("utf8", 0, header.length);
    if (end === 0 && !header.startsWith(start)) throw notOurs(path);
    if (end > 0 && start !== header) throw start.startsWith(`{"schema":"${schema}"`) ? another(path) : notOurs(path);
    if (end < bytes.length) truncateSync(path, end);
    if (end === 0) appendFileSync(path, header);
    const finished: Block[] = [];
    for (let at = header.length; at < end; at = bytes.indexOf("\n", at) + 1) {
      finished.push(JSON.parse(bytes.toString("utf8", at, bytes.indexOf("\n", at))) as Block);
    }
    return {
      finished,
      append: block => append(path, `${JSON.stringify(block)}\n`),
    };
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (error instanceof SyntaxError) throw notOurs(path);
    throw new InputError(
      { where: path, got: systemError(error), expected: "a file of finished points" },
      { cause: error },
    );
  }
}

function append(path: string, line: string): void {
  try {
    appendFileSync(path, line);
  } catch (error) {
    throw new InputError(
      {
        where: path,
        got: systemError(error),
        expected: `room for ${line.length} bytes more`,
        mend: "points finished so far are kept; make room and run the same command again",
      },
      { cause: error },
    );
  }
}

const another = (path: string): InputError =>
  new InputError({
    where: path,
    got: "points of another sweep",
    expected: "points of this one",
    mend: "give the same options and specs as before, or another file",
  });

const notOurs = (path: string): InputError =>
  new InputError({
    where: path,
    got: "something that is no file of finished points",
    expected: `a file that --resume began (${schema}), or a new name`,
  });
