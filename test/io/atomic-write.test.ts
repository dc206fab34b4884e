import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { checkWritable, writeAtomically } from "../../src/io/atomic-write.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-atomic-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "result");
beforeEach(() => {
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
});
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("writeAtomically", () => {
  it("writes the parts one after the other in place of what was there", async () => {
    writeFileSync(path, "something longer from before");
    await writeAtomically(path, [bytes("one "), bytes("two")]);
    expect(readFileSync(path, "utf8")).toBe("one two");
    expect(readdirSync(folder)).toEqual(["result"]);
  });

  it("leaves what was there, and nothing else, when a part fails", async () => {
    writeFileSync(path, "before");
    function* failing(): Generator<Uint8Array> {
      yield bytes("half");
      expect(readdirSync(folder)).toHaveLength(2);
      throw new Error("no more");
    }
    await expect(writeAtomically(path, failing())).rejects.toThrow(/result: got Error: no more/);
    expect(readFileSync(path, "utf8")).toBe("before");
    expect(readdirSync(folder)).toEqual(["result"]);
  });

  it("writes through a symbolic link, which stays one", async () => {
    const target = join(folder, "target");
    writeFileSync(target, "before");
    symlinkSync(target, path);
    await writeAtomically(path, [bytes("after")]);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, "utf8")).toBe("after");
  });

  it("writes through a link that leads to no file yet, through links and folders that are links", async () => {
    mkdirSync(join(folder, "deep/inside"), { recursive: true });
    symlinkSync("deep/inside", join(folder, "there"));
    symlinkSync("there/../made", join(folder, "one")); // deep/made: `..` is of the folder that the link leads to
    symlinkSync("one", path);
    checkWritable(path);
    await writeAtomically(path, [bytes("after")]);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, "deep/made"), "utf8")).toBe("after");
    expect(readdirSync(folder).sort()).toEqual(["deep", "one", "result", "there"]);
  });

  it("refuses links in a circle, links into no folder, and a folder's name", () => {
    symlinkSync("result", path);
    expect(() => checkWritable(path)).toThrow(/result: got a circle of symbolic links; expected a path/);
    const lost = join(folder, "lost");
    symlinkSync("nowhere/made", lost);
    expect(() => checkWritable(lost)).toThrow(/lost: no such file or folder/);
    expect(() => checkWritable(join(folder, "new/"))).toThrow(/new\/: got a folder/);
  });

  it("refuses a folder in the file's place", async () => {
    mkdirSync(path);
    await expect(writeAtomically(path, [bytes("x")])).rejects.toThrow(/result: got a folder; expected a path/);
  });
});

describe("checkWritable", () => {
  it("leaves a file as it is, and nothing where there was none", () => {
    checkWritable(path);
    expect(existsSync(path)).toBe(false);
    writeFileSync(path, "before");
    checkWritable(path);
    expect(readFileSync(path, "utf8")).toBe("before");
    expect(readdirSync(folder)).toEqual(["result"]);
  });

  it("refuses a path in a folder that is not there", () => {
    expect(() => checkWritable(join(folder, "none", "x"))).toThrow(/none\/x: no such file or folder/);
  });
});
