import { fstatSync } from "node:fs";
import { UsageError } from "../errors.js";
import { checkWritable } from "../io/atomic-write.js";
import { lockOf } from "../io/file-lock.js";
import { readUnder } from "../io/files-read.js";
import { identityOf, targetOf } from "../io/target-file.js";

/** @throws UsageError for a file name with an ending that is not written */
export function requireEnding(option: string, path: string | undefined, endings: readonly string[]): void {
  if (path === undefined || endings.some(ending => path.toLowerCase().endsWith(ending))) return;
  const expected = `a file name that ends in ${endings.join(" or ")}`;
  throw new UsageError({ where: option, got: path, expected });
}

/** Paths by the options that name them. */
type Inputs = readonly (readonly [option: string, path: string])[];
type Outputs = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Every output can be written, and is a file of its own: not one that was read, nor another output, nor where standard output
 * goes, by whatever name. Files are told apart by device and inode; a file of `--resume` comes with its lock.
 * @param inputs those that have not been opened yet
 * @throws UsageError, InputError
 */
export function requireOwnPaths(inputs: Inputs, outputs: Outputs): void {
  const taken = new Map<string, string>();
  for (const [stream, words] of ["standard input", "standard output", "standard error"].entries()) {
    const identity = identityOfStream(stream);
    if (identity !== null) taken.set(identity, `the file of ${words}`);
  }
  for (const [option, path] of inputs) {
    const identity = identityOfInput(path);
    if (identity !== null) taken.set(identity, `the file of ${option}`);
  }
  const claim = (option: string, path: string, what: string): void => {
    const target = targetOf(path);
    if (target.stats !== null && !target.stats.isFile()) {
      if (option !== "--resume") return; // /dev/null takes any number
      const got = `${path}, a device or a pipe, which keeps nothing`;
      throw new UsageError({ where: option, got, expected: "a file that can be read again" });
    }
    const identity = identityOf(target);
    const read = readUnder(identity);
    const other = taken.get(identity) ?? (read === undefined ? undefined : `the input ${read}`);
    if (other !== undefined) {
      throw new UsageError({ where: option, got: `${path}, ${other}`, expected: "a path of its own" });
    }
    taken.set(identity, what);
  };
  for (const [option, paths] of Object.entries(outputs)) {
    for (const path of typeof paths === "string" ? [paths] : (paths ?? [])) {
      checkWritable(path);
      claim(option, path, `the file of ${option}`);
      if (option === "--resume") claim(option, lockOf(path), `the lock of ${option}`);
    }
  }
}

function identityOfStream(stream: number): string | null {
  try {
    const stats = fstatSync(stream);
    return stats.isFile() ? `${stats.dev} ${stats.ino}` : null;
  } catch {
    return null; // closed
  }
}

/** Null for an input that is not there, which whoever opens it says. */
function identityOfInput(path: string): string | null {
  try {
    return identityOf(targetOf(path));
  } catch {
    return null;
  }
}
