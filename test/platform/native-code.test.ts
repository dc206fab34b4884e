import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { archiveVariable, findSwiftShaderArchive, unpackSwiftShader } from "../../src/platform/swiftshader.js";
import { installedCopy } from "./installed-copy.js";

/** The installed program where parts of it are missing, broken or planted: it says so, and works without. */
const archive = findSwiftShaderArchive();
const copy = installedCopy("webgpu");
afterAll(() => copy.remove());
const webgpu = join(copy.modules, "webgpu");
const installed = join(import.meta.dirname, "../../node_modules/webgpu");
const addon = join(webgpu, "dist", `${process.platform}-${process.arch}`, "dawn.node");

const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = copy.folder) => {
  const result = spawnSync(process.execPath, [copy.program, ...args], {
    encoding: "utf8",
    cwd,
    env: { ...process.env, ...env },
  });
  expect(result.stderr).not.toMatch(/\n\s+at /);
  return result;
};

/** The package of Dawn's binding, with `content` in the place of the addon. */
function breakAddon(content: string | null): void {
  rmSync(webgpu, { recursive: true, force: true });
  mkdirSync(dirname(addon), { recursive: true });
  for (const file of ["index.js", "package.json"]) copyFileSync(join(installed, file), join(webgpu, file));
  if (content !== null) writeFileSync(addon, content);
}

describe.skipIf(archive === null)("an addon that does not load", () => {
  const broken: readonly (readonly [name: string, put: () => void, said: RegExp])[] = [
    ["is for another system", () => breakAddon("\x7fELF but not really"), /dawn\.node: |file too short|invalid ELF/],
    ["is empty", () => breakAddon(""), /file too short/],
    ["is not there", () => breakAddon(null), /Cannot find module/],
    ["has no package", () => rmSync(webgpu, { recursive: true, force: true }), /Cannot find package 'webgpu'/],
  ];
  const env: NodeJS.ProcessEnv = { [archiveVariable]: archive ?? "" };
  let drivers: NodeJS.ProcessEnv = {};
  beforeAll(() => {
    // A machine with a loader and a driver of its own.
    const { folder, manifest } = unpackSwiftShader(archive as string);
    drivers = { LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: manifest };
  });

  it.each(broken)("that %s: run goes on with WebAssembly and says why", (_, put, said) => {
    put();
    const { status, stdout, stderr } = run(["run", "--seq", "64"], drivers);
    expect(stdout).toMatch(/\n {2}engine +wasm \(WebGPU: got an addon that does not load \(.*\)/);
    expect(stdout).toMatch(said);
    expect(stderr).toMatch(/^fusemax: engine wasm: WebGPU: got an addon that does not load .*\n$/);
    expect(status).toBe(0);
  });

  it.each(broken)("that %s: doctor lists it, and what works", (_, put, said) => {
    put();
    const { status, stdout, stderr } = run(["doctor", "--arithmetic", "bf16"], env);
    expect(stdout).toMatch(
      /^FAIL {2}webgpu: 0 of 1 arithmetics .*\n {6}WebGPU: got an addon that does not load \(.*\n/,
    );
    expect(stdout).toMatch(said);
    expect(stdout).toMatch(/\npass {2}wasm: .*\npass {2}cpu: /);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it("asked for by name, it is an error in one line", () => {
    breakAddon("");
    const { status, stdout, stderr } = run(["run", "--seq", "64", "--engine", "webgpu"], env);
    expect(stderr).toMatch(/^fusemax: WebGPU: got an addon that does not load .*; the other engines need no addon\n$/);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });
});

it.skipIf(process.platform !== "linux" || process.arch !== "x64")(
  "takes no library from the folder it is started in, nor from above, and none that was changed where it was installed",
  () => {
    breakAddon("");
    const plant = (folder: string): void => {
      const path = join(folder, "node_modules/@sparticuz/chromium/bin/swiftshader.tar.br");
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, archive === null ? "planted" : readFileSync(archive).fill(1, 1000, 1001));
    };
    const work = join(copy.folder, "shared/project");
    mkdirSync(work, { recursive: true });
    plant(work);
    plant(dirname(work));
    const elsewhere = run(["doctor", "--arithmetic", "bf16"], {}, work);
    expect(elsewhere.stdout).toMatch(/note: no SwiftShader: npm install/);
    plant(copy.folder);
    const beside = run(["doctor", "--arithmetic", "bf16"], {}, work);
    expect(beside.stdout).toMatch(/note: SwiftShader cannot be used \(.* is not the file that belongs there\)/);
    for (const { status, stderr } of [elsewhere, beside]) expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    rmSync(join(copy.modules, "@sparticuz"), { recursive: true });
  },
);

it.skipIf(archive === null)("says that there is no room for SwiftShader", () => {
  const nowhere = { [archiveVariable]: archive ?? "", XDG_CACHE_HOME: "/dev/null", TMPDIR: "/dev/null" };
  const { stdout, stderr } = run(["doctor", "--arithmetic", "bf16"], nowhere);
  expect(stdout).toMatch(/note: SwiftShader cannot be used \(ENOTDIR.*XDG_CACHE_HOME or TMPDIR/);
  expect(stderr).toBe("");
});
