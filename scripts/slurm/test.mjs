/**
 * `npm run test:slurm`: a sweep and a run as array jobs of eight tasks on a real Slurm of this machine, one task requeued while it
 * works and one killed and requeued, joined by a job that depends on the array; the bytes are those of one process. Skipped
 * where Slurm is not installed. Debian: apt-get install munge slurmctld slurmd slurm-client
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { missingPrograms, startCluster, until, workerOf } from "./cluster.mjs";

const missing = missingPrograms();
if (missing.length > 0) {
  console.log(
    `test:slurm: skipped: no ${missing.join(", ")} (Debian: apt-get install munge slurmctld slurmd slurm-client)`,
  );
  process.exit(0);
}
const program = [process.execPath, resolve(import.meta.dirname, "../../dist/cli/main.js")];
if (!existsSync(program[1])) {
  console.error("test:slurm: no dist/cli/main.js; run npm run build");
  process.exit(2);
}
process.env.FUSEMAX = program.join(" ");

const tasks = 8;
const cases = [
  {
    name: "sweep",
    file: "all.csv",
    output: "--out",
    args: [
      "--design",
      "fusemax,flat",
      "--accounting",
      "published",
      "--seq",
      "1K..64K*2",
      "--set",
      "architecture.frequencyHz=1e6..2e9:12000",
    ],
    resumed: /^fusemax: \d+ of \d+ points were finished before$/m,
  },
  {
    name: "run",
    file: "all.npy",
    output: "--output",
    args: ["--seq", "12K", "--causal", "--engine", "cpu", "--check", "sample:64"],
    resumed: /^fusemax: going on from .*: \d+ of \d+ rows are finished$/m,
  },
];

const seconds = since => ((performance.now() - since) / 1000).toFixed(1);
const folder = mkdtempSync(join(tmpdir(), "fusemax-slurm-"));
const cluster = await startCluster(folder).catch(error => {
  rmSync(folder, { recursive: true, force: true });
  console.error(`test:slurm: ${error.message}`);
  process.exit(1);
});
let failed = false;
try {
  console.log(`test:slurm: ${cluster.version}, two nodes of one CPU on loopback`);
  for (const one of cases) await tryCase(one);
} catch (error) {
  failed = true;
  console.error(`test:slurm: failed: ${error.message}`);
  for (const name of readdirSync(folder).filter(name => /^fusemax-.*\.log$/.test(name))) {
    console.error(`${name}:\n${readFileSync(join(folder, name), "utf8").slice(-1500)}`);
  }
} finally {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

async function tryCase({ name, file, output, args, resumed }) {
  const { call } = cluster;
  let began = performance.now();
  const alone = spawnSync(program[0], [program[1], name, ...args, "--jobs", "1", output, join(folder, `one-${file}`)]);
  if (alone.status !== 0) throw new Error(alone.stderr.toString());
  console.log(`${name}: one process on one thread: ${seconds(began)} s`);

  began = performance.now();
  const scripts = import.meta.dirname;
  const shards = `shards-${name}`;
  const array = await call(
    "sbatch",
    "--parsable",
    `--array=0-${tasks - 1}`,
    join(scripts, `${name}.sbatch`),
    shards,
    ...args,
  );
  const merge = await call(
    "sbatch",
    ...["--parsable", `--dependency=afterok:${array}`, join(scripts, "merge.sbatch"), shards, "--out", file],
  );
  const shard = index => join(folder, shards, `${index}.shard`);
  // One task requeued as it works, as when its node is wanted for something else; one killed from outside.
  for (const [index, how] of [
    [1, "requeue"],
    [2, "kill"],
  ]) {
    await until(`task ${index} to have finished a part`, () => worksOn(shard(index)));
    if (how === "kill") process.kill(workerOf(shard(index)), "SIGKILL");
    else await call("scontrol", "requeue", `${array}_${index}`);
    await until(
      `task ${index} to be requeued`,
      async () => (await fieldOf(call, `${array}_${index}`, "Restarts")) === "1",
    );
    console.log(
      `${name}: task ${index} ${how === "kill" ? "killed with SIGKILL: requeued itself" : "requeued as it worked"}`,
    );
  }
  await until("the merge", async () => ["COMPLETED", "FAILED", "CANCELLED"].includes(await stateOf(call, merge)));
  const took = seconds(began);
  const merged = await stateOf(call, merge);
  if (merged !== "COMPLETED") throw new Error(`${name}: the merge ${merged}`);
  for (const index of [1, 2]) {
    const log = readFileSync(join(folder, `fusemax-${name}-${array}_${index}.log`), "utf8");
    const said = resumed.exec(log)?.[0];
    if (said === undefined) throw new Error(`${name}: task ${index} began from the start:\n${log}`);
    console.log(`${name}: task ${index} went on: ${said.replace(/^fusemax: /, "").replaceAll(`${folder}/`, "")}`);
  }
  if (!readFileSync(join(folder, file)).equals(readFileSync(join(folder, `one-${file}`)))) {
    throw new Error(`${name}: the joined shards differ from the output of one process`);
  }
  const { size } = statSync(join(folder, file));
  console.log(`${name}: array of ${tasks} and its merge: ${took} s; ${size} bytes, those of one process`);
}

/** Whether something of a shard is finished, and something is not. */
function worksOn(shard) {
  const part = `${shard}.part`;
  return !existsSync(shard) && workerOf(shard) !== null && existsSync(part) && statSync(part).size > 50_000;
}

async function fieldOf(call, job, field) {
  return new RegExp(`\\b${field}=(\\w+)`).exec(await call("scontrol", "show", "job", job))?.[1];
}

function stateOf(call, job) {
  return fieldOf(call, job, "JobState");
}
