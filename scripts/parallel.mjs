/**
 * `npm run test:parallel`: a sweep and a run in eight shards under GNU parallel, two at a time, one of them killed as it works and
 * tried again; joined, their bytes are those of one process. Skipped where it is not installed. Debian: apt-get install parallel
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { until, workerOf } from "./slurm/cluster.mjs";

const version = /^GNU parallel \d+/.exec(spawnSync("parallel", ["--version"]).stdout?.toString() ?? "")?.[0];
if (version === undefined) {
  console.log("test:parallel: skipped: no GNU parallel (Debian: apt-get install parallel)");
  process.exit(0);
}
const program = resolve(import.meta.dirname, "../dist/cli/main.js");
if (!existsSync(program)) {
  console.error("test:parallel: no dist/cli/main.js; run npm run build");
  process.exit(2);
}
const shards = 8;
const frequencies = "architecture.frequencyHz=1e6..2e9:12000";
const cases = [
  {
    command: [
      "sweep",
      "--design",
      "fusemax,flat",
      "--accounting",
      "published",
      "--seq",
      "1K..64K*2",
      "--set",
      frequencies,
    ],
    output: "--out",
    file: "all.csv",
  },
  { command: ["run", "--seq", "12K", "--causal", "--engine", "cpu"], output: "--output", file: "all.npy" },
];
const folder = mkdtempSync(join(tmpdir(), "fusemax-parallel-"));
const at = name => join(folder, name);
const seconds = since => `${((performance.now() - since) / 1000).toFixed(1)} s`;

function fusemax(...args) {
  const { status, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: folder });
  if (status !== 0) throw new Error(stderr.toString());
}

async function tryCase({ command, output, file }) {
  const [name] = command;
  let began = performance.now();
  fusemax(...command, "--jobs", "1", output, `one-${file}`);
  console.log(`${name}: one process on one thread: ${seconds(began)}`);
  began = performance.now();
  const shard = index => at(`${name}-${index}.shard`);
  const options = ["--will-cite", "--jobs", "2", "--retries", "3"];
  const line = [process.execPath, program, ...command, "--jobs", "1", "--shard", `{}/${shards}`, output, shard("{}")];
  const indices = Array.from({ length: shards }, (_, index) => String(index));
  const parallel = spawn("parallel", [...options, ...line, ":::", ...indices], { stdio: ["ignore", "ignore", "pipe"] });
  const said = [];
  parallel.stderr.on("data", data => said.push(data));
  const ended = new Promise(done => parallel.on("close", done));
  const part = `${shard(1)}.part`;
  await until("shard 1 to have finished a part", () => existsSync(part) && statSync(part).size > 50_000);
  process.kill(workerOf(shard(1)), "SIGKILL");
  const code = await ended;
  const stderr = Buffer.concat(said).toString();
  if (code !== 0) throw new Error(`parallel ended with ${code}: ${stderr}`);
  const resumed = /^fusemax: (going on from .*|\d+ of \d+ points were finished before)$/m.exec(stderr)?.[1];
  if (resumed === undefined) throw new Error(`shard 1 began from the start: ${stderr}`);
  console.log(`${name}: shard 1 killed with SIGKILL; tried again: ${resumed.replaceAll(`${folder}/`, "")}`);
  fusemax("merge", ...indices.map(shard), "--out", file);
  if (!readFileSync(at(file)).equals(readFileSync(at(`one-${file}`)))) throw new Error(`${name}: other bytes`);
  console.log(`${name}: ${shards} shards, two at a time, and merge: ${seconds(began)}; the bytes of one process`);
}

let failed = false;
try {
  console.log(`test:parallel: ${version}`);
  for (const one of cases) await tryCase(one);
} catch (error) {
  failed = true;
  console.error(`test:parallel: failed: ${error.message}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
