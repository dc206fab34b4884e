import { rmSync } from "node:fs";
import { howMany, UsageError } from "../../errors.js";
import { withFileLock } from "../../io/file-lock.js";
import { isFinishedShard, type Shard, shardSchema, writeShardFile } from "../../io/shard-file.js";
import type { SweepPoint } from "../../model/sweep.js";
import { conflict } from "../conflict.js";
import { requireOwnPaths } from "../output-files.js";
import { noteWait, partOf, requireShardOutput, shardInWords } from "../shard/choice.js";
import { digest } from "../shard/digest.js";
import { type AskedSweep, askedSweep } from "./asked.js";
import { finishPoints } from "./finish-points.js";
import { sweepIdentity } from "./identity.js";
import { openJournal } from "./journal.js";
import type { SweepOptions } from "./options.js";
import { type Block, countPoints, type PointRange } from "./points.js";
import type { SweepShardHeader } from "./shard-header.js";
import { stripesOf, stripesOfShard } from "./stripes.js";

/** Does one part of a sweep and keeps it in the file of --out. */
export async function sweepShard(options: SweepOptions, shard: Shard): Promise<void> {
  const path = shardPath(options);
  const asked = askedSweep(options);
  const identity = sweepIdentity(asked.request);
  const header = headerOf(asked, identity, shard);
  const mine = stripesOfShard(header.stripes, shard);
  const part = partOf(path);
  requireOwnPaths([], { "--out": path, "--resume": part });
  const points = `${countPoints(mine)} of ${howMany(asked.size, "point")}`;
  await withFileLock(
    part,
    async () => {
      if (await isFinishedShard(path, header)) {
        process.stdout.write(`${shardInWords(shard)}: ${points} were finished before; in ${path}\n`);
        return;
      }
      const journal = await openJournal(part, { ...identity, sweep: header.work });
      await finishPoints(asked, mine, journal, part);
      await writeShardFile(path, header, bodyOf(journal.blocks(), mine));
      rmSync(part, { force: true });
      process.stdout.write(`${shardInWords(shard)}: ${points}; in ${path}\n`);
    },
    noteWait,
  );
}

/** @throws UsageError */
function shardPath({ out = [], json, resume }: SweepOptions): string {
  if (out.length > 1) {
    throw new UsageError({ where: "--out", got: `${out.length} files with --shard`, expected: "one FILE.shard" });
  }
  if (json === true) throw conflict("--json", "--shard", "fusemax merge has --json");
  const path = requireShardOutput("--out", out[0]);
  if (resume !== undefined) throw conflict("--resume", "--shard", `finished points are kept in ${partOf(path)}`);
  return path;
}

function headerOf(
  { size, table, words }: AskedSweep,
  { program, specs, sweep }: ReturnType<typeof sweepIdentity>,
  shard: Shard,
): SweepShardHeader {
  const { lengths, axes, ...rest } = table;
  const stripes = stripesOf(size, shard);
  const work = digest([sweep, rest.objectives, rest.byDefault, stripes, shard.count]);
  return { schema: shardSchema, command: "sweep", program, specs, work, shard, stripes, table: rest, words };
}

/** A line a stripe, whatever blocks the points were finished in. */
function* bodyOf(blocks: Iterable<Block>, stripes: Iterable<PointRange>): Generator<Uint8Array> {
  const each = pointsOf(blocks);
  for (const { from, to } of stripes) {
    const points: SweepPoint[] = [];
    for (let at = from; at < to; at += 1) points.push(each.next().value as SweepPoint);
    yield Buffer.from(`${JSON.stringify(points)}\n`);
  }
}

function* pointsOf(blocks: Iterable<Block>): Generator<SweepPoint, undefined> {
  for (const { points } of blocks) yield* points;
}
