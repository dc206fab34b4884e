import { chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join, parse } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listAdapters } from "../../src/platform/adapters.js";
import { cacheFolder } from "../../src/platform/cache-folder.js";
import { findSwiftShaderArchive, unpackSwiftShader } from "../../src/platform/swiftshader.js";

const archive = findSwiftShaderArchive();
let cache = "";
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "fusemax-cache-"));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

describe.skipIf(archive === null)("SwiftShader from npm", () => {
  it("unpacks the loader, the driver and its manifest, once", () => {
    const first = unpackSwiftShader(archive as string, cache);
    expect(readdirSync(first.folder).sort()).toEqual([
      "libvk_swiftshader.so",
      "libvulkan.so.1",
      "vk_swiftshader_icd.json",
    ]);
    expect(unpackSwiftShader(archive as string, cache)).toEqual(first);
    expect(readdirSync(cache)).toHaveLength(1);
  });

  it("is a software adapter, and never taken for hardware", async () => {
    const { adapters } = await listAdapters();
    const found = adapters.filter(({ bundled }) => bundled);
    expect(found.length).toBeGreaterThan(0);
    for (const adapter of found) expect(adapter).toMatchObject({ kind: "software", hardware: false });
  });

  it("is missed with a note where there is no room for it", async () => {
    vi.stubEnv("XDG_CACHE_HOME", "/dev/null");
    vi.stubEnv("TMPDIR", "/dev/null");
    const { adapters, notes } = await listAdapters().finally(() => vi.unstubAllEnvs());
    expect(adapters.filter(({ bundled }) => bundled)).toEqual([]);
    expect(notes.join()).toMatch(/SwiftShader cannot be unpacked \(ENOTDIR.*\): set XDG_CACHE_HOME/);
  });

  it("leaves nothing behind when the archive is broken", () => {
    const broken = join(cache, "broken.tar.br");
    writeFileSync(broken, "not brotli");
    expect(() => unpackSwiftShader(broken, cache)).toThrow();
    expect(readdirSync(cache)).toEqual(["broken.tar.br"]);
  });
});

it("finds no archive where no package is installed", () => {
  expect(findSwiftShaderArchive([parse(cache).root])).toBeNull();
});

it.skipIf(process.getuid?.() !== 0)("loads no library from a folder that another user made", () => {
  const folder = join(cache, `fusemax-${userInfo().username}`);
  vi.stubEnv("XDG_CACHE_HOME", "/dev/null");
  vi.stubEnv("TMPDIR", cache);
  try {
    expect(cacheFolder()).toBe(folder);
    chownSync(folder, 12345, 12345);
    expect(cacheFolder).toThrow(/belongs to another user/);
  } finally {
    vi.unstubAllEnvs();
  }
});
