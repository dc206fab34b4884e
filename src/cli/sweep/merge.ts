import { firstLine } from "../../io/digest-lines.js";
import type { ShardFile } from "../../io/shard-file.js";
import type { SweepPoint } from "../../model/sweep.js";
import { requireOwnPaths } from "../output-files.js";

import { gridOf } from "./asked.js";
import { checkSweepOutputs, type SweepOutputOptions, writeSweep } from "./outputs.js";
import type { Block } from "./points.js";
import { sweepResults } from "./results.js";
import type { SweepShardHeader } from "./shard.js";

/** Joins the shards of a sweep, in their order. One stripe is in memory at a time. Returns the exit code. */
export async function mergeSweep(
  files: readonly ShardFile<SweepShardHeader>[],
  options: SweepOutputOptions,
): Promise<number> {
  checkSweepOutputs(options);
  requireOwnPaths([], { "--out": options.out });
  const [first] = files;
  if (first === undefined) return 0;
  const { table, words, stripes } = first.header;
  const results = sweepResults({ ...table, ...gridOf(words) }, stripes.size, () => blocksOf(files, first.header));
  await writeSweep(results, options);
  return 0;
}

/** The stripes in the order of the grid, each from the shard that it was dealt to. */
function* blocksOf(
  files: readonly ShardFile<SweepShardHeader>[],
  { stripes: { size, points }, shard: { count } }: SweepShardHeader,
): Generator<Block> {
  const offsets = files.map(({ from }) => from);
  for (let stripe = 0, from = 0; from < size; stripe += 1, from += points) {
    const at = stripe % count;
    const { path, to } = files[at] as ShardFile;
    const line = firstLine(path, offsets[at] as number, to);
    offsets[at] = (offsets[at] as number) + line.length;
    yield { from, points: JSON.parse(line.toString()) as readonly SweepPoint[] };
  }
}
