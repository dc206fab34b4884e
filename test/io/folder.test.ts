import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InputError } from "../../src/errors.js";
import { checkFolder, writeFolder } from "../../src/io/folder.js";
import { readTextFile } from "../../src/io/regular-file.js";

describe("folders of results", () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "fusemax-folder-"));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  it("makes the folders on the way, and takes those that are there", async () => {
    const folder = join(home, "a", "b");
    for (const text of ["first", "second"]) {
      await writeFolder(folder, new Map([["x.csv", text]]));
      expect(readFileSync(join(folder, "x.csv"), "utf8")).toBe(text);
    }
  });

  it("refuses a place where there can be no folder", async () => {
    writeFileSync(join(home, "file"), "");
    for (const folder of [join(home, "file"), join(home, "file", "below")]) {
      await expect(writeFolder(folder, new Map())).rejects.toThrow(InputError);
    }
  });

  it("says before any work whether files can be written, and makes nothing", async () => {
    const isWritten = (name: string): boolean => name.endsWith(".csv");
    const check = (folder: string, kept?: string) => checkFolder(join(home, folder), isWritten, kept);
    await check("a/b");
    expect(readdirSync(home)).toEqual([]);
    writeFileSync(join(home, "file"), "");
    await expect(check("file/below")).rejects.toThrow(/expected a folder that can be written$/);
    await expect(check("a", join(home, "a"))).rejects.toThrow(/a, the file of --resume; expected a folder of its own$/);
    await expect(check("a", join(home, "a", "x.csv"))).rejects.toThrow(/the file of --resume/);
    await check(".", join(home, "x.steps"));
    writeFileSync(join(home, "read.csv"), "1");
    readTextFile(join(home, "read.csv"), 10, "a text");
    await expect(check(".")).rejects.toThrow(/read\.csv, the input .*; expected a folder of its own$/);
    expect(readdirSync(home).sort()).toEqual(["file", "read.csv"]);
  });

  it.runIf(process.platform === "linux")("refuses /proc, where Node's mkdir never returns", () =>
    expect(writeFolder("/proc/fusemax/out", new Map())).rejects.toThrow(/no such file or folder/),
  );
});
