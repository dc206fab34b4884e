import type { Option } from "commander";
import { UsageError } from "../../errors.js";
import { mostShards, type Shard } from "../../io/shard-file.js";
import { needs } from "../conflict.js";
import { parsed } from "../option.js";
import { requireEnding } from "../output-files.js";

export const shardOption = (): Option =>
  parsed(
    "--shard <i/n>",
    "do part I of N (from 0) and keep it in a file that `fusemax merge` joins; auto: of a Slurm array; auto/N: of a Kubernetes Indexed Job, or a Slurm array from 0",
    (option, text) => parseShard(option, text, process.env),
  );

type Environment = Readonly<Record<string, string | undefined>>;

/** `I/N`, or `auto` and `auto/N`, where a scheduler says which. @throws UsageError */
export function parseShard(option: string, text: string, environment: Environment): Shard {
  if (text === "auto") return ofSlurmArray(option, environment);
  const [, first = "", last] = /^(\d+|auto)\/(\d+)$/.exec(text) ?? [];
  const count = Number(last);
  if (first === "" || !(count >= 1 && count <= mostShards)) {
    const expected = "I/N with I from 0 to N - 1, such as 0/8, or auto, or auto/N";
    throw new UsageError({ where: option, got: `"${text}"`, expected });
  }
  if (first !== "auto") return within(option, text, { index: Number(first), count });
  const name = ["JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID"].find(name => environment[name] !== undefined);
  if (name === undefined) {
    throw new UsageError({
      where: `${option} ${text}`,
      got: "neither JOB_COMPLETION_INDEX nor SLURM_ARRAY_TASK_ID in the environment",
      expected: "an index of a Kubernetes Indexed Job or a task of a Slurm array",
    });
  }
  return within(option, `${name}=${environment[name]}`, { index: wholeOf(option, name, environment), count });
}

/** Tasks may be numbered from any number, in any steps: https://slurm.schedmd.com/job_array.html */
function ofSlurmArray(option: string, environment: Environment): Shard {
  const [id, least, count] = ["ID", "MIN", "COUNT"].map(name =>
    wholeOf(`${option} auto`, `SLURM_ARRAY_TASK_${name}`, environment),
  ) as [number, number, number];
  const step =
    environment["SLURM_ARRAY_TASK_STEP"] === undefined ? 1 : wholeOf(option, "SLURM_ARRAY_TASK_STEP", environment);
  return within(`${option} auto`, `task ${id} of ${count} from ${least}, which --shard auto/N takes`, {
    index: (id - least) / step,
    count,
  });
}

function wholeOf(option: string, name: string, environment: Environment): number {
  const text = environment[name];
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text);
  const got = text === undefined ? `no ${name} in the environment` : `${name}="${text}"`;
  throw new UsageError({ where: option, got, expected: "a task of a job array", fix: "--shard I/N says it outright" });
}

function within(where: string, got: string, shard: Shard): Shard {
  if (Number.isInteger(shard.index) && shard.index < shard.count) return shard;
  throw new UsageError({ where, got, expected: `one of the parts 0 to ${shard.count - 1}` });
}

/** The one output of a shard. @throws UsageError for another ending, and for what a part of a command cannot give */
export function requireShardOutput(option: string, path: string | undefined): string {
  if (path === undefined) {
    throw needs("--shard", `${option} FILE.shard`);
  }
  requireEnding(`${option} of --shard`, path, [".shard"]);
  return path;
}

/** Where a shard keeps what is finished until it is whole. */
export const partOf = (path: string): string => `${path}.part`;

export const shardInWords = ({ index, count }: Shard): string => `shard ${index}/${count}`;

/** Another copy of the shard works on it: when it ends, the shard is there, or is gone on with. */
export const noteWait = (said: string): void => void process.stderr.write(`fusemax: ${said}\n`);
