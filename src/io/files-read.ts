import type { Stats } from "node:fs";

/** The files that the current command has read, by device and inode: its outputs must not be written over them. */
const read = new Map<string, string>();

/** Called by whatever opens an input. */
export function noteRead(path: string, { dev, ino }: Stats): void {
  read.set(`${dev} ${ino}`, path);
}

/** The name by which a file of this identity was read, or undefined. */
export const readUnder = (identity: string): string | undefined => read.get(identity);

/** A new command begins. */
export function forgetReads(): void {
  read.clear();
}
