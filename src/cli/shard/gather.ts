import { howMany, InputError } from "../../errors.js";
import { programIdentity } from "../../io/program-identity.js";
import { openShardFile, type ShardFile, verifyShardFile } from "../../io/shard-file.js";
import { startProgress } from "../progress.js";
import { shardInWords } from "./choice.js";

/**
 * All shards of one command, whole, in their order.
 * @throws InputError for the last that is wrong; those before it are said on stderr, each in a line
 */
export async function gatherShards(paths: readonly string[]): Promise<readonly ShardFile[]> {
  const wrong: InputError[] = [];
  const opened: ShardFile[] = [];
  for (const path of paths) {
    const file = await unlessWrong(() => openShardFile(path), wrong);
    if (file !== null) opened.push(file);
  }
  const expected = mostCommon(opened);
  if (expected !== undefined) {
    wrong.push(...foreign(opened, expected));
    const own = opened.filter(file => keyOf(file) === keyOf(expected));
    wrong.push(...double(own));
    await verify(own, wrong);
    // A file that is wrong is most often the shard that is missing: it is named, and that is enough.
    if (wrong.length === 0) wrong.push(...missing(own, expected));
    const { program } = expected.header;
    if (program !== programIdentity()) wrong.push(ofOtherProgram(expected));
  }
  const last = wrong.pop();
  if (last === undefined) return opened.sort((a, b) => a.header.shard.index - b.header.shard.index);
  for (const { message } of wrong) process.stderr.write(`fusemax: ${message}\n`);
  throw last;
}

/** Reads all of each. */
async function verify(files: readonly ShardFile[], wrong: InputError[]): Promise<void> {
  const progress = await startProgress("reading", "shards", files.length, false);
  try {
    for (const [i, file] of files.entries()) {
      await unlessWrong(() => verifyShardFile(file), wrong);
      progress.update(i + 1);
    }
  } finally {
    progress.stop();
  }
}

async function unlessWrong<T>(work: () => T | Promise<T>, wrong: InputError[]): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    wrong.push(error);
    return null;
  }
}

/** What all shards of one command have in common. */
const keyOf = ({ header: { command, program, specs, work, shard } }: ShardFile): string =>
  JSON.stringify([command, program, specs, work, shard.count]);

/** A shard of the command that most are of. */
function mostCommon(files: readonly ShardFile[]): ShardFile | undefined {
  const counts = new Map<string, number>();
  for (const file of files) counts.set(keyOf(file), (counts.get(keyOf(file)) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return files.find(file => counts.get(keyOf(file)) === most);
}

function foreign(files: readonly ShardFile[], { path, header: expected }: ShardFile): readonly InputError[] {
  return files.flatMap(({ path: where, header }) => {
    const other =
      header.command !== expected.command
        ? [`a shard of ${header.command}`, `one of ${expected.command}`]
        : header.program !== expected.program
          ? [`a shard of program ${header.program}`, `one of ${expected.program}`]
          : header.shard.count !== expected.shard.count
            ? [`one of ${howMany(header.shard.count, "shard")}`, `one of ${expected.shard.count}`]
            : header.specs !== expected.specs
              ? ["a shard of other designs or workloads", "one of the same specs"]
              : header.work !== expected.work
                ? ["a shard of other options or inputs", "one of the same command line"]
                : null;
    if (other === null) return [];
    const [got = "", wanted = ""] = other;
    return [new InputError({ where, got, expected: `${wanted}, as ${path} is` })];
  });
}

function double(files: readonly ShardFile[]): readonly InputError[] {
  const known = new Map<number, string>();
  return files.flatMap(({ path, header: { shard } }) => {
    const before = known.get(shard.index);
    known.set(shard.index, before ?? path);
    if (before === undefined) return [];
    return [
      new InputError({ where: path, got: `${shardInWords(shard)}, as ${before} is`, expected: "each shard once" }),
    ];
  });
}

function missing(files: readonly ShardFile[], { header: { shard } }: ShardFile): readonly InputError[] {
  const known = new Set(files.map(({ header }) => header.shard.index));
  const absent = Array.from({ length: shard.count }, (_, index) => index).filter(index => !known.has(index));
  if (absent.length === 0) return [];
  const named = absent.map(index => `${index}/${shard.count}`).join(", ");
  return [
    new InputError({
      where: "merge",
      got: `no ${absent.length === 1 ? "shard" : "shards"} ${named}`,
      expected: `all ${howMany(shard.count, "shard")}`,
    }),
  ];
}

const ofOtherProgram = ({ path, header }: ShardFile): InputError =>
  new InputError({
    where: path,
    got: `a shard of program ${header.program}`,
    expected: `one of this program, ${programIdentity()}`,
    fix: "join shards with the program that made them",
  });
