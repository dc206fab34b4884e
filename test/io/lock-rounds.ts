import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** What `rounds` of processes that all want one file came to. */
export interface LockRounds {
  readonly rounds: number;
  readonly holdings: number;
  /** Processes that were killed while they held the lock. */
  readonly killed: number;
  /** Times that a process found another in the place that the lock guards. */
  readonly violations: number;
  /** Files that were left beside the one that was locked. */
  readonly left: readonly string[];
}

const built = resolve(import.meta.dirname, "../../dist/io/file-lock.js");

/**
 * A contender: again and again takes the lock, and makes a file in the guarded place that only one can make. Who dies in that
 * place leaves the file with its number, which says whether it lives.
 */
const contender = `
import { withFileLock } from ${JSON.stringify(built)};
import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
const [path, rounds] = [process.argv[2], Number(process.argv[3])];
const inside = path + "-inside";
const pause = ms => new Promise(done => setTimeout(done, ms));
process.stdout.write("ready\\n");
await new Promise(go => process.stdin.once("data", go));
// One that was killed and is not yet reaped is dead.
const dead = pid => { try { return /\\) [ZX] /.test(readFileSync("/proc/" + pid + "/stat", "latin1")); } catch { return process.platform === "linux"; } };
const alive = pid => { try { process.kill(pid, 0); return !dead(pid); } catch { return false; } };
for (let round = 0; round < rounds; ) {
  try {
    await withFileLock(path, async () => {
      for (;;) {
        try { writeFileSync(inside, String(process.pid), { flag: "wx" }); break; }
        catch {
          let pid = 0;
          try { pid = Number(readFileSync(inside, "utf8")); } catch { continue; }
          if (pid > 0 && alive(pid) && pid !== process.pid) { appendFileSync(path + "-log", "violation\\n"); break; }
          rmSync(inside, { force: true });
        }
      }
      appendFileSync(path + "-log", "held\\n");
      await pause(Math.random() * 3);
      rmSync(inside, { force: true });
    });
    round++;
    await pause(Math.random() * 2);
  } catch (error) {
    if (!/is writing/.test(String(error))) { appendFileSync(path + "-log", "error " + error + "\\n"); process.exit(1); }
    await pause(Math.random() * 2);
  }
}
process.exit(0);
`;

/** Lets `processes` contend for one file; some are killed at random, so that their locks are stale. */
export async function lockRounds(
  processes: number,
  rounds: number,
  each: number,
  random: () => number,
): Promise<LockRounds> {
  const folder = mkdtempSync(join(tmpdir(), "fusemax-rounds-"));
  const script = join(folder, "contender.mjs");
  writeFileSync(script, contender);
  const path = join(folder, "kept");
  let killed = 0;
  try {
    for (let round = 0; round < rounds; round += 1) {
      writeFileSync(path, "");
      const children = Array.from({ length: processes }, () => spawn(process.execPath, [script, path, String(each)]));
      await Promise.all(children.map(ready));
      for (const child of children) child.stdin?.write("go\n");
      const ends = children.map(ended);
      // One in four is killed, at a random moment.
      for (const child of children) {
        if (random() >= 0.25) continue;
        setTimeout(() => child.exitCode === null && child.kill("SIGKILL"), random() * each * 40);
      }
      for (const signal of await Promise.all(ends)) if (signal === "SIGKILL") killed += 1;
    }
    const log = existsSync(`${path}-log`) ? readFileSync(`${path}-log`, "utf8") : "";
    const count = (word: string): number => log.split(word).length - 1;
    if (count("error ") > 0) throw new Error(log.slice(log.indexOf("error "), log.indexOf("error ") + 300));
    const { withFileLock } = (await import(built)) as typeof import("../../src/io/file-lock.js");
    const locks = (): string[] => readdirSync(folder).filter(name => name.startsWith("kept.lock"));
    // A process that was killed while it wrote its claim leaves one that names nobody; such a claim goes when it is old.
    const before = new Date(Date.now() - 120_000);
    for (const name of locks()) utimesSync(join(folder, name), before, before);
    await withFileLock(path, async () => undefined);
    const left = locks();
    return { rounds, holdings: count("held\n"), killed, violations: count("violation"), left };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const ready = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("error", reject);
  });

const ended = (child: ChildProcess): Promise<NodeJS.Signals | null> =>
  new Promise(resolve => child.once("close", (_, signal) => resolve(signal)));
