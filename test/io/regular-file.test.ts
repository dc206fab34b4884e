import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadCascade } from "../../src/io/cascade-files.js";
import { readNpy } from "../../src/io/npy.js";
import { readNpz } from "../../src/io/npz.js";
import { requireRegular } from "../../src/io/regular-file.js";
import { openRowsFile } from "../../src/io/rows-file.js";
import { readSafetensors } from "../../src/io/safetensors.js";
import { specFiles } from "../../src/io/spec-files.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-regular-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

/** Every reader of a file that a user names. */
const readers: Readonly<Record<string, (path: string) => unknown>> = {
  "a .npy file": readNpy,
  "a .npz archive": readNpz,
  "a .safetensors file": readSafetensors,
  "finished rows": path => openRowsFile(path, {}, { first: 0, width: 2, values: new Float32Array(4) }),
  "a cascade": path => loadCascade(path),
  "a spec": path => specFiles.read("designs", path),
};

describe.skipIf(process.platform !== "linux")("what is no regular file is refused before it is opened:", () => {
  // Opening a pipe that nobody writes to waits for ever.
  spawnSync("mkfifo", [at("pipe.yaml")]);
  mkdirSync(at("folder.yaml"));
  symlinkSync("/dev/zero", at("zero.yaml"));
  symlinkSync("/proc/self/maps", at("maps.yaml"));
  const kinds = {
    "pipe.yaml": /a named pipe/,
    "folder.yaml": /a folder/,
    "zero.yaml": /a device/,
    "maps.yaml": /the kernel makes up/,
  };
  const pairs = Object.entries(kinds).flatMap(([file, message]) =>
    Object.keys(readers).map(reader => [file, reader, message] as const),
  );
  it.each(pairs)("%s as %s", async (file, reader, message) => {
    expect(existsSync(at(file))).toBe(true);
    await expect((async () => readers[reader]?.(at(file)))()).rejects.toThrow(message);
    await expect((async () => readers[reader]?.(at(file)))()).rejects.toThrow(
      /: got .*, which is not a regular file; /,
    );
  });
});

it("texts longer than they may be are not read", () => {
  writeFileSync(at("long.yaml"), "");
  truncateSync(at("long.yaml"), 2 ** 35);
  expect(() => specFiles.read("designs", at("long.yaml"))).toThrow(/got 34359738368 bytes; expected a YAML file/);
  expect(() => loadCascade(at("long.yaml"))).toThrow(
    /got 34359738368 bytes; expected a cascade of at most 400000 bytes/,
  );
});

it("names what is missing", () => {
  expect(() => requireRegular(at("none"), "a file")).toThrow(/none: no such file or folder; expected a file/);
});
