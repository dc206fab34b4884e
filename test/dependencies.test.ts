import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  /** A workspace: a folder of this repository. */
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const { dependencies, workspaces } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly workspaces: readonly string[];
};

/** Licences that ask for nothing but their text. */
const permissive = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"];

/** Those that run a program as they are installed. */
const withScripts = ["webgpu"];

/** All that an installed fusemax brings: dependencies and theirs. */
function runtimePackages(): ReadonlyMap<string, Locked> {
  const found = new Map<string, Locked>();
  const visit = (name: string): void => {
    const at = `node_modules/${name}`;
    const locked = packages[at];
    if (locked === undefined || found.has(name)) return;
    found.set(name, locked);
    for (const needed of Object.keys({ ...locked.dependencies, ...locked.optionalDependencies })) visit(needed);
  };
  for (const name of Object.keys(dependencies)) visit(name);
  return found;
}

it("law: every package that runs has a licence that lets all use it, and none but those known runs a program as it is installed", () => {
  const found = runtimePackages();
  expect([...found.keys()]).toEqual(expect.arrayContaining(Object.keys(dependencies)));
  for (const [name, { license, hasInstallScript, dev }] of found) {
    const folder = join(root, "node_modules", name);
    const declared = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { readonly license?: string };
    // "(A AND B)": parts of the package have one, parts the other.
    const licences = declared.license?.replace(/^\((.*)\)$/, "$1").split(" AND ") ?? [""];
    expect(permissive, `${name}: ${declared.license}`).toEqual(expect.arrayContaining(licences));
    expect(license, name).toBe(declared.license);
    expect({ hasInstallScript: hasInstallScript === true, dev }, name).toEqual({
      hasInstallScript: withScripts.includes(name),
      dev: undefined,
    });
  }
});

it("law: every package of the lock file comes from the registry, with its digest", () => {
  for (const [name, { resolved, integrity, link }] of Object.entries(packages)) {
    if (name === "" || workspaces.includes(name)) continue;
    if (link === true) {
      expect(workspaces, name).toContain(resolved);
      continue;
    }
    if (resolved !== undefined) expect(resolved, name).toMatch(/^https:\/\/registry\.npmjs\.org\//);
    expect(integrity, name).toMatch(/^sha512-/);
  }
});

it("law: the lock file names every optional package of those it has, so that no install adds to it", () => {
  for (const [name, { optionalDependencies = {} }] of Object.entries(packages)) {
    for (const optional of Object.keys(optionalDependencies)) {
      const places = [`${name}/node_modules/${optional}`, `node_modules/${optional}`];
      expect(
        places.some(place => packages[place] !== undefined),
        `${optional} of ${name}`,
      ).toBe(true);
    }
  }
});

it("law: npm leaves the lock file as it is", () => {
  const folder = mkdtempSync(join(tmpdir(), "fusemax-lock-file-"));
  try {
    for (const file of ["package.json", "package-lock.json"]) copyFileSync(join(root, file), join(folder, file));
    for (const workspace of workspaces) {
      mkdirSync(join(folder, workspace), { recursive: true });
      copyFileSync(join(root, workspace, "package.json"), join(folder, workspace, "package.json"));
    }
    const options = ["--package-lock-only", "--ignore-scripts", "--offline", "--no-audit", "--no-fund"];
    execFileSync("npm", ["install", ...options], { cwd: folder, stdio: "pipe" });
    const text = (of: string): string => readFileSync(join(of, "package-lock.json"), "utf8");
    expect(text(folder)).toBe(text(root));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
