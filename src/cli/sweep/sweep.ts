import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { temporaryFile } from "../../io/atomic-write.js";
import { withFileLock } from "../../io/file-lock.js";
import { requireOwnPaths } from "../output-files.js";
import { type AskedSweep, askedSweep } from "./asked.js";
import { finishPoints } from "./finish-points.js";
import { sweepIdentity } from "./identity.js";
import { openJournal } from "./journal.js";
import type { SweepOptions } from "./options.js";
import { checkSweepOutputs, writeSweep } from "./outputs.js";
import { memoryPoints, type PointStore } from "./points.js";
import { sweepResults } from "./results.js";

/** More points than this lie in a file while the sweep goes on: a hundred bytes or two each. */
const mostInMemory = 100_000;

/** Sweeps, with progress on stderr, and writes the results. */
export async function runSweep(options: SweepOptions): Promise<void> {
  if (options.shard !== undefined) return (await import("./shard.js")).sweepShard(options, options.shard);
  const { out = [], resume } = options;
  checkSweepOutputs(options);
  const asked = askedSweep(options);
  requireOwnPaths([], { "--out": out, "--resume": resume });
  await withFileLock(resume, () =>
    withPoints(asked, resume, out[0], async points => {
      await finishPoints(asked, [{ from: 0, to: asked.size }], points, resume);
      await writeSweep(sweepResults(asked.table, asked.size, points.blocks), options);
    }),
  );
}

/** Keeps points in the file of --resume, else in memory, or, where they are many, in a file that goes with the process. */
async function withPoints(
  { request, size }: AskedSweep,
  resume: string | undefined,
  out: string | undefined,
  work: (points: PointStore) => Promise<void>,
): Promise<void> {
  if (resume === undefined && size <= mostInMemory) return work(memoryPoints());
  const identity = sweepIdentity(request);
  if (resume !== undefined) return work(await openJournal(resume, identity));
  const file = temporaryFile(out === undefined ? tmpdir() : dirname(out), "fusemax-points");
  try {
    await work(await openJournal(file.path, identity));
  } finally {
    file.remove();
  }
}
