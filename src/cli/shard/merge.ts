import { UsageError } from "../../errors.js";
import { gatherShards } from "./gather.js";

export interface MergeOptions {
  readonly out?: readonly string[];
  readonly json?: boolean;
}

/** `fusemax merge`: what the command without --shard gives. Returns the exit code. */
export async function merge(paths: readonly string[], options: MergeOptions): Promise<number> {
  const files = await gatherShards(paths);
  const [first] = files;
  if (first === undefined) throw new UsageError({ where: "merge", got: "no files", expected: "all shards" });
  const { command } = first.header;
  if (command === "sweep") return (await import("../sweep/merge.js")).mergeSweep(files, options);
  if (command === "run") return (await import("../run/merge.js")).mergeRun(files, options);
  throw new UsageError({ where: first.path, got: `a shard of ${command}`, expected: "one of sweep or run" });
}
