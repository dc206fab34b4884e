import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listAdapters } from "../../src/platform/adapters.js";
import { cacheFolder } from "../../src/platform/cache-folder.js";
import { whyNotPrivate } from "../../src/platform/private-folder.js";
import { archiveVariable, findSwiftShaderArchive, unpackSwiftShader } from "../../src/platform/swiftshader.js";

const archive = findSwiftShaderArchive();
const files = ["libvk_swiftshader.so", "libvulkan.so.1", "vk_swiftshader_icd.json"];
let cache = "";
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "fusemax-cache-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});
const isRoot = process.getuid?.() === 0;

describe.skipIf(archive === null)("SwiftShader from npm", () => {
  const unpack = (folder = cache) => unpackSwiftShader(archive as string, folder);

  it("unpacks the loader, the driver and its manifest, once", () => {
    const first = unpack();
    expect(dirname(first.folder)).toBe(cache);
    expect(readdirSync(first.folder).sort()).toEqual(files);
    const { mtimeMs } = statSync(first.loader);
    expect(unpack()).toEqual(first);
    expect(statSync(first.loader).mtimeMs).toBe(mtimeMs);
    expect(readdirSync(cache)).toHaveLength(1);
  });

  it("law: whatever was changed in the cache, what is loaded is what was installed, and others cannot change it", () => {
    const whole = files.map(name => readFileSync(join(unpack().folder, name)));
    const changes: Readonly<Record<string, (path: string) => void>> = {
      "a bit": path => {
        const bytes = readFileSync(path);
        const at = Math.floor(bytes.length / 2);
        bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
        writeFileSync(path, bytes);
      },
      "its end": path => truncateSync(path, statSync(path).size - 1),
      "its mode": path => chmodSync(path, 0o666),
      "its place": path => {
        renameSync(path, join(cache, "elsewhere"));
        symlinkSync(join(cache, "elsewhere"), path);
      },
      "its being there": path => rmSync(path),
      "its kind": path => {
        rmSync(path);
        mkdirSync(path);
      },
      "its folder's mode": path => chmodSync(dirname(path), 0o777),
      ...(isRoot ? { "its owner": (path: string) => chownSync(path, 12345, 12345) } : {}),
    };
    for (const [name, change] of Object.entries(changes)) {
      for (const file of files) {
        change(join(unpack().folder, file));
        const { folder } = unpack();
        for (const [n, found] of files.entries()) {
          const path = join(folder, found);
          expect(lstatSync(path).isFile(), `${name} of ${file}`).toBe(true);
          expect(readFileSync(path).equals(whole[n] as Buffer), `${name} of ${file}`).toBe(true);
          expect(statSync(path).mode & 0o022, `${name} of ${file}`).toBe(0);
        }
        expect(whyNotPrivate(folder), `${name} of ${file}`).toBeNull();
      }
    }
  });

  it("uses no cache that others can change", () => {
    const inside = () => dirname(unpack().folder) === cache;
    expect(inside()).toBe(true);
    chmodSync(cache, 0o777);
    expect(inside()).toBe(false);
    chmodSync(cache, 0o700);
    const link = join(cache, "link");
    symlinkSync(cache, link);
    expect(unpack(link).folder.startsWith(cache)).toBe(false);
    // The folder in the cache is a link to a copy.
    const { folder } = unpack();
    renameSync(folder, join(cache, "copy"));
    symlinkSync(join(cache, "copy"), folder);
    expect(lstatSync(unpack().folder).isDirectory()).toBe(true);
  });

  it("is a software adapter, and never taken for hardware", async () => {
    const { adapters } = await listAdapters();
    const found = adapters.filter(({ bundled }) => bundled);
    expect(found.length).toBeGreaterThan(0);
    for (const adapter of found) expect(adapter).toMatchObject({ kind: "software", hardware: false });
  });

  it("may be named, and is then the one that counts, if it is the right one", async () => {
    const named = join(cache, "named.tar.br");
    writeFileSync(named, readFileSync(archive as string));
    vi.stubEnv(archiveVariable, named);
    expect(findSwiftShaderArchive(cache)).toBe(named);
    expect(readdirSync(unpackSwiftShader(named, cache).folder).sort()).toEqual(files);
    for (const wrong of ["not brotli", readFileSync(named).fill(0, 100, 101)]) {
      writeFileSync(named, wrong);
      const { adapters, notes } = await listAdapters();
      expect(adapters.filter(({ bundled }) => bundled)).toEqual([]);
      expect(notes.join()).toMatch(/SwiftShader cannot be used \(.*named.tar.br is not the file that belongs there\)/);
    }
    vi.stubEnv(archiveVariable, join(cache, "missing"));
    expect((await listAdapters()).notes.join()).toMatch(/SwiftShader cannot be used \(ENOENT/);
  });
});

describe("the archive", () => {
  const plant = (folder: string): string => {
    const path = join(folder, "node_modules/@sparticuz/chromium/bin/swiftshader.tar.br");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "planted");
    return path;
  };

  it("is taken from where the package was installed, and from nowhere else", () => {
    const own = join(cache, "project/node_modules/fusemax");
    mkdirSync(own, { recursive: true });
    // In a folder above, in the working directory, and above that.
    plant(cache);
    plant(join(cache, "elsewhere"));
    const before = process.cwd();
    mkdirSync(join(cache, "elsewhere/deep"));
    process.chdir(join(cache, "elsewhere/deep"));
    try {
      expect(findSwiftShaderArchive(own)).toBeNull();
      expect(findSwiftShaderArchive(join(cache, "elsewhere/deep"))).toBeNull();
      if (archive !== null) expect(findSwiftShaderArchive()).toBe(archive);
    } finally {
      process.chdir(before);
    }
    if (process.platform !== "linux" || process.arch !== "x64") return;
    const beside = plant(join(cache, "project"));
    expect(findSwiftShaderArchive(own)).toBe(beside);
    expect(findSwiftShaderArchive(`${own}/`)).toBe(beside);
    const inside = plant(own);
    expect(findSwiftShaderArchive(own)).toBe(inside);
  });
});

describe("cacheFolder", () => {
  it("is under XDG_CACHE_HOME where that is this user's alone, made where it is not there", () => {
    vi.stubEnv("XDG_CACHE_HOME", join(cache, "a/b"));
    expect(cacheFolder()).toBe(join(cache, "a/b/fusemax"));
    expect(statSync(cacheFolder()).mode & 0o777).toBe(0o700);
  });

  it.each(["/dev/null", "/proc", "/proc/self/fd", "relative"])("is another for XDG_CACHE_HOME=%s", named => {
    vi.stubEnv("XDG_CACHE_HOME", named);
    vi.stubEnv("HOME", cache);
    expect(cacheFolder()).not.toContain(named);
    expect(existsSync("relative")).toBe(false);
  });

  it("law: folders that others could change are never used, wherever on the way they are", () => {
    const faults: Readonly<Record<string, (path: string) => void>> = {
      "written by all": path => chmodSync(path, 0o777),
      "written by a group": path => chmodSync(path, 0o770),
      "a link": path => {
        renameSync(path, `${path}.real`);
        symlinkSync(`${path}.real`, path);
      },
      ...(isRoot ? { "another's": (path: string) => chownSync(path, 12345, 12345) } : {}),
    };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 4 }),
        fc.constantFrom(...Object.keys(faults)),
        (depth, at, fault) => {
          const base = mkdtempSync(join(cache, "case-"));
          const names = Array.from({ length: depth }, (_, i) => `d${i}`);
          const home = join(base, ...names);
          vi.stubEnv("XDG_CACHE_HOME", home);
          expect(cacheFolder()).toBe(join(home, "fusemax"));
          const faulty = [...names, "fusemax"].slice(0, Math.min(at, depth) + 1);
          faults[fault]?.(join(base, ...faulty));
          const used = cacheFolder();
          expect(used.startsWith(base)).toBe(false);
          expect(whyNotPrivate(used)).toBeNull();
        },
      ),
      { numRuns: 200 },
    );
  });
});
