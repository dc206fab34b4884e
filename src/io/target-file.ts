import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";

/** The file that is written where a path is written to, whatever links lead there. */
export interface TargetFile {
  readonly path: string;
  /** What is there now; null where nothing is yet. */
  readonly stats: Stats | null;
}

/** As the kernel allows on the way to one file: Linux, path_resolution(7). */
const mostLinks = 40;

/**
 * Follows the links of a path to its file. A link to nothing leads to the file that would be made: links are written through,
 * never replaced. Throws what the file system says, ENOENT for a folder that is not there, EISDIR for one in the file's place.
 */
export function targetOf(path: string): TargetFile {
  let at = path;
  for (let links = 0; links < mostLinks; links += 1) {
    const found = lstatSync(at, { throwIfNoEntry: false });
    if (found === undefined) return missing(at);
    if (!found.isSymbolicLink()) {
      if (found.isDirectory()) throw failure("EISDIR");
      return { path: realPathOf(at), stats: found };
    }
    const link = readlinkSync(at);
    // Not joined: `..` after a folder that is itself a link is the kernel's to resolve.
    at = isAbsolute(link) ? link : `${realPathOf(dirname(at))}/${link}`;
  }
  throw failure("ELOOP");
}

function missing(path: string): TargetFile {
  if (/[/\\]$/.test(path)) throw failure("EISDIR");
  return { path: join(realPathOf(dirname(path)), basename(path)), stats: null };
}

/** Node's other way resolves `..` by the text alone. */
const realPathOf = (path: string): string => realpathSync.native(path);

const failure = (code: string): Error => Object.assign(new Error(code), { code });

/** What two names of one file have in common: device and inode of the file, or of its folder with its name. */
export function identityOf({ path, stats }: TargetFile): string {
  if (stats !== null) return `${stats.dev} ${stats.ino}`;
  const { dev, ino } = statSync(dirname(path));
  const name = basename(path);
  return `${dev} ${ino} ${foldsCase(dirname(path)) ? name.normalize("NFC").toLowerCase() : name}`;
}

/** Whether a folder takes names for the same that differ in case, as on macOS and Windows: by its own name, where that has letters. */
function foldsCase(folder: string): boolean {
  const name = basename(folder);
  const swapped = name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase();
  if (swapped === name) return process.platform === "darwin" || process.platform === "win32";
  const other = statSync(join(dirname(folder), swapped), { throwIfNoEntry: false });
  const { dev, ino } = statSync(folder);
  return other !== undefined && other.dev === dev && other.ino === ino;
}
