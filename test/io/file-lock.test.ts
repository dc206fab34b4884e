import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { withFileLock } from "../../src/io/file-lock.js";
import { thisOwner } from "../../src/io/lock-owner.js";
import { lockRounds } from "./lock-rounds.js";
import { randomOf } from "./random.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-lock-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "kept");
const lock = `${path}.lock`;
const done = async (): Promise<string> => "done";

describe("file lock", () => {
  it("lets one process at a time have a file, and leaves nothing behind", async () => {
    writeFileSync(path, "");
    const link = join(folder, "link");
    symlinkSync(path, link);
    await withFileLock(path, async () => {
      const held = `process ${process.pid} is writing this file`;
      await expect(withFileLock(path, done)).rejects.toThrow(`${path}: ${held}`);
      await expect(withFileLock(link, done)).rejects.toThrow(`${link}: ${held}`);
      expect(await withFileLock(join(folder, "another"), done)).toBe("done");
    });
    expect(existsSync(lock)).toBe(false);
    await expect(withFileLock(path, async () => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
    expect(await withFileLock(path, done)).toBe("done");
    expect(process.listeners("exit").filter(({ name }) => name === "unlock")).toEqual([]);
  });

  it("lets a process that has time wait for the file, and say so once", async () => {
    const said: string[] = [];
    const order: string[] = [];
    let end = (): void => undefined;
    const first = withFileLock(path, () => new Promise<void>(done => (end = done))).then(() => order.push("first"));
    const second = withFileLock(
      path,
      async () => order.push("second"),
      line => said.push(line),
    );
    setTimeout(() => end(), 700);
    await Promise.all([first, second]);
    expect(order).toEqual(["first", "second"]);
    expect(said).toEqual([`${path}: waiting for a file that process ${process.pid} is writing`]);
    expect(existsSync(lock)).toBe(false);
  });

  const asOf = (owner: object): string => JSON.stringify({ ...thisOwner(), id: "other", ...owner });
  const isHeldNow = (): Promise<string> => withFileLock(path, async () => readFileSync(lock, "utf8"));

  it("takes over what a dead process left", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    writeFileSync(lock, asOf({ pid, start: "123456" }));
    expect(JSON.parse(await isHeldNow())).toMatchObject({ pid: process.pid });
    expect(readdirSync(folder).filter(name => name.startsWith("kept.lock"))).toEqual([]);
  });

  it("takes over through a guard that a dead process left, and removes what such processes left", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    writeFileSync(lock, asOf({ pid, id: "one" }));
    writeFileSync(`${lock}.one`, asOf({ pid, id: "two" }));
    writeFileSync(`${lock}.claim`, asOf({ pid, id: "three" }));
    writeFileSync(`${lock}.living`, asOf({ id: "four" }));
    const before = new Date(Date.now() - 120_000);
    writeFileSync(`${lock}.torn-now`, "");
    writeFileSync(`${lock}.torn-before`, "");
    utimesSync(`${lock}.torn-before`, before, before);
    expect(JSON.parse(await isHeldNow())).toMatchObject({ pid: process.pid });
    const left = readdirSync(folder).filter(name => name.startsWith("kept.lock"));
    expect(left).toEqual(["kept.lock.living", "kept.lock.torn-now"]);
    for (const name of left) rmSync(join(folder, name));
  });

  it("takes over what was held before the machine started, or by another process of the same number", async () => {
    for (const other of [{ boot: "another" }, ...(existsSync("/proc/self/stat") ? [{ start: "1" }] : [])]) {
      writeFileSync(lock, asOf(other));
      expect(await withFileLock(path, done)).toBe("done");
    }
  });

  it("leaves a lock of another machine or container alone, as long as it is touched", async () => {
    for (const other of [{ host: "elsewhere" }, { space: "another" }]) {
      writeFileSync(lock, asOf(other));
      await expect(withFileLock(path, done)).rejects.toThrow(/process \d+ on \S+ is writing/);
      const before = new Date(Date.now() - 120_000);
      utimesSync(lock, before, before);
      expect(await withFileLock(path, done)).toBe("done");
    }
  });

  it("takes over half a lock when it is old, and never what is none", async () => {
    for (const torn of ["", asOf({}).slice(0, 40)]) {
      writeFileSync(lock, torn);
      await expect(withFileLock(path, done)).rejects.toThrow(/another process is writing/);
      const before = new Date(Date.now() - 120_000);
      utimesSync(lock, before, before);
      expect(await withFileLock(path, done)).toBe("done");
    }
    for (const text of ["lockfileVersion: 3", "{}", "123 456", "null"]) {
      writeFileSync(lock, text);
      await expect(withFileLock(path, done)).rejects.toThrow(`${lock}: is not a lock of fusemax`);
      expect(readFileSync(lock, "utf8")).toBe(text);
    }
    rmSync(lock);
  });

  it.runIf(existsSync("/proc/self/stat"))("takes over from a dead process that nobody has reaped", async () => {
    // The shell becomes a process that knows nothing of its child.
    const parent = spawn("sh", ["-c", "sleep 0.3 & echo $!; exec sleep 60"]);
    try {
      const pid = Number(await new Promise(resolve => parent.stdout.once("data", resolve)));
      await expect.poll(() => readFileSync(`/proc/${pid}/stat`, "latin1")).toMatch(/\) Z /);
      const start = readFileSync(`/proc/${pid}/stat`, "latin1").split(" ")[21];
      writeFileSync(lock, asOf({ pid, start }));
      expect(await withFileLock(path, done)).toBe("done");
    } finally {
      parent.kill();
    }
  });

  it("law: of 8 processes that all want a file one has it at a time, also when holders are killed", async () => {
    const [seed = 0] = fc.sample(fc.integer(), 1);
    const found = await lockRounds(8, 2, 6, randomOf(seed));
    expect(found.violations, `seed ${seed}`).toBe(0);
    expect(found.holdings).toBeGreaterThan(40);
    expect(found.left).toEqual([]);
  });

  it("says when it can't be made", async () => {
    const nowhere = join(folder, "missing", "kept");
    await expect(withFileLock(nowhere, done)).rejects.toThrow(`${nowhere}.lock: no such file or folder`);
  });
});
