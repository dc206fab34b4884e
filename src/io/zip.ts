import { crc32, createInflateRaw } from "node:zlib";
import { howMany, InputError } from "../errors.js";
import { type ByteSource, readWhole, truncated } from "./byte-source.js";

// The part of the format that .npz archives use: APPNOTE.TXT 6.3.10, stored and deflated members, Zip64. Members are
// read by ranges, so that an archive may be larger than any buffer; libraries want the whole archive in memory.

const localHeaderSignature = 0x04034b50;
const centralSignature = 0x02014b50;
const endSignature = 0x06054b50;
const end64LocatorSignature = 0x07064b50;
const end64Signature = 0x06064b50;
const endBytes = 22;
const longestComment = 65535;
const in64 = 0xffffffff;
/** What a directory may be: those of archives with tens of thousands of arrays are some megabytes. */
const mostDirectoryBytes = 64 * 2 ** 20;

interface Member {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly headerOffset: number;
}

/** The members of a zip archive as byte sources, by name. @throws InputError when it is no archive or cut short. */
export async function readZip(archive: ByteSource): Promise<ReadonlyMap<string, ByteSource>> {
  const directory = await findDirectory(archive);
  const bytes = await readWhole(archive, directory.offset, directory.offset + directory.length);
  const members = parseDirectory(archive.where, bytes, directory.members);
  const sources = new Map<string, ByteSource>();
  for (const member of members) {
    if (sources.has(member.name)) throw malformed(archive.where, `two members named ${member.name}`);
    sources.set(member.name, memberSource(archive, member));
  }
  return sources;
}

interface Directory {
  readonly offset: number;
  readonly length: number;
  readonly members: number;
}

async function findDirectory(archive: ByteSource): Promise<Directory> {
  const tailStart = Math.max(0, archive.length - endBytes - longestComment - 20);
  const tail = viewOf(await readWhole(archive, tailStart, archive.length));
  for (let at = tail.byteLength - endBytes; at >= 0; at--) {
    if (tail.getUint32(at, true) !== endSignature) continue;
    const found = {
      offset: tail.getUint32(at + 16, true),
      length: tail.getUint32(at + 12, true),
      members: tail.getUint16(at + 10, true),
    };
    const locator = at - 20;
    if (locator >= 0 && tail.getUint32(locator, true) === end64LocatorSignature) {
      const offset = Number(tail.getBigUint64(locator + 8, true));
      const end = viewOf(await readWhole(archive, offset, offset + 56));
      if (end.getUint32(0, true) !== end64Signature) throw malformed(archive.where, "a damaged Zip64 directory");
      found.members = Number(end.getBigUint64(32, true));
      found.length = Number(end.getBigUint64(40, true));
      found.offset = Number(end.getBigUint64(48, true));
    }
    if (found.offset + found.length > archive.length) throw malformed(archive.where, "a directory past the end");
    if (found.length > mostDirectoryBytes)
      throw malformed(archive.where, `a directory of ${howMany(found.length, "byte")}`);
    return found;
  }
  throw malformed(archive.where, "no zip directory at the end: no archive, or one cut short");
}

function parseDirectory(where: string, bytes: Uint8Array, count: number): readonly Member[] {
  const view = viewOf(bytes);
  const members: Member[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== centralSignature) {
      throw malformed(where, "a damaged zip directory");
    }
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const commentLength = view.getUint16(at + 32, true);
    const extraStart = at + 46 + nameLength;
    const wide = wideFields(view, extraStart, extraStart + extraLength);
    // The Zip64 field holds, in this order, only those values that are all ones here.
    const widen = (value: number): number => (value === in64 ? (wide.next().value ?? value) : value);
    const bytesInAll = widen(view.getUint32(at + 24, true));
    const packedBytes = widen(view.getUint32(at + 20, true));
    members.push({
      name: new TextDecoder().decode(bytes.subarray(at + 46, extraStart)),
      method: view.getUint16(at + 10, true),
      encrypted: (view.getUint16(at + 8, true) & 1) === 1,
      crc: view.getUint32(at + 16, true),
      bytes: bytesInAll,
      packedBytes,
      headerOffset: widen(view.getUint32(at + 42, true)),
    });
    at = extraStart + extraLength + commentLength;
  }
  return members;
}

/** The 64-bit values of the Zip64 extra field (APPNOTE 4.5.3). */
function* wideFields(view: DataView, from: number, to: number): Generator<number, undefined> {
  for (let at = from; at + 4 <= Math.min(to, view.byteLength); ) {
    const id = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    if (id === 1) {
      const end = Math.min(at + 4 + length, view.byteLength);
      for (let field = at + 4; field + 8 <= end; field += 8) yield Number(view.getBigUint64(field, true));
    }
    at += 4 + length;
  }
  return undefined;
}

function memberSource(archive: ByteSource, member: Member): ByteSource {
  const where = `${archive.where} member ${member.name}`;
  if (member.encrypted) throw malformed(where, "an encrypted member");
  if (member.method !== 0 && member.method !== 8) throw malformed(where, `compression method ${member.method}`);
  if (member.method === 0 && member.bytes !== member.packedBytes) {
    throw malformed(where, `a stored member of ${howMany(member.bytes, "byte")} in ${member.packedBytes}`);
  }
  const packed = async function* (): AsyncGenerator<Uint8Array> {
    const header = viewOf(await readWhole(archive, member.headerOffset, member.headerOffset + 30));
    if (header.getUint32(0, true) !== localHeaderSignature) throw malformed(where, "a damaged local header");
    const start = member.headerOffset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    if (start + member.packedBytes > archive.length) throw truncated(where, archive.length, start + member.packedBytes);
    yield* archive.read(start, start + member.packedBytes);
  };
  const unpacked = member.method === 0 ? packed : () => inflate(where, packed());
  return { where, length: member.bytes, read: (from, to) => slice(where, member, unpacked(), from, to) };
}

/** The bytes [from, to) of a member; read to its end, its checksum is compared too. */
async function* slice(
  where: string,
  member: Member,
  pieces: AsyncIterable<Uint8Array>,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  let crc = 0;
  for await (const piece of pieces) {
    crc = crc32(piece, crc);
    const end = at + piece.length;
    if (end > from && at < to) yield piece.subarray(Math.max(0, from - at), Math.min(piece.length, to - at));
    at = end;
    // What goes on for longer than it says would be inflated to its end.
    if (at > member.bytes)
      throw malformed(where, `more than the ${howMany(member.bytes, "byte")} that it has by the directory`);
    if (at >= to && to < member.bytes) return;
  }
  if (at !== member.bytes) throw truncated(where, at, member.bytes);
  if (crc !== member.crc) throw malformed(where, "values that do not match their checksum");
}

async function* inflate(where: string, packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { Readable } = await import("node:stream");
  const inflater = createInflateRaw({ chunkSize: 2 ** 20 });
  const source = Readable.from(packed);
  source.on("error", error => inflater.destroy(error));
  try {
    for await (const piece of source.pipe(inflater)) yield piece as Uint8Array;
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw malformed(where, `damaged compressed values (${(error as Error).message})`);
  } finally {
    source.destroy();
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const malformed = (where: string, got: string): InputError =>
  new InputError({ where, got, expected: "a .npz archive (numpy.savez) with stored or deflated members" });
