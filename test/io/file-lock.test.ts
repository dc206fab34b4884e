import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { withFileLock } from "../../src/io/file-lock.js";

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
      const held = `got a file that process ${process.pid} is writing; expected a file of one process at a time`;
      await expect(withFileLock(path, done)).rejects.toThrow(`${path}: ${held}`);
      await expect(withFileLock(link, done)).rejects.toThrow(`${link}: ${held}`);
      expect(await withFileLock(join(folder, "another"), done)).toBe("done");
    });
    expect(existsSync(lock)).toBe(false);
    await expect(withFileLock(path, async () => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
    expect(await withFileLock(path, done)).toBe("done");
    expect(process.listeners("exit").filter(({ name }) => name === "unlock")).toEqual([]);
  });

  it("takes over what a dead process left", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    // As that process wrote it, in the middle of writing it, and before.
    for (const text of [`${pid} 123456`, `${pid}`, ""]) {
      writeFileSync(lock, text);
      expect(await withFileLock(path, async () => readFileSync(lock, "utf8"))).toMatch(`${process.pid} `);
      expect(existsSync(lock)).toBe(false);
    }
  });

  it.runIf(existsSync("/proc/self/stat"))("is not taken in by another process of the same number", async () => {
    writeFileSync(lock, `${process.pid} 1`);
    expect(await withFileLock(path, done)).toBe("done");
  });

  it.runIf(existsSync("/proc/self/stat"))("takes over from a dead process that nobody has reaped", async () => {
    // The shell becomes a process that knows nothing of its child.
    const parent = spawn("sh", ["-c", "sleep 0.3 & echo $!; exec sleep 60"]);
    try {
      const pid = Number(await new Promise(resolve => parent.stdout.once("data", resolve)));
      await expect.poll(() => readFileSync(`/proc/${pid}/stat`, "latin1")).toMatch(/\) Z /);
      const start = readFileSync(`/proc/${pid}/stat`, "latin1").split(" ")[21];
      writeFileSync(lock, `${pid} ${start}`);
      expect(await withFileLock(path, done)).toBe("done");
    } finally {
      parent.kill();
    }
  });

  it("says when it can't be made", async () => {
    const nowhere = join(folder, "missing", "kept");
    await expect(withFileLock(nowhere, done)).rejects.toThrow(`${nowhere}.lock: got no such file or folder`);
  });
});
