import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openShardFile, type ShardFile, writeShardFile } from "../../src/io/shard-file.js";
import { checkEnded, command } from "./command.js";
import { mutateBytes } from "./mutate.js";
import type { Random } from "./random.js";
import type { Target } from "./target.js";

const runLine = ["run", "--engine", "cpu", "--seq", "12", "--head-dim", "3", "--causal", "--output"];
const sweepLine = ["sweep", "--set", "architecture.parameters.D=64,128", "--seq", "1K", "--out"];

/** A shard that was changed gives what it gave, or is refused; one that somebody has sealed anew gives something, or is. */
async function attemptShard(random: Random, folder: string): Promise<void> {
  const { file, bytes, merged } = await (random.once(2) ? sweepOnce : runOnce)(folder);
  const path = join(folder, "changed.shard");
  const forged = random.once(2);
  if (!forged) writeFileSync(path, mutateBytes(random, bytes));
  else {
    const header = JSON.parse(JSON.stringify(file.header)) as Tree;
    const body = bytes.subarray(file.from, file.to);
    if (random.once(4)) await writeShardFile(path, file.header, [mutateBytes(random, body)]);
    else {
      changeLeaf(random, header);
      await writeShardFile(path, header as unknown as typeof file.header, [body]);
    }
  }
  const ended = await command(["merge", path, ...(random.once(2) ? ["--json"] : [])]);
  checkEnded(ended, false);
  if (!forged && ended.code === 0 && ended.stdout !== merged.text && ended.stdout !== merged.json) {
    throw new Error(`another result: ${ended.stdout.slice(0, 300)}`);
  }
}

type Tree = { [key: string]: unknown };

const odd = [null, true, -1, 0, 0.5, 1, 2, 1e9, 1e300, "", "x", "\u001b[2J", "\u202e", [], {}, [null], "0..1:1e9"];

/** Puts something else in the place of one value, anywhere in a tree. */
function changeLeaf(random: Random, tree: Tree): void {
  const keys = Object.keys(tree);
  if (keys.length === 0) return;
  const key = random.pick(keys);
  const value = tree[key];
  if (typeof value === "object" && value !== null && !random.once(4)) changeLeaf(random, value as Tree);
  else if (random.once(6)) delete tree[key];
  else tree[key] = random.pick(odd);
}

interface Made {
  readonly file: ShardFile;
  readonly bytes: Uint8Array;
  readonly merged: { readonly text: string; readonly json: string };
}

/** A whole shard and what it gives: made once. */
const once = (line: readonly string[]) => {
  let made: Promise<Made> | null = null;
  return (folder: string): Promise<Made> => {
    made ??= (async () => {
      const path = join(folder, "whole.shard");
      await command([...line, path, "--shard", "0/1"]);
      const text = (await command(["merge", path])).stdout;
      const json = (await command(["merge", path, "--json"])).stdout;
      return { file: openShardFile(path), bytes: readFileSync(path), merged: { text, json } };
    })();
    return made;
  };
};
const runOnce = once(runLine);
const sweepOnce = once(sweepLine);

export const shardsTarget: Target = { name: "shards", few: 40, attempt: attemptShard };
