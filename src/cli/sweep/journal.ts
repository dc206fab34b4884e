import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { InputError } from "../../errors.js";
import { writeAtomically } from "../../io/atomic-write.js";
import { requireRegular } from "../../io/regular-file.js";
import { systemError } from "../../io/system-error.js";
import type { SweepIdentity } from "./identity.js";
import type { Block } from "./points.js";

// The finished points of a sweep: a line that says which sweep they belong to, then a line a block. Each line is JSON after a
// digest of it. The digests of blocks begin with the first line, so that a block of another sweep is never taken for one of this,
// and blocks are known even where the first line is damaged. What is damaged is dropped: a last line cut short by a kill, and
// whatever a disk has made of the others.

const schema = "fusemax.sweep-points/2";
const digestLength = 16;

export interface Journal {
  /** Blocks that were found finished. */
  readonly finished: readonly Block[];
  /** Bytes that could not be used: their points are computed again. */
  readonly droppedBytes: number;
  append(block: Block): void;
}

/** Opens a file of finished points, or begins one. @throws InputError when it belongs to another sweep or can't be used. */
export async function openJournal(path: string, identity: SweepIdentity): Promise<Journal> {
  const header = withDigest("", JSON.stringify({ schema, ...identity }));
  try {
    if (existsSync(path)) requireRegular(path, "a file of finished points");
    // As bytes: the points of a large sweep are longer than any string can be.
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    const lines = linesOf(bytes);
    const [first = bytes, ...others] = lines;
    const hasHeader = first.equals(header);
    if (!hasHeader) refuseOther(path, first, identity);
    const kept = (hasHeader ? others : lines).filter(line => isWhole(header.toString(), line));
    const isNew =
      bytes.length === 0 || header.subarray(0, bytes.length).equals(bytes) || bytes.every(byte => byte === 0);
    if (!hasHeader && kept.length === 0 && !isNew) throw notOurs(path);
    const usedBytes = kept.reduce((sum, line) => sum + line.length, hasHeader ? header.length : 0);
    if (!hasHeader || usedBytes < bytes.length) await writeAtomically(path, [header, ...kept]);
    return {
      finished: kept.map(line => JSON.parse(line.toString("utf8", digestLength + 1)) as Block),
      droppedBytes: kept.length === 0 && isNew && !hasHeader ? 0 : bytes.length - usedBytes,
      append: block => append(path, withDigest(header.toString(), JSON.stringify(block))),
    };
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      { where: path, got: systemError(error), expected: "a file of finished points" },
      { cause: error },
    );
  }
}

const digestOf = (before: string, json: string | Uint8Array): string =>
  createHash("sha256").update(before).update(json).digest("hex").slice(0, digestLength);

const withDigest = (before: string, json: string): Buffer => Buffer.from(`${digestOf(before, json)} ${json}\n`);

function isWhole(before: string, line: Buffer): boolean {
  const json = line.subarray(digestLength + 1, -1);
  return line.at(-1) === 0x0a && line.toString("latin1", 0, digestLength + 1) === `${digestOf(before, json)} `;
}

/** The lines with their ends; the last may have none. */
function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at);
    const next = end < 0 ? bytes.length : end + 1;
    lines.push(bytes.subarray(at, next));
    at = next;
  }
  return lines;
}

/** Refuses the points of another sweep: a first line that is whole says so. */
function refuseOther(path: string, first: Buffer, identity: SweepIdentity): void {
  if (!isWhole("", first)) return;
  const found = JSON.parse(first.toString("utf8", digestLength + 1)) as Partial<SweepIdentity> & { schema?: unknown };
  if (found.schema !== schema) throw notOurs(path);
  const { program, specs, sweep } = identity;
  if (found.program !== program) throw another(path, `points of program ${found.program}`, `points of ${program}`);
  if (found.specs !== specs) throw another(path, "points of other designs or workloads", "points of those given");
  if (found.sweep !== sweep) throw another(path, "points of another sweep", "points of this one");
}

function append(path: string, line: Uint8Array): void {
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

const another = (path: string, got: string, expected: string): InputError =>
  new InputError({
    where: path,
    got,
    expected,
    mend: "give the same options and specs as before, or another file",
  });

const notOurs = (path: string): InputError =>
  new InputError({
    where: path,
    got: "something that is no file of finished points",
    expected: `a file that --resume began (${schema}), or a new name`,
  });
