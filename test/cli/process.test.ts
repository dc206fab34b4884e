import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** The built program as its users start it: signals, kills, and folders other than its own. */
const program = resolve(import.meta.dirname, "../../dist/cli/main.js");
const folder = mkdtempSync(join(tmpdir(), "fusemax-process-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => expect(existsSync(program), "run `npm run build` first").toBe(true));

const start = (...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [program, ...args], { cwd: folder });

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

function ended(child: ChildProcess): Promise<Ended> {
  const written = { stdout: "", stderr: "" };
  child.stdout?.on("data", data => (written.stdout += data));
  child.stderr?.on("data", data => (written.stderr += data));
  return new Promise(done => child.on("close", (code, signal) => done({ code, signal, ...written })));
}

const pause = (milliseconds: number): Promise<void> => new Promise(done => setTimeout(done, milliseconds));
const sha256 = ({ stdout }: Ended): string => (JSON.parse(stdout) as { output: { sha256: string } }).output.sha256;

// A limit on the size of files, in blocks of 512 bytes, stands for the disk.
const onSmallDisk = (blocks: number, command: string) =>
  spawnSync("sh", ["-c", `ulimit -f ${blocks}; trap "" XFSZ; exec "${process.execPath}" "${program}" ${command}`], {
    encoding: "utf8",
    cwd: folder,
  });

describe("Ctrl-C", () => {
  const run = ["run", "--json", "--engine"];
  const evaluate = ["evaluate", "attention-3-pass", "--json", "--output", "av.npy", "--shape"];
  // While inputs are generated, while an engine or the interpreter computes, and while rows are checked.
  it.each([
    ["generating", [...run, "cpu", "--seq", "512K"], 1500],
    ["emulating", [...run, "cpu", "--seq", "16K", "--output", "av.npy", "--resume", "kept.rows"], 2000],
    ["emulating on webgpu", [...run, "webgpu", "--seq", "32K", "--output", "av.npy"], 3000],
    ["checking", [...run, "cpu", "--q-len", "1K", "--kv-len", "8K", "--head-dim", "8", "--check", "full"], 1500],
    ["generating any tensor", [...evaluate, "M=2M,P=1,E=64,F=64"], 1500],
    ["evaluating a cascade", [...evaluate, "M=8K,P=2K,E=64,F=64"], 2500],
  ])("ends within a second with 130 while %s", async (_, args, wait) => {
    const child = start(...args);
    const end = ended(child);
    await pause(wait);
    const asked = performance.now();
    child.kill("SIGINT");
    const { code, signal, stdout, stderr } = await end;
    expect({ code, signal, stdout }).toEqual({ code: 130, signal: null, stdout: "" });
    expect(performance.now() - asked).toBeLessThan(1000);
    expect(stderr).toMatch(/^(fusemax: \d+ of 16384 rows are kept in kept.rows\n)?fusemax: interrupted\n$/);
    expect(readdirSync(folder).filter(name => name !== "kept.rows")).toEqual([]);
  });
});

describe.each([
  ["SIGTERM", 143, "terminated"],
  ["SIGHUP", 129, "hung up"],
] as const)("%s", (signal, code, said) => {
  it.each([
    ["a run", ["run", "--json", "--engine", "cpu", "--seq", "16K", "--output", "av.npy"]],
    ["a sweep", ["sweep", "--set", "architecture.frequencyHz=1e6..2e9:400000", "--out", "all.csv", "--resume", "kept"]],
  ])("cleans up as Ctrl-C does and ends %s with its own code", async (_, args) => {
    const child = start(...args);
    const end = ended(child);
    await pause(2000);
    child.kill(signal);
    const result = await end;
    expect(result).toMatchObject({ code, signal: null, stdout: "" });
    expect(result.stderr).toContain(`fusemax: ${said}\n`);
    expect(readdirSync(folder).filter(name => /\.tmp$|\.lock/.test(name))).toEqual([]);
  });
});

it("Ctrl-C ends the sentence encoder within a second with 130", async () => {
  const child = spawn(process.execPath, [resolve(program, "../../examples/sentence-encoder/main.js")]);
  const end = ended(child);
  await new Promise(seen => child.stderr?.on("data", data => String(data).includes("emulated in") && seen(data)));
  const asked = performance.now();
  child.kill("SIGINT");
  const { code, signal, stdout, stderr } = await end;
  expect({ code, signal, stdout }).toEqual({ code: 130, signal: null, stdout: "" });
  expect(performance.now() - asked).toBeLessThan(1000);
  expect(stderr).toMatch(/\nsentence-encoder: interrupted\n$/);
});

describe("a killed run", () => {
  it("law: killed at random moments at least 20 times, it loses nothing that was finished and ends with the same bits", async () => {
    const args = ["run", "--engine", "cpu", "--json", "--seq", "1K", "--heads", "2", "--check", "none"];
    const expected = sha256(await ended(start(...args)));
    const [moments] = fc.sample(fc.array(fc.integer({ min: 100, max: 900 }), { minLength: 40, maxLength: 40 }), 1);
    let kills = 0;
    let kept = 0;
    let rows = join(folder, "killed-0.rows");
    for (const moment of moments ?? []) {
      const child = start(...args, "--resume", rows);
      const end = ended(child);
      await Promise.race([pause(moment), end]);
      child.kill("SIGKILL");
      const result = await end;
      if (result.signal === "SIGKILL") {
        kills++;
        const size = existsSync(rows) ? statSync(rows).size : 0;
        expect(size, `killed after ${moments} ms`).toBeGreaterThanOrEqual(kept);
        kept = size;
      } else {
        expect(sha256(result), `killed after ${moments} ms`).toBe(expected);
        rows = join(folder, `killed-${kills}.rows`);
        kept = 0;
      }
      if (kills >= 20) break;
    }
    expect(kills).toBeGreaterThanOrEqual(20);
    expect(sha256(await ended(start(...args, "--resume", rows)))).toBe(expected);
  }, 180_000);

  it("says that the disk is full, and goes on when there is room", async () => {
    const args = `run --engine cpu --json --seq 1K --heads 2 --check none --resume ${join(folder, "full.rows")}`;
    const full = onSmallDisk(300, args); // 150 KiB, for 512 KiB of rows
    expect(full.stderr).toMatch(
      /^fusemax: .*full.rows: got (no space left|a file too large).*; expected room for \d+ bytes more; rows finished so far are kept.*\n$/,
    );
    expect(full.status).toBe(2);
    const after = spawnSync(process.execPath, [program, ...args.split(" ")], { encoding: "utf8" });
    expect(after.stderr).toMatch(/going on from .*full.rows: \d+ of 2048 rows are finished/);
    expect(after.status).toBe(0);
  });
});

it("law: of two runs that keep rows in one file at a time, one works and the other says so in one line", async () => {
  const args = ["run", "--engine", "cpu", "--json", "--seq", "2K", "--check", "none", "--resume"];
  const expected = sha256(await ended(start(...args, "alone.rows")));
  // Begun at once; and one begun while the other has been at work for a while.
  for (const wait of [0, 700]) {
    const first = ended(start(...args, "shared.rows"));
    await pause(wait);
    const both = await Promise.all([first, ended(start(...args, "shared.rows"))]);
    const [winner, loser] = both.sort((a, b) => Number(a.code) - Number(b.code)) as [Ended, Ended];
    expect(sha256(winner)).toBe(expected);
    expect(loser).toMatchObject({ code: 2, stdout: "" });
    expect(loser.stderr).toMatch(/^fusemax: shared.rows: process \d+ is writing this file; .*\n$/);
    expect(existsSync(join(folder, "shared.rows.lock"))).toBe(false);
    rmSync(join(folder, "shared.rows"));
  }
});

/** A command whose output is more than a pipe holds. */
const talkative = "sweep --set architecture.frequencyHz=1e6..2e9:2000";

it("stops quietly when its reader does", () => {
  const script = `("${process.execPath}" "${program}" ${talkative}; echo $? >&2) | head -1`;
  const result = spawnSync("sh", ["-c", script], { encoding: "utf8" });
  expect(result.stderr).toBe("0\n");
  expect(result.stdout).toMatch(/^design,model,batch,seq,/);
});

it("says that its output was cut short by a disk that filled up in the middle of it", () => {
  const result = onSmallDisk(100, `${talkative} > cut.csv`);
  expect(result.stderr).toMatch(/^fusemax: standard output: got .*; expected room for the result\n$/);
  expect(result.status).toBe(2);
  expect(statSync(join(folder, "cut.csv")).size).toBe(100 * 512);
});

it("keeps a sweep's finished points when the disk is full, says so in one line, and goes on when there is room", () => {
  // Points enough for threads, and without.
  for (const [points, blocks] of [
    [2000, 600],
    [8000, 1200],
  ] as const) {
    const command = `sweep --accounting published --set architecture.frequencyHz=1e6..2e9:${points} --out all.csv --resume kept-${points}`;
    const full = onSmallDisk(blocks, command);
    expect(full.stderr).toMatch(
      /^fusemax: kept-\d+: got .*; expected room for \d+ bytes more; points finished so far are kept.*\n$/,
    );
    expect(full.status).toBe(2);
    const after = spawnSync(process.execPath, [program, ...command.split(" ")], { encoding: "utf8", cwd: folder });
    expect(after.stderr).toMatch(/[1-9]\d* of \d+ points were finished before/);
    expect(after.status).toBe(0);
  }
});

it.skipIf(!existsSync("/dev/full"))("says in one line that its output found no room", () => {
  const result = spawnSync("sh", ["-c", `"${process.execPath}" "${program}" ${talkative} > /dev/full`], {
    encoding: "utf8",
  });
  expect(result.stderr).toBe("fusemax: standard output: no space left on the device; expected room for the result\n");
  expect(result.status).toBe(2);
});
