import { hasUnseen } from "../../errors.js";
import { firstLine } from "../../io/digest-lines.js";
import type { ShardFile } from "../../io/shard-file.js";
import { type SweepPoint, sweepSize } from "../../model/sweep.js";
import { requireOwnPaths } from "../output-files.js";

import { withHeader, wrongHeader } from "../shard/header-schema.js";
import { gridOf } from "./asked.js";
import { checkSweepOutputs, type SweepOutputOptions, writeSweep } from "./outputs.js";
import type { Block } from "./points.js";
import { sweepResults } from "./results.js";
import { type SweepShardHeader, sweepHeaderSchema } from "./shard-header.js";
import { stripesOf } from "./stripes.js";

/** Joins the shards of a sweep, in their order. One stripe is in memory at a time. Returns the exit code. */
export async function mergeSweep(files: readonly ShardFile[], options: SweepOutputOptions): Promise<number> {
  checkSweepOutputs(options);
  requireOwnPaths([], { "--out": options.out });
  const shards = files.map(file => withHeader<SweepShardHeader>(file, sweepHeaderSchema));
  const [first] = shards;
  if (first === undefined) return 0;
  const { table: about, words, stripes, shard } = first.header;
  const table = { ...about, ...gridOf(words) };
  const expected = stripesOf(sweepSize(table), shard);
  if (expected.size !== stripes.size || expected.points !== stripes.points) throw wrongHeader(first.path, "stripes");
  await writeSweep(
    sweepResults(table, stripes.size, () => blocksOf(shards, first.header)),
    options,
  );
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
    const found = pointsIn(line);
    if (found?.length !== Math.min(points, size - from)) throw wrongHeader(path, `stripe ${stripe}`);
    yield { from, points: found };
  }
}

/** The points of a line; null where it is none of points. */
function pointsIn(line: Buffer): readonly SweepPoint[] | null {
  try {
    const found: unknown = JSON.parse(line.toString());
    return Array.isArray(found) && found.every(isPoint) ? found : null;
  } catch {
    return null;
  }
}

function isPoint(value: unknown): value is SweepPoint {
  const point = value as Partial<SweepPoint> | null;
  const numbers = Array.isArray(point?.numbers) && point.numbers.every(n => n === null || typeof n === "number");
  return numbers && isShowable(point?.bound) && isShowable(point?.error);
}

/** Words that were looked at: points share them. */
const seen = new Set<string>();
const mostSeen = 10_000;

function isShowable(text: unknown): boolean {
  if (typeof text !== "string") return false;
  if (seen.has(text)) return true;
  if (hasUnseen(text)) return false;
  if (seen.size < mostSeen) seen.add(text);
  return true;
}
