import { crc32 } from "node:zlib";
import { UsageError } from "../errors.js";

/** A file for an archive: its name and its bytes in parts. */
export interface ArchiveMember {
  readonly name: string;
  readonly parts: readonly ArrayBufferView[];
}

/** Without Zip64, which .npz files of this size would need, offsets are 32 bits. */
const mostBytes = 2 ** 32 - 1;

/** NumPy's own archives are dated so: the same values give the same file. */
const date = { time: 0, day: 0x0021 };

/**
 * The bytes of a zip archive whose members are stored as they are (APPNOTE.TXT 6.3.10), in parts.
 * @throws UsageError for members of 4 GiB together and more
 */
export function zipParts(path: string, members: readonly ArchiveMember[]): ArrayBufferView[] {
  const names = members.reduce((sum, { name }) => sum + 2 * new TextEncoder().encode(name).length + 76, 22);
  const bytes = members.flatMap(({ parts }) => parts).reduce((sum, part) => sum + part.byteLength, names);
  if (bytes > mostBytes) {
    throw new UsageError({
      where: path,
      got: `${bytes} bytes`,
      expected: "less than 4 GiB in a .npz file",
      fix: "write a .safetensors file",
    });
  }
  const out: ArrayBufferView[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const add = (part: ArrayBufferView): void => {
    out.push(part);
    at += part.byteLength;
  };
  for (const { name, parts } of members) {
    const encoded = new TextEncoder().encode(name);
    const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
    const crc = parts.reduce((sum, part) => crc32(bytesOf(part), sum), 0);
    const offset = at;
    // Version 2.0, no flags, stored.
    const fields = [16, 20, 16, 0, 16, 0, 16, date.time, 16, date.day, 32, crc, 32, size, 32, size];
    const lengths = [16, encoded.length, 16, 0];
    add(record([32, 0x04034b50, ...fields, ...lengths], encoded));
    for (const part of parts) add(part);
    const rest = [...lengths, 16, 0, 16, 0, 16, 0, 32, 0, 32, offset];
    directory.push(record([32, 0x02014b50, 16, 20, ...fields, ...rest], encoded));
  }
  const begin = at;
  for (const entry of directory) add(entry);
  const count = [16, 0, 16, 0, 16, members.length, 16, members.length];
  add(record([32, 0x06054b50, ...count, 32, at - begin, 32, begin, 16, 0]));
  return out;
}

const bytesOf = (part: ArrayBufferView): Uint8Array => new Uint8Array(part.buffer, part.byteOffset, part.byteLength);

/** Little-endian numbers, each after its width in bits, and a name behind them. */
function record(fields: readonly number[], name: Uint8Array = new Uint8Array()): Uint8Array {
  const numbers: number[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const value = fields[i + 1] as number;
    for (let bit = 0; bit < (fields[i] as number); bit += 8) numbers.push(Math.floor(value / 2 ** bit) % 256);
  }
  return Uint8Array.of(...numbers, ...name);
}
