import { appendFileSync, closeSync, existsSync, openSync, readSync } from "node:fs";
import { howMany, InputError } from "../errors.js";
import { writeAtomically } from "../io/atomic-write.js";
import { isWhole, jsonOf, linesOf, withDigest } from "../io/digest-lines.js";
import { readWithoutWaiting, requireRegular } from "../io/regular-file.js";
import { systemError } from "../io/system-error.js";
import { bytesInWords } from "./values.js";

// The finished points of a sweep, or the finished steps of a search: a line that says which work they belong to, then a line a
// block. The digests of blocks begin with the first line, so that a block of other work is never taken for one of this, and
// blocks are known even where the first line is damaged. What is damaged is dropped: a last line cut short by a kill, and
// whatever a disk has made of the others. Points are never all in memory: where each block lies is.

/** What a journal holds. */
export interface JournalKind {
  readonly schema: string;
  /** In messages: finished `points` or `steps`. */
  readonly items: string;
  /** In messages, and the identity's field that tells one from another: a `sweep`, a `search`. */
  readonly work: string;
}

/** Everything that fixes the points: the program, digests of specs, and of the work under the name of its kind. */
export interface WorkIdentity {
  readonly program: string;
  readonly specs: string;
}

/** Points [from, to) of the work. */
export interface PointRange {
  readonly from: number;
  readonly to: number;
}

/** Finished points [from, from + points.length). */
export interface Block<Point> {
  readonly from: number;
  readonly points: readonly Point[];
}

/** Finished points, gathered in any order and read in their own, any number of times. */
export interface PointStore<Point> {
  /** What is there, ascending and disjoint. */
  readonly finished: readonly PointRange[];
  append(block: Block<Point>): void;
  /** The finished points, each once. */
  blocks(): Iterable<Block<Point>>;
}

export interface Journal<Point> extends PointStore<Point> {
  /** Bytes that could not be used: their points are computed again. */
  readonly droppedBytes: number;
}

/** Where the points [from, to) lie. */
interface Entry extends PointRange {
  readonly offset: number;
  readonly bytes: number;
}

/** Opens a file of finished points, or begins one. @throws InputError when it belongs to other work or can't be used. */
export async function openJournal<Point>(
  kind: JournalKind,
  path: string,
  identity: WorkIdentity,
): Promise<Journal<Point>> {
  const { schema, items } = kind;
  const header = withDigest("", JSON.stringify({ schema, ...identity }));
  try {
    const size = existsSync(path) ? requireRegular(path, `a file of finished ${items}`).size : 0;
    const found = readJournal(kind, path, size, header, identity);
    const damaged = !found.hasHeader || found.usedBytes < size;
    if (damaged) await writeAtomically(path, usable(path, header, found.entries));
    return journal(kind, path, header, damaged ? moved(header, found.entries) : found.entries, {
      droppedBytes: found.isNew ? 0 : size - found.usedBytes,
    });
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      { where: path, got: systemError(error), expected: `a file of finished ${items}` },
      { cause: error },
    );
  }
}

/** Says on stderr what of a file could not be used. */
export function sayDropped(file: string | undefined, { droppedBytes }: Pick<Journal<unknown>, "droppedBytes">): void {
  if (droppedBytes === 0) return;
  process.stderr.write(`fusemax: ${file}: ${bytesInWords(droppedBytes)} cut short or damaged, computed again\n`);
}

interface Found {
  readonly entries: readonly Entry[];
  readonly hasHeader: boolean;
  /** Nothing is in it, or only what a kill in the first moment leaves. */
  readonly isNew: boolean;
  readonly usedBytes: number;
}

/** @throws InputError for the points of other work, and for what is no file of points. */
function readJournal(kind: JournalKind, path: string, size: number, header: Buffer, identity: WorkIdentity): Found {
  const before = header.toString();
  const entries: Entry[] = [];
  let hasHeader = false;
  let isEmpty = true;
  for (const { offset, bytes } of size === 0 ? [] : linesOf(path, 0, size)) {
    isEmpty &&= bytes.every(byte => byte === 0) || (offset === 0 && header.subarray(0, size).equals(bytes));
    if (offset === 0 && bytes.equals(header)) hasHeader = true;
    else if (offset === 0) refuseOther(kind, path, bytes, identity);
    if (!isWhole(before, bytes)) continue;
    const { from, points } = jsonOf(bytes) as Block<unknown>;
    entries.push({ from, to: from + points.length, offset, bytes: bytes.length });
  }
  const isNew = isEmpty && !hasHeader;
  if (!hasHeader && entries.length === 0 && !isNew) throw notOurs(kind, path);
  const usedBytes = entries.reduce((sum, { bytes }) => sum + bytes, hasHeader ? header.length : 0);
  return { entries, hasHeader, isNew, usedBytes };
}

function* usable(path: string, header: Buffer, entries: readonly Entry[]): Generator<Uint8Array> {
  yield header;
  for (const entry of entries) yield lineAt(path, entry);
}

/** Where blocks lie when they are one after the other. */
function moved(header: Buffer, entries: readonly Entry[]): readonly Entry[] {
  let offset = header.length;
  return entries.map(entry => {
    offset += entry.bytes;
    return { ...entry, offset: offset - entry.bytes };
  });
}

function journal<Point>(
  kind: JournalKind,
  path: string,
  header: Buffer,
  found: readonly Entry[],
  { droppedBytes }: Pick<Journal<Point>, "droppedBytes">,
): Journal<Point> {
  const before = header.toString();
  const entries = [...found];
  let end = entries.reduce((most, { offset, bytes }) => Math.max(most, offset + bytes), header.length);
  const ordered = (): readonly Entry[] => entries.sort((a, b) => a.from - b.from);
  return {
    droppedBytes,
    get finished() {
      return ordered();
    },
    append(block) {
      const line = withDigest(before, JSON.stringify(block));
      append(kind, path, line);
      entries.push({ from: block.from, to: block.from + block.points.length, offset: end, bytes: line.length });
      end += line.length;
    },
    *blocks() {
      let next = 0;
      for (const entry of ordered()) {
        if (entry.to <= next) continue;
        const { from, points } = jsonOf(lineAt(path, entry)) as Block<Point>;
        yield from >= next ? { from, points } : { from: next, points: points.slice(next - from) };
        next = entry.to;
      }
    },
  };
}

function lineAt(path: string, { offset, bytes }: Entry): Buffer {
  const line = Buffer.alloc(bytes);
  const handle = openSync(path, readWithoutWaiting);
  try {
    for (let filled = 0; filled < bytes; ) {
      const read = readSync(handle, line, filled, bytes - filled, offset + filled);
      if (read === 0) throw changed(path);
      filled += read;
    }
    return line;
  } finally {
    closeSync(handle);
  }
}

/** Refuses the points of other work: a first line that is whole says so. */
function refuseOther(kind: JournalKind, path: string, first: Buffer, identity: WorkIdentity): void {
  if (!isWhole("", first)) return;
  const { items, work } = kind;
  const found = jsonOf(first) as Readonly<Record<string, unknown>>;
  if (found["schema"] !== kind.schema) throw notOurs(kind, path);
  const own: Readonly<Record<string, unknown>> = { ...identity };
  if (found["program"] !== own["program"]) {
    throw another(path, `${items} of program ${found["program"]}`, `${items} of ${own["program"]}`);
  }
  if (found["specs"] !== own["specs"]) {
    throw another(path, `${items} of other designs or workloads`, `${items} of those given`);
  }
  if (found[work] !== own[work]) throw another(path, `${items} of another ${work}`, `${items} of this one`);
}

function append({ items }: JournalKind, path: string, line: Uint8Array): void {
  try {
    appendFileSync(path, line);
  } catch (error) {
    throw new InputError(
      {
        where: path,
        got: systemError(error),
        expected: `room for ${howMany(line.length, "byte")} more`,
        fix: `${items} finished so far are kept; make room and run the same command again`,
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
    fix: "give the same options and specs as before, or another file",
  });

const notOurs = ({ schema, items }: JournalKind, path: string): InputError =>
  new InputError({
    where: path,
    got: "another file",
    expected: `a file that --resume began (${schema}), or a new name`,
    problem: `is not a file of finished ${items}`,
    fix: `give a file that --resume began (${schema}), or a new name`,
  });

const changed = (path: string): InputError =>
  new InputError({
    where: path,
    got: "a shorter file",
    expected: "the points written to it",
    problem: "another process has cut the file short",
  });
