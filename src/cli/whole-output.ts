import { fstatSync, writeSync } from "node:fs";

/**
 * Makes standard output write all of what it is given, or fail. Node writes to a file once and does not look at how
 * many bytes were taken, so that a disk that fills up would cut a result short and nobody would hear of it.
 */
export function writeWholeOutput(output: NodeJS.WriteStream & { readonly fd: number }): void {
  if (!isFile(output.fd)) return;
  output._write = (chunk: Uint8Array, _encoding, done) => {
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(output.fd, chunk, at);
      done();
    } catch (error) {
      done(error as Error);
    }
  };
}

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false; // closed: writing to it says so
  }
}
