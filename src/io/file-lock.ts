import {
  constants,
  copyFileSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { InputError } from "../errors.js";
import { idOfTorn, type LockOwner, parseOwner, stateOf, thisOwner } from "./lock-owner.js";
import { systemError } from "./system-error.js";
import { targetOf } from "./target-file.js";

// A lock is a file beside the file that it is for, `path.lock`, whose text names its owner. It is written under another name and
// linked to its own, which fails where there is one: nobody sees half a lock, and one process of many gets it.
//
// A lock whose owner is dead is replaced, never removed, and only by the process that holds a lock on just that: the guard,
// `path.lock.ID` with the ID of the dead lock. Who has it looks again, since the lock may have been replaced before. A guard
// may be left by a dead process as well, and is replaced in the same way.

/** An owner that can't be seen from here lives as long as it touches its lock. */
const touchMilliseconds = 5000;
const silentMilliseconds = 60_000;
/** From one look at a lock to the next, for whoever waits. */
const waitMilliseconds = 500;

/**
 * Works while this process alone has a file (nothing is claimed where there is none). The lock goes when the work ends or the
 * process does; one left by a process that was killed is taken over.
 * @param onWait waits while a living process has the file, and says so once, in place of throwing
 * @throws InputError while a living process has the file.
 */
export async function withFileLock<T>(
  path: string | undefined,
  work: () => Promise<T>,
  onWait?: (said: string) => void,
): Promise<T> {
  if (path === undefined) return work();
  const unlock = onWait === undefined ? lockFile(path) : await lockPatiently(path, onWait);
  try {
    return await work();
  } finally {
    unlock();
  }
}

async function lockPatiently(path: string, onWait: (said: string) => void): Promise<() => void> {
  for (let waits = 0; ; waits += 1) {
    try {
      return lockFile(path);
    } catch (error) {
      if (!(error instanceof TakenError)) throw error;
      if (waits === 0) onWait(`${error.complaint.where}: waiting for ${error.complaint.got}`);
      await new Promise(resolve => setTimeout(resolve, waitMilliseconds));
    }
  }
}

/** A lock that a living process has. */
class TakenError extends InputError {}

/** The file that shows that `path` is taken. */
export const lockOf = (path: string): string => `${targetOf(path).path}.lock`;

function lockFile(path: string): () => void {
  const owner = thisOwner();
  let lock = `${path}.lock`;
  try {
    lock = lockOf(path);
    const claim = `${lock}.${owner.id}`;
    writeFileSync(claim, JSON.stringify(owner), { flag: "wx" });
    try {
      const holder = take(lock, claim);
      if (holder !== null) throw taken(path, holder);
      removeLeftovers(lock, claim);
    } finally {
      rmSync(claim, { force: true });
    }
  } catch (error) {
    throw error instanceof InputError ? error : unlockable(lock, error);
  }
  const touching = setInterval(() => touch(lock), touchMilliseconds).unref();
  const unlock = (): void => {
    process.off("exit", unlock);
    clearInterval(touching);
    if (found(lock)?.id === owner.id) rmSync(lock, { force: true });
  };
  process.on("exit", unlock);
  return unlock;
}

/** Links `claim` to `lock`, or puts it in the place of a dead process's. Gives who has it, null when it is `claim`'s owner. */
function take(lock: string, claim: string): LockOwner | "unknown" | null {
  for (;;) {
    if (link(claim, lock)) return null;
    const holder = found(lock);
    if (holder === null) continue; // given back by now
    if (!isGone(holder, claim)) return holder.owner;
    const guard = `${lock}.${holder.id}`;
    if (take(guard, claim) !== null) {
      sleep(2); // another is about to replace it
      continue;
    }
    try {
      if (found(lock)?.id !== holder.id) continue;
      const copy = `${claim}.new`;
      link(claim, copy);
      renameSync(copy, lock);
      return null;
    } finally {
      rmSync(guard, { force: true });
    }
  }
}

interface FoundLock {
  readonly owner: LockOwner | "unknown";
  readonly id: string;
  /** When its owner touched it last, by the clock of the file system. */
  readonly touched: number;
}

/** What a lock says now; null when there is none. @throws InputError for a file that is no lock. */
function found(lock: string): FoundLock | null {
  try {
    const text = readFileSync(lock, "utf8");
    const touched = statSync(lock).mtimeMs;
    const owner = parseOwner(text);
    if (owner === null) throw noLock(lock);
    return owner === "torn"
      ? { owner: "unknown", id: idOfTorn(text, touched), touched }
      : { owner, id: owner.id, touched };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

function isGone({ owner, touched }: FoundLock, claim: string): boolean {
  const state = owner === "unknown" ? "elsewhere" : stateOf(owner);
  return state === "elsewhere" ? statSync(claim).mtimeMs - touched > silentMilliseconds : state === "dead";
}

/** Gives a file a second name, unless there is one of that name. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(code)) throw error;
  }
  // A file system without links.
  try {
    copyFileSync(from, to, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Removes claims and guards of dead processes; who has the lock may, since no guard is for a lock like it. A claim that its
 * process was killed in writing names nobody, and goes when it is old.
 */
function removeLeftovers(lock: string, claim: string): void {
  for (const name of readdirSync(dirname(lock))) {
    if (!name.startsWith(`${basename(lock)}.`)) continue;
    const leftover = join(dirname(lock), name);
    try {
      const left = found(leftover);
      if (left !== null && isGone(left, claim)) rmSync(leftover, { force: true });
    } catch {
      // Not ours.
    }
  }
}

function touch(lock: string): void {
  try {
    const now = new Date();
    utimesSync(lock, now, now);
  } catch {
    // Gone, or not to be touched: then it is as old as it is.
  }
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function taken(path: string, holder: LockOwner | "unknown"): InputError {
  const who = holder === "unknown" ? "another process" : `process ${holder.pid}`;
  const where = holder === "unknown" || stateOf(holder) !== "elsewhere" ? "" : ` on ${holder.host}`;
  return new TakenError({
    where: path,
    got: `a file that ${who}${where} is writing`,
    expected: "a file of one process at a time",
    problem: `${who}${where} is writing this file`,
    fix: "wait until it ends, or give another file",
  });
}

const noLock = (lock: string): InputError =>
  new InputError({
    where: lock,
    got: "another file",
    expected: "none, or a lock of fusemax",
    problem: "is not a lock of fusemax",
    fix: "move it away, or give another file",
  });

const unlockable = (lock: string, error: unknown): InputError =>
  new InputError(
    { where: lock, got: systemError(error), expected: "a file that can be written", fix: "choose another path" },
    { cause: error },
  );
