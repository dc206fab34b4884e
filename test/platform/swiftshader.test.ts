import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, parse } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listAdapters } from "../../src/platform/adapters.js";
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
