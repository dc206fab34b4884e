import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

/**
 * The law of the layers: imports point down only, `model` and `emulator` do not know each other, `reference` does
 * not know the PE, and Node's modules are used in `platform`, `io` and `cli` alone, so that the rest runs in a browser.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "errors.ts": [],
  numerics: ["errors.ts"],
  einsum: ["errors.ts", "numerics"],
  attention: ["errors.ts", "numerics"],
  spec: ["errors.ts", "numerics", "einsum", "attention"],
  program: ["errors.ts", "numerics", "attention", "einsum"],
  reference: ["errors.ts", "numerics", "attention", "einsum", "spec"],
  model: ["errors.ts", "numerics", "attention", "einsum", "spec"],
  emulator: ["errors.ts", "numerics", "attention", "einsum", "spec", "program", "reference"],
  "fusemax-array": ["errors.ts", "numerics", "attention", "spec"],
  report: ["errors.ts", "numerics", "attention", "einsum", "spec", "model", "emulator", "fusemax-array", "reference"],
  platform: ["errors.ts", "numerics", "attention", "einsum", "emulator", "report"],
  io: ["errors.ts", "numerics", "attention", "einsum", "spec", "model", "emulator", "reference", "report"],
};
const nodeAllowed = new Set(["platform", "io", "cli"]);
const root = resolve(import.meta.dirname, "../src");

const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(f => f.endsWith(".ts"));
const imports = new Map(
  files.map(file => {
    const text = readFileSync(join(root, file), "utf8");
    const found = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(m => String(m[1]));
    return [file, found] as const;
  }),
);
const layerOf = (file: string): string => file.split("/")[0] ?? file;

describe("layers", () => {
  it("finds the sources", () => expect(files.length).toBeGreaterThan(1));

  it("ARCHITECTURE.md names every folder of src", () => {
    const page = readFileSync(resolve(root, "../ARCHITECTURE.md"), "utf8");
    const folders = new Set(files.map(layerOf).filter(name => !name.endsWith(".ts")));
    expect([...page.matchAll(/^\| `([\w-]+)` +\|/gm)].map(([, name]) => name).sort()).toEqual([...folders].sort());
  });

  it.each([...imports])("%s imports nothing above it", (file, specifiers) => {
    const layer = layerOf(file);
    const allowed = mayImport[layer];
    for (const specifier of specifiers) {
      if (specifier.startsWith("node:") || specifier === "webgpu") {
        expect(nodeAllowed.has(layer), `${file} imports ${specifier}`).toBe(true);
      } else if (specifier.startsWith(".") && allowed !== undefined) {
        const target = layerOf(relative(root, resolve(root, dirname(file), specifier)));
        const ok = target === layer || allowed.includes(target.replace(/\.js$/, ".ts"));
        expect(ok, `${file} imports ${specifier}: ${layer} may not import ${target}`).toBe(true);
        if (layer === "reference") expect(specifier).not.toMatch(/numerics\/pe/);
      }
    }
  });

  it("gives the explorer's page nothing that needs Node", () => {
    const explorer = resolve(root, "../explorer");
    const needed = new Set<string>();
    const visit = (path: string): void => {
      if (needed.has(path)) return;
      needed.add(path);
      const text = readFileSync(path, "utf8");
      for (const [, specifier] of text.matchAll(/^(?:import|export) (?!type)[^;]*?from "([^"]+)"/gms)) {
        expect(specifier, `${relative(root, path)}, which the page needs`).not.toMatch(/^node:|^webgpu$/);
        const target = resolve(dirname(path), String(specifier)).replace(/\.js$/, ".ts");
        if (target.startsWith(root) && target.endsWith(".ts")) visit(target);
      }
    };
    for (const file of readdirSync(explorer, { recursive: true, encoding: "utf8" })) {
      if (/\.tsx?$/.test(file) && !file.startsWith("vite.config")) visit(join(explorer, file));
    }
    expect(needed.size).toBeGreaterThan(100);
  });

  it.each(["src", "explorer", "examples", "bench", "assembly"])("law: %s has no circles", folder => {
    const top = resolve(root, "..", folder);
    const all = readdirSync(top, { recursive: true, encoding: "utf8" }).filter(file => /\.tsx?$/.test(file));
    const importsOf = (file: string): readonly string[] =>
      [...readFileSync(join(top, file), "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].flatMap(
        ([, specifier = ""]) => {
          const target = relative(top, resolve(top, dirname(file), specifier)).replace(/\.js$/, "");
          return all.filter(other => other === target || other.replace(/\.tsx?$/, "") === target);
        },
      );
    const state = new Map<string, "open" | "done">();
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === "done") return;
      expect(state.get(file), `circle: ${[...path, file].join(" -> ")}`).not.toBe("open");
      state.set(file, "open");
      for (const target of importsOf(file)) visit(target, [...path, file]);
      state.set(file, "done");
    };
    expect(all.length).toBeGreaterThan(5);
    for (const file of all) visit(file, []);
  });
});
