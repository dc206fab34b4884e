import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InputError } from "../../src/errors.js";
import { writeFolder } from "../../src/io/folder.js";

describe("writeFolder", () => {
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

  it.runIf(process.platform === "linux")("refuses /proc, where Node's mkdir never returns", () =>
    expect(writeFolder("/proc/fusemax/out", new Map())).rejects.toThrow(/no such file or folder/),
  );
});
