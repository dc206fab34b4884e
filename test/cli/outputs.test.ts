import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { invoke } from "./invoke.js";

/** Law: no output destroys an input, another output, or what standard output goes to, by whatever name. */
const folder = mkdtempSync(join(tmpdir(), "fusemax-outputs-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));
const specs = resolve(import.meta.dirname, "../../specs");

/** Other names of a file: a link, one in a circle of folders, a hard link. */
function namesOf(path: string, ending: string): readonly string[] {
  symlinkSync(path, at(`link${ending}`));
  symlinkSync(at(`link${ending}`), at(`link-to-link${ending}`));
  const same = [
    path,
    path.replace(folder, `${folder}/sub/..`),
    path.replace(folder, at("linked/..")),
    at(`link${ending}`),
  ];
  if (!existsSync(path)) return [...same, at(`link-to-link${ending}`)];
  linkSync(path, at(`hard${ending}`));
  return [...same, at(`link-to-link${ending}`), at(`hard${ending}`)];
}

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(at("sub"), { recursive: true });
  symlinkSync("sub", at("linked"));
});

const contents = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder, { withFileTypes: true })
      .filter(entry => !entry.isDirectory() && existsSync(at(entry.name)))
      .filter(entry => entry.name !== "linked")
      .map(({ name }) => [name, readFileSync(at(name)).toString("hex")]),
  );

async function refused(expected: RegExp, ...args: readonly string[]): Promise<void> {
  const before = contents();
  const { code, stdout, stderr } = await invoke(...args);
  expect(stderr, args.join(" ")).toMatch(expected);
  expect({ code, stdout }, args.join(" ")).toEqual({ code: 2, stdout: "" });
  expect(stderr.split("\n"), args.join(" ")).toHaveLength(2);
  expect(contents(), args.join(" ")).toEqual(before);
}

const size = ["--seq", "8", "--head-dim", "4", "--check", "none", "--engine", "cpu"];

describe("run", () => {
  it("keeps its inputs", async () => {
    for (const name of ["q", "k", "v"]) {
      const made = await invoke("run", ...size, "--output", at(`${name}.npy`));
      expect(made.code, made.stderr).toBe(0);
    }
    const inputs = ["--q", at("q.npy"), "--k", at("k.npy"), "--v", at("v.npy"), "--check", "none"];
    const names = namesOf(at("k.npy"), ".npy");
    for (const name of names) {
      await refused(
        /^fusemax: --output: got .*, (the file of --k|the input .*); expected a path/,
        "run",
        ...inputs,
        "--output",
        name,
      );
      await refused(
        /^fusemax: --resume: got .*, (the file of --k|the input .*); expected/,
        "run",
        ...inputs,
        "--resume",
        name,
      );
    }
    expect(names.length).toBe(6);
  });

  it.each([[false], [true]])("keeps its outputs apart, there before: %s", async before => {
    if (before) writeFileSync(at("av.safetensors"), "before");
    const tile = ["--dump-tile", "0,0,0,0", "--dump"];
    for (const name of namesOf(at("av.safetensors"), ".safetensors")) {
      await refused(
        /^fusemax: --dump: got .*, the file of --output; expected a path of its own\n/,
        ...["run", ...size, "--output", at("av.safetensors"), ...tile, name],
      );
    }
  });

  it("keeps the lock of --resume apart", async () => {
    symlinkSync("kept.npy.lock", at("x.npy"));
    await refused(
      /^fusemax: --resume: got .*kept\.npy\.lock, the file of --output; expected/,
      ...["run", ...size, "--output", at("x.npy"), "--resume", at("kept.npy")],
    );
  });

  it("writes through a link that leads nowhere yet", async () => {
    symlinkSync("sub/made.npy", at("link.npy"));
    expect((await invoke("run", ...size, "--output", at("link.npy"))).code).toBe(0);
    expect(readFileSync(at("sub/made.npy")).subarray(1, 6).toString()).toBe("NUMPY");
  });
});

describe("the other commands", () => {
  const workload = (): string => {
    writeFileSync(at("w.yaml"), readFileSync(join(specs, "workloads/bert.yaml")));
    return at("w.yaml");
  };

  it("sweep keeps outputs and the file of --resume apart", async () => {
    writeFileSync(at("a.csv"), "before");
    const names = namesOf(at("a.csv"), ".csv");
    for (const name of names)
      await refused(/^fusemax: --out: got .*, the file of --out; /, "sweep", "--out", at("a.csv"), name);
    for (const name of names)
      await refused(/^fusemax: --resume: got .*, the file of --out; /, "sweep", "--out", at("a.csv"), "--resume", name);
  });

  it("sweep, traffic-bound and trace keep their specs", async () => {
    for (const [n, name] of namesOf(workload(), ".yaml").entries()) {
      const out = at(`out-${n}.svg`);
      symlinkSync(name, out);
      for (const args of [
        ["sweep", "--model", at("w.yaml"), "--out", out],
        ["sweep", "--model", at("w.yaml"), "--resume", name],
        ["traffic-bound", "--model", at("w.yaml"), "--seq", "1K", "--chart", out],
        ["trace", "--model", at("w.yaml"), "--seq", "4K", "--out", out],
      ]) {
        await refused(/^fusemax: --\w+: got .*, the input .*w\.yaml; expected a path of its own\n/, ...args);
      }
    }
  });

  it("trace keeps its outputs apart", async () => {
    for (const name of namesOf(at("a.svg"), ".svg"))
      await refused(/^fusemax: --out: got .*, the file of --out; /, "trace", "--seq", "4K", "--out", at("a.svg"), name);
  });
});

it("keeps what standard output goes to", () => {
  const program = resolve(import.meta.dirname, "../../dist/cli/main.js");
  for (const path of ["a.csv", "link.csv"]) {
    if (path === "link.csv") symlinkSync("a.csv", at(path));
    const file = openSync(at("a.csv"), "w");
    const { status, stderr } = spawnSync(process.execPath, [program, "sweep", "--out", at(path)], {
      stdio: ["ignore", file, "pipe"],
      encoding: "utf8",
    });
    closeSync(file);
    expect(stderr).toMatch(/^fusemax: --out: got .*\.csv, the file of standard output; expected a path of its own\n$/);
    expect(status).toBe(2);
  }
});
