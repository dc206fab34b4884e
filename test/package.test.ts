import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** The built package as its users get it. */
const root = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "fusemax-package-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => expect(existsSync(join(root, "dist/index.js")), "run `npm run build` first").toBe(true));

interface Packed {
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

describe("npm pack", () => {
  it("takes what runs and what it reads, and nothing else", () => {
    const answer = execFileSync("npm", ["pack", "--dry-run", "--ignore-scripts", "--json"], { cwd: root });
    const [{ files, unpackedSize }] = JSON.parse(String(answer)) as [Packed];
    const kinds = new Set(files.map(({ path }) => path.replace(/^dist\/(?!wasm).*\.(js|d\.ts)$/, "dist/*.$1")));
    const others = [...kinds].filter(path => !/^(specs\/.*\.(yaml|cascade)|shaders\/.*\.wgsl)$/.test(path)).sort();
    expect(others).toEqual([
      "LICENSE",
      "README.md",
      "dist/*.d.ts",
      "dist/*.js",
      "dist/wasm/attention-fused.wasm",
      "dist/wasm/attention.wasm",
      "package.json",
    ]);
    expect(files.filter(({ path }) => /^dist\/(bench|examples|explorer|test)\//.test(path))).toEqual([]);
    expect(unpackedSize).toBeLessThan(3.9e6);
  });
});

/** The programs that the documents show. */
const documented = ["README.md", ...readdirSync(join(root, "docs")).map(name => `docs/${name}`)]
  .filter(name => name.endsWith(".md"))
  .flatMap(name => {
    const text = readFileSync(join(root, name), "utf8");
    return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, program = ""]) => [name, program] as const);
  });

describe("types", () => {
  const program = `
    import { type AttentionProblem, emulate, formatArithmetics, generateNormal, noMask } from "fusemax";
    import { chooseEngine, loadCascade } from "fusemax/node";
    const problem: AttentionProblem = {
      shape: { batch: 1, heads: 1, kvHeads: 1, queries: 8, keys: 8, headDim: 4, valueDim: 4 },
      mask: noMask,
      tile: { m0: 4, p0: 4 },
      arithmetic: formatArithmetics.bf16,
      scale: 0.5,
    };
    const [q, k, v] = [generateNormal(0, "q", 32), generateNormal(0, "k", 32), generateNormal(0, "v", 32)];
    const { engine } = await chooseEngine("auto", problem.arithmetic);
    const { av, sha256 } = await emulate(problem, { q, k, v }, { engine });
    export const found: readonly [number, string, string] = [av.length, sha256, loadCascade("softmax").name];
  `;

  /** What TypeScript says of a program that uses the package, libraries checked too. */
  function compile(program: string, more: object): string {
    const modules = join(folder, "node_modules");
    if (!existsSync(modules)) {
      mkdirSync(modules);
      symlinkSync(root, join(modules, "fusemax"));
      symlinkSync(join(root, "node_modules/@types"), join(modules, "@types"));
    }
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "program.ts"), program);
    const options = { target: "ES2022", module: "NodeNext", strict: true, skipLibCheck: false, noEmit: true };
    const compilerOptions = { ...options, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, ...more };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
    const compiler = join(root, "node_modules/.bin/tsc");
    const { stdout, status } = spawnSync(compiler, ["-p", folder], { encoding: "utf8" });
    return status === 0 ? stdout : `${stdout} status ${status}`;
  }

  it.each([
    ["with TypeScript's defaults", {}],
    ["for Node alone", { lib: ["ES2022"], types: ["node"] }],
  ])("law: a strict program sees them all, %s", (_, more) => expect(compile(program, more)).toBe(""));

  it.each(documented)("law: the programs in the documents compile: %s", (_, shown) => {
    expect(compile(shown, {})).toBe("");
  });
});
