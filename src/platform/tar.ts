/** A file of a tar archive. */
export interface TarFile {
  readonly name: string;
  readonly executable: boolean;
  readonly bytes: Uint8Array;
}

const blockSize = 512;

/** Reads the plain files of a ustar archive (POSIX.1-1988: 512-byte headers, octal sizes); other entries are skipped. */
export function readTar(archive: Uint8Array): TarFile[] {
  const files: TarFile[] = [];
  let at = 0;
  while (at + blockSize <= archive.length && archive[at] !== 0) {
    const size = octal(archive, at + 124, 12);
    const type = archive[at + 156] as number;
    const start = at + blockSize;
    if (start + size > archive.length) throw new Error("the tar archive is cut short");
    if (type === 0x30 || type === 0) {
      const prefix = text(archive, at + 345, 155);
      const name = text(archive, at, 100);
      files.push({
        name: prefix === "" ? name : `${prefix}/${name}`,
        executable: (octal(archive, at + 100, 8) & 0o100) !== 0,
        bytes: archive.subarray(start, start + size),
      });
    }
    at = start + Math.ceil(size / blockSize) * blockSize;
  }
  return files;
}

function text(archive: Uint8Array, at: number, length: number): string {
  const field = archive.subarray(at, at + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function octal(archive: Uint8Array, at: number, length: number): number {
  const digits = text(archive, at, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw new Error("the tar archive has a header that is no ustar header");
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}
