/**
 * A Slurm of one machine, for tests: munged, slurmctld and two slurmd of one CPU each, of the user who starts them, on ports and
 * in a folder of their own. Nothing on the system changes.
 */
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
const find = name => folders.map(folder => join(folder, name)).find(existsSync);

const programs = ["munged", "slurmctld", "slurmd", "sbatch", "scancel", "scontrol", "sinfo", "squeue"];

/** The programs of Slurm that are not installed. */
export const missingPrograms = () => programs.filter(name => find(name) === undefined);

async function freePort() {
  const server = createServer();
  await new Promise(done => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise(done => server.close(done));
  return port;
}

async function writeConfiguration(folder) {
  const at = name => join(folder, name);
  const user = userInfo().username;
  const [controller, first, second] = [await freePort(), await freePort(), await freePort()];
  const lines = [
    "ClusterName=fusemax",
    "SlurmctldHost=localhost(127.0.0.1)",
    `SlurmctldPort=${controller}`,
    `SlurmUser=${user}`,
    `SlurmdUser=${user}`,
    "AuthType=auth/munge",
    "CredType=cred/munge",
    // A requeued job begins when credentials of before have expired.
    `AuthInfo=socket=${at("munge/socket")},cred_expire=5`,
    `StateSaveLocation=${at("state")}`,
    `SlurmdSpoolDir=${at("spool-%n")}`,
    `SlurmctldPidFile=${at("slurmctld.pid")}`,
    `SlurmdPidFile=${at("slurmd-%n.pid")}`,
    "ProctrackType=proctrack/linuxproc",
    "TaskPlugin=task/none",
    "MpiDefault=none",
    "SwitchType=switch/none",
    "JobAcctGatherType=jobacct_gather/none",
    "AccountingStorageType=accounting_storage/none",
    "SelectType=select/cons_tres",
    "SelectTypeParameters=CR_CPU",
    "ReturnToService=2",
    "KillWait=2",
    "MinJobAge=3600",
    "SchedulerParameters=sched_min_interval=200000,sched_interval=1",
    `NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=${first} CPUs=1`,
    `NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port=${second} CPUs=1`,
    "PartitionName=all Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP",
  ];
  writeFileSync(at("slurm.conf"), `${lines.join("\n")}\n`);
}

/** Starts the daemons and waits until both nodes are idle. */
export async function startCluster(folder) {
  const at = name => join(folder, name);
  // Munge wants everybody to reach its socket.
  chmodSync(folder, 0o711);
  for (const name of ["munge", "state", "spool-n1", "spool-n2"]) mkdirSync(at(name), { mode: 0o755 });
  writeFileSync(at("munge.key"), randomBytes(1024), { mode: 0o400 });
  await writeConfiguration(folder);
  const env = { ...process.env, SLURM_CONF: at("slurm.conf") };
  const daemons = [];
  const start = (name, ...args) => {
    const daemon = spawn(find(name), args, { env, stdio: ["ignore", "pipe", "pipe"] });
    const log = [];
    for (const stream of [daemon.stdout, daemon.stderr]) stream.on("data", data => log.push(data));
    daemon.on("exit", code =>
      writeFileSync(at(`${name}-${daemon.pid}.log`), Buffer.concat([...log, Buffer.from(`ended with ${code}\n`)])),
    );
    daemons.push({ name, daemon, log });
  };
  const call = async (name, ...args) =>
    (await promisify(execFile)(find(name), args, { env, cwd: folder })).stdout.trim();
  const stop = async () => {
    // Steps outlive the daemons.
    await call("scancel", "--user", userInfo().username).catch(() => undefined);
    const isIdle = async () => (await call("squeue", "-h")) === "";
    await until("jobs to end", isIdle, 15).catch(() => undefined);
    for (const { daemon } of daemons.reverse()) {
      if (daemon.exitCode !== null) continue;
      daemon.kill("SIGTERM");
      await Promise.race([new Promise(done => daemon.on("exit", done)), sleep(5000)]);
      daemon.kill("SIGKILL");
    }
  };
  try {
    const munge = [
      "key-file=munge.key",
      "socket=munge/socket",
      "pid-file=munged.pid",
      "log-file=munged.log",
      "seed-file=munge.seed",
    ];
    start("munged", "-F", ...munge.map(option => `--${option.replace("=", `=${folder}/`)}`));
    await until("munged to listen", () => existsSync(at("munge/socket")), 30);
    start("slurmctld", "-D", "-c");
    start("slurmd", "-D", "-N", "n1");
    start("slurmd", "-D", "-N", "n2");
    await until(
      "two idle nodes",
      async () => (await call("sinfo", "-h", "-o", "%D %t").catch(() => "")) === "2 idle",
      60,
    );
    return { call, stop, version: await call("sinfo", "--version") };
  } catch (error) {
    await stop();
    for (const { name, log } of daemons) console.error(`${name}:\n${Buffer.concat(log).toString().slice(-2000)}`);
    throw error;
  }
}

/** Asks again and again; throws after five minutes. */
export async function until(what, holds, seconds = 300) {
  for (const end = Date.now() + 1000 * seconds; Date.now() < end; await sleep(100)) if (await holds()) return;
  throw new Error(`waited ${seconds} s for ${what}`);
}

/** The process that works on a shard, as its lock says; null when there is none. */
export function workerOf(shard) {
  try {
    return JSON.parse(readFileSync(`${shard}.part.lock`, "utf8")).pid;
  } catch {
    return null;
  }
}
