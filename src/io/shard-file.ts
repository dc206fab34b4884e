import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { hasUnseen, InputError } from "../errors.js";
import { writeAtomically } from "./atomic-write.js";
import { readWhole } from "./byte-source.js";
import { fileSource } from "./bytes.js";
import { isWhole, jsonOf, linesOf, withDigest } from "./digest-lines.js";
import { requireRegular } from "./regular-file.js";

// A file with the part of a command's work that one shard did. A line of JSON with its digest says which part of what it is; then
// come the results, as the command has them; then a seal, the SHA-256 of all before. Each can be read by itself: whoever joins
// them needs no spec and no input.

export const shardSchema = "fusemax.shard/1";

/** One of the parts into which work is cut, from 0. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** What the first line of every shard says. */
export interface ShardHeader {
  readonly schema: typeof shardSchema;
  readonly command: "run" | "sweep";
  /** The release and a digest of the code that numbers come from. */
  readonly program: string;
  /** Digest of what the specs of designs and workloads say. */
  readonly specs: string;
  /** Digest of all else that fixes the result, inputs included. */
  readonly work: string;
  readonly shard: Shard;
}

/** A shard whose first line is read. */
export interface ShardFile<Header extends ShardHeader = ShardHeader> {
  readonly path: string;
  readonly header: Header;
  /** The bytes of its results. */
  readonly from: number;
  readonly to: number;
}

const sealed = "sha256 ";
const sealBytes = sealed.length + 64 + 1;

/** Writes a shard whole or not at all. @throws InputError when the path can't be written */
export async function writeShardFile(path: string, header: ShardHeader, parts: Iterable<Uint8Array>): Promise<void> {
  await writeAtomically(path, withSeal(withDigest("", JSON.stringify(header)), parts));
}

function* withSeal(first: Uint8Array, parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  const hash = createHash("sha256").update(first);
  yield first;
  for (const part of parts) {
    hash.update(part);
    yield part;
  }
  yield Buffer.from(`${sealed}${hash.digest("hex")}\n`);
}

/** Reads the first line of a shard. @throws InputError for what is no shard */
export function openShardFile(path: string): ShardFile {
  const { size } = requireRegular(path, "a shard");
  const [first] = linesOf(path, 0, size);
  if (first === undefined || !isWhole("", first.bytes)) throw noShard(path);
  const header = headerOf(jsonOf(first.bytes));
  if (header === null) throw noShard(path);
  const from = first.bytes.length;
  return { path, header, from, to: Math.max(from, size - sealBytes) };
}

/** More parts than this are a slip of the pen. */
export const mostShards = 1_000_000;

/** What a first line says, if it says what every shard's does. */
function headerOf(said: unknown): ShardHeader | null {
  const header = said as Partial<ShardHeader> | null;
  const { index = -1, count = 0 } = header?.shard ?? {};
  const counted = [index, count].every(Number.isInteger) && index >= 0 && index < count && count <= mostShards;
  const named = [header?.command, header?.program, header?.specs, header?.work].every(name => typeof name === "string");
  const isOurs = header?.schema === shardSchema && counted && named && !holdsUnseen(header);
  return isOurs ? (header as ShardHeader) : null;
}

/** Whether a text anywhere in a value could forge what a terminal shows. */
function holdsUnseen(value: unknown): boolean {
  if (typeof value === "string") return hasUnseen(value);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, part]) => hasUnseen(key) || holdsUnseen(part));
}

/** Reads all of a shard. @throws InputError where it is not what was written */
export async function verifyShardFile({ path, to }: ShardFile): Promise<void> {
  const hash = createHash("sha256");
  const source = await fileSource(path);
  if (source.length !== to + sealBytes) throw torn(path);
  for await (const piece of source.read(0, to)) hash.update(piece);
  const seal = Buffer.from(await readWhole(source, to, source.length)).toString("latin1");
  if (seal !== `${sealed}${hash.digest("hex")}\n`) throw torn(path);
}

/** Whether a file is the same shard of the same work, whole. */
export async function isFinishedShard(path: string, header: ShardHeader): Promise<boolean> {
  if (!existsSync(path)) return false;
  try {
    const found = openShardFile(path);
    if (identityOf(found.header) !== identityOf(header)) return false;
    await verifyShardFile(found);
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

const identityOf = ({ command, program, specs, work, shard }: ShardHeader): string =>
  JSON.stringify([command, program, specs, work, shard.index, shard.count]);

const noShard = (path: string): InputError =>
  new InputError({
    where: path,
    got: "another file",
    expected: "a file of --shard",
    problem: "is not a shard, a file that --shard wrote",
  });

const torn = (path: string): InputError =>
  new InputError({
    where: path,
    got: "another SHA-256 at its end",
    expected: "that of what comes before",
    problem: "the shard is cut short or damaged",
    fix: "copy it again, or run its shard again",
  });
