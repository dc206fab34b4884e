import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { values } from "./public-api.js";

const root = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "fusemax-api-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Exported {
  readonly name: string;
  /** What the module that defines it calls it. */
  readonly own: string;
  readonly module: string;
  readonly isType: boolean;
}

/** What an entry point exports, from its text. */
function exportsOf(entry: string): readonly Exported[] {
  const text = readFileSync(join(root, "src", entry), "utf8");
  return [...text.matchAll(/^export (type )?\{([^}]*)\} from "\.\/([\w/-]+)\.js";$/gm)].flatMap(
    ([, allTypes, names = "", module = ""]) =>
      names
        .split(",")
        .map(name => name.trim())
        .filter(name => name !== "")
        .map(written => {
          const [own = "", name = own] = written.replace(/^type /, "").split(" as ");
          return { name, own, module, isType: allTypes !== undefined || written.startsWith("type ") };
        }),
  );
}

const entries = { fusemax: exportsOf("index.ts"), "fusemax/node": exportsOf("node.ts") };
const exported = [...entries.fusemax, ...entries["fusemax/node"]].filter(({ isType }) => !isType);
const valuesOf = (all: readonly Exported[]) => all.flatMap(({ name, isType }) => (isType ? [] : [name])).sort();

/** The docstring that is directly above a definition. */
function docstringOf({ own, module }: Exported): string {
  const text = readFileSync(join(root, "src", `${module}.ts`), "utf8");
  const at = text.search(new RegExp(`^export (async function|function|const|class) ${own}\\b`, "m"));
  const before = text.slice(0, at);
  return at !== -1 && before.endsWith("*/\n") ? before.slice(before.lastIndexOf("/**")) : "";
}

const exampleOf = (docstring: string): string =>
  (/ \* @example\n \* ```ts\n([\s\S]*?) \* ```/.exec(docstring)?.[1] ?? "").replaceAll(/^ \* ?/gm, "");

describe("the public API", () => {
  it("exports exactly the values that are listed: another one is a promise to keep", () => {
    expect(valuesOf(entries.fusemax)).toEqual(values.fusemax);
    expect(valuesOf(entries["fusemax/node"])).toEqual(values["fusemax/node"]);
  });

  it("law: what is imported from the built package is that list", () => {
    const print = "const [a, b] = [await import('fusemax'), await import('fusemax/node')];";
    const script = `${print} console.log(JSON.stringify([Object.keys(a).sort(), Object.keys(b).sort()]))`;
    const answer = execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: root });
    const all = [...values.fusemax, ...values["fusemax/node"]].sort();
    expect(JSON.parse(String(answer))).toEqual([values.fusemax, all]);
  });

  // Errors are caught and looked at; one example is enough for all of their classes.
  const needsExample = exported.filter(({ name }) => !name.endsWith("Error") || name === "FusemaxError");
  it.each(needsExample.map(own => [own.name, own] as const))("law: %s has a docstring with an example", (_, own) => {
    expect(exampleOf(docstringOf(own))).toMatch(/from "fusemax(\/node)?";/);
  });
});

/** Examples for a page or a GPU: compiled and not run. */
const notRun = new Set(["webWasmHost", "webGpuEngine", "openTrustedWebGpu", "haltDevices"]);

describe("the examples of the docstrings", () => {
  const examples = new Map(exported.map(own => [own.name, exampleOf(docstringOf(own))]));
  const modules = join(folder, "node_modules");

  it("law: all compile in a strict program", () => {
    mkdirSync(modules);
    symlinkSync(root, join(modules, "fusemax"));
    symlinkSync(join(root, "node_modules/@types"), join(modules, "@types"));
    symlinkSync(join(root, "node_modules/@webgpu"), join(modules, "@webgpu"));
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
    const target = { target: "ES2022", module: "NodeNext", lib: ["ES2023", "DOM"], types: ["node", "@webgpu/types"] };
    const compilerOptions = { ...strict, ...target, skipLibCheck: true, outDir: "out" };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
    for (const [name, example] of examples) if (example !== "") writeFileSync(join(folder, `${name}.ts`), example);
    const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });
    expect(stdout).toBe("");
  });

  it("law: each prints what the comments beside its console.log say", () => {
    const wanted = Object.fromEntries(
      [...examples]
        .filter(([name, example]) => example !== "" && !notRun.has(name))
        .map(([name, example]) => [name, [...example.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, v]) => v)]),
    );
    expect(Object.values(wanted).flat().length).toBeGreaterThan(40);
    const runner = `
      import { writeFileSync } from "node:fs";
      import { format } from "node:util";
      const printed = {};
      for (const name of ${JSON.stringify(Object.keys(wanted))}) {
        printed[name] = [];
        console.log = (...all) => printed[name].push(format(...all));
        await import("./out/" + name + ".js");
      }
      writeFileSync("printed.json", JSON.stringify(printed));
      process.exit(0);`;
    writeFileSync(join(folder, "run.mjs"), runner);
    expect(readdirSync(join(folder, "out")).length).toBeGreaterThanOrEqual(Object.keys(wanted).length);
    execFileSync(process.execPath, ["run.mjs"], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
    expect(JSON.parse(readFileSync(join(folder, "printed.json"), "utf8"))).toEqual(wanted);
  });
});

describe("the API pages", () => {
  it("law: TypeDoc builds them without a warning", () => {
    const typedoc = join(root, "scripts/api-pages/node_modules/typedoc/bin/typedoc");
    const options = ["--options", "scripts/api-pages/typedoc.json", "--out", join(folder, "pages")];
    const { status, stdout, stderr } = spawnSync(process.execPath, [typedoc, ...options], {
      cwd: root,
      encoding: "utf8",
    });
    expect(status, `${stdout}${stderr}`).toBe(0);
    expect(readdirSync(join(folder, "pages"))).toContain("index.html");
  });
});
