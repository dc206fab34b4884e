import { closeSync, openSync, readFileSync, realpathSync, rmSync, writeSync } from "node:fs";
import { InputError } from "../errors.js";
import { systemError } from "./system-error.js";

/**
 * Works while this process alone has a file (nothing is claimed where there is none): a file beside it, `path.lock`, names
 * the process, and goes when the work ends or the process does. One left by a process that was killed is taken over.
 * Processes of another machine, or that a container hides, are not seen.
 * @throws InputError while a living process has the file.
 */
export async function withFileLock<T>(path: string | undefined, work: () => Promise<T>): Promise<T> {
  if (path === undefined) return work();
  const unlock = lockFile(path);
  try {
    return await work();
  } finally {
    unlock();
  }
}

function lockFile(path: string): () => void {
  const lock = `${realPathOf(path)}.lock`;
  const handle = createLock(path, lock);
  const unlock = (): void => {
    process.off("exit", unlock);
    rmSync(lock, { force: true });
  };
  process.on("exit", unlock);
  try {
    writeSync(handle, `${process.pid} ${startOf(process.pid)}`);
  } catch (error) {
    unlock();
    throw unlockable(path, error);
  } finally {
    closeSync(handle);
  }
  return unlock;
}

function createLock(path: string, lock: string): number {
  for (;;) {
    try {
      return openSync(lock, "wx");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw unlockable(path, error);
    }
    const holder = holderOf(lock);
    if (holder !== null) {
      throw new InputError({
        where: path,
        got: `a file that process ${holder} is writing`,
        expected: "a file of one process at a time",
        mend: "wait until it ends, or give another file",
      });
    }
    rmSync(lock, { force: true });
  }
}

/** The living process that a lock names, or null: it was killed, before it had written its name even. */
function holderOf(lock: string): number | null {
  let text: string;
  try {
    text = readFileSync(lock, "utf8");
  } catch {
    return null; // Removed by now.
  }
  const [, id, start] = /^(\d+) (\S+)$/.exec(text) ?? [];
  const pid = Number(id);
  return id !== undefined && isAlive(pid) && startOf(pid) === start ? pid : null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * When a process started, in clock ticks since the machine did, which tells it from a later one with its number; "-" for one that
 * is dead and not yet reaped, and where there is no /proc (proc(5), /proc/pid/stat).
 */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name, second of the fields, is in parentheses and may hold any character.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (state === "Z" ? undefined : fields[18]) ?? "-";
  } catch {
    return "-";
  }
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // Not there yet.
  }
}

const unlockable = (path: string, error: unknown): InputError =>
  new InputError(
    {
      where: `${path}.lock`,
      got: systemError(error),
      expected: "a file that can be written",
      mend: "choose another path",
    },
    { cause: error },
  );
