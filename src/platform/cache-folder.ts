import { mkdirSync, statSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/**
 * A folder of this user's for files that can be made again: $XDG_CACHE_HOME/fusemax, ~/.cache/fusemax, or, where
 * neither can be written, a private folder among the temporary files.
 */
export function cacheFolder(): string {
  const base = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return tryFolder(join(base, "fusemax")) ?? privateFolder();
}

function tryFolder(path: string): string | null {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  } catch {
    return null;
  }
}

/** Libraries are loaded from here, so a folder that someone else made is not used. */
function privateFolder(): string {
  const user = userInfo();
  const path = join(tmpdir(), `fusemax-${user.username}`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (user.uid >= 0 && statSync(path).uid !== user.uid) throw new Error(`${path} belongs to another user`);
  return path;
}
