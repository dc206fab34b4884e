/** What the operating system said, in a user's words. */
export function systemError(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const words: Readonly<Record<string, string>> = {
    ENOENT: "no such file or folder",
    EACCES: "permission denied",
    EPERM: "operation not permitted",
    EEXIST: "a file of that name",
    EISDIR: "a folder",
    ENOTDIR: "a path through something that is not a folder",
    ENOSPC: "no space left on the device",
    EDQUOT: "a full disk quota",
    EFBIG: "a file too large for the file system",
    EROFS: "a read-only file system",
    ENAMETOOLONG: "a name too long for the file system",
    ELOOP: "a circle of symbolic links",
    EIO: "an input/output error",
  };
  return words[code] ?? (code === "" ? String(error) : code);
}
