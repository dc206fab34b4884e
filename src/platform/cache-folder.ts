import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { makePrivateFolder, temporaryFolder } from "./private-folder.js";

/**
 * A folder for files that can be made again, which this user alone can write: $XDG_CACHE_HOME/fusemax (an absolute path, as its
 * specification wants), or ~/.cache/fusemax. Where that can't be made, or others could change what lies there, a new
 * one among the temporary files, for this process.
 */
export function cacheFolder(): string {
  const named = process.env["XDG_CACHE_HOME"] ?? "";
  const folder = join(isAbsolute(named) ? named : join(homedir(), ".cache"), "fusemax");
  try {
    makePrivateFolder(folder);
    return folder;
  } catch {
    return temporaryFolder();
  }
}
