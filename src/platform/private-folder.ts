import { lstatSync, mkdirSync, mkdtempSync, realpathSync, rmSync, type Stats } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, parse } from "node:path";

/**
 * Folders that code is loaded from: nobody but this user and root may be able to change what a path in them names. So
 * every folder from the root down is a real one, no symbolic link, belongs to this user or root, and is written by its
 * owner alone, or by all with the sticky bit (as /tmp is, where nobody can rename what belongs to another).
 */

const writableByOthers = 0o022;
const sticky = 0o1000;

/** Makes a folder, and those above it, for this user alone. @throws Error where it can't be made, or others could change it. */
export function makePrivateFolder(path: string): void {
  if (path !== parse(path).root) makeFolders(path);
  const why = whyNotPrivate(path);
  if (why !== null) throw new Error(why);
}

/** One by one: Node's recursive way never returns where a folder that is there takes none, as /proc. */
function makeFolders(path: string): void {
  if (found(path) !== null) return;
  if (dirname(path) !== path) makeFolders(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error; // another process was faster
  }
}

/**
 * Why others could change what lies in a folder, or null when only this user and root can. On Windows nothing can be said:
 * Node's `mode` and `uid` are no access list there (nodejs.org, fs.Stats), and a profile's folders are closed to others by theirs.
 */
export function whyNotPrivate(path: string): string | null {
  if (process.platform === "win32") return found(path) === null ? `${path} is not there` : null;
  const here = found(path);
  if (here === null) return `${path} is not there`;
  if (here.isDirectory() && here.uid !== user()) return `${path} belongs to another user`;
  for (let folder = path; ; folder = dirname(folder)) {
    const entry = found(folder);
    if (entry === null) return `${folder} is not there`;
    if (entry.isSymbolicLink()) return `${folder} is a symbolic link`;
    if (!entry.isDirectory()) return `${folder} is no folder`;
    if (entry.uid !== 0 && entry.uid !== user()) return `${folder} belongs to another user`;
    const open = (entry.mode & writableByOthers) !== 0;
    if (open && (folder === path || (entry.mode & sticky) === 0)) return `${folder} can be written by others`;
    if (dirname(folder) === folder) return null;
  }
}

/** This user's number; that of files on Windows is 0, where others are kept out by other means. */
export const user = (): number => process.geteuid?.() ?? 0;

function found(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

let temporary: string | null = null;

/** A new folder for this process alone among the temporary files, gone when the process ends. @throws Error */
export function temporaryFolder(): string {
  if (temporary !== null) return temporary;
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "fusemax-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const why = whyNotPrivate(folder);
  if (why !== null) throw new Error(why);
  temporary = folder;
  return folder;
}
