/**
 * Keeps the `// #import FILE: names` lines at the head of every shader: which names the file uses that others declare.
 *
 *   node scripts/shader-imports.mjs           # exit code 1 where a head is not as the text asks for
 *   node scripts/shader-imports.mjs --write   # write them
 *
 * `host` stands for what src/emulator/webgpu declares in front of a kernel; `a | b` for files of which a kernel has one.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assembledKernel, assembledNames } from "../dist/emulator/webgpu/assembled.js";
import { specFiles } from "../dist/io/spec-files.js";
import { loadArithmetic } from "../dist/spec/load.js";

const folder = fileURLToPath(new URL("../shaders/", import.meta.url));
const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter(file => file.endsWith(".wgsl"))
  .map(file => file.slice(0, -".wgsl".length).replaceAll("\\", "/"))
  .sort();
const textOf = name => readFileSync(`${folder}${name}.wgsl`, "utf8");
const code = text => text.replaceAll(/\/\/.*$/gm, "");

/** Names declared at the top level. */
const declaredIn = text =>
  new Set(
    [
      ...code(text).matchAll(/^(?:@\w+(?:\([^)]*\))?\s*)*(?:fn|struct|const|alias|override|var(?:<[^>]*>)?)\s+(\w+)/gm),
    ].map(([, name]) => name),
  );

/** Names of values and parameters inside of functions, and of members. */
const localIn = text =>
  new Set([
    ...[...code(text).matchAll(/^\s+(?:let|var|const)\s+(\w+)/gm)].map(([, name]) => name),
    ...[...code(text).matchAll(/\bvar (\w+)/g)].map(([, name]) => name),
    ...[...code(text).matchAll(/[(,]\s*(?:@\w+\([^)]*\)\s*)?(\w+)\s*:/g)].map(([, name]) => name),
    ...[...code(text).matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name),
  ]);

const usedIn = text => new Set([...code(text).matchAll(/(?<![.\w])([A-Za-z_]\w*)/g)].map(([, name]) => name));

const files = new Map(names.map(name => [name, textOf(name)]));
const declarers = new Map();
for (const [name, text] of files) {
  for (const declared of declaredIn(text)) declarers.set(declared, [...(declarers.get(declared) ?? []), name]);
}
// What no file declares and a whole kernel does comes from the host.
for (const kernel of assembledNames) {
  for (const arithmetic of ["bf16", "fp32", "mxfp8", "nvfp4", "fa4-fp8", "hopper-fp8"]) {
    let whole = "";
    try {
      whole = assembledKernel(kernel, loadArithmetic(specFiles, arithmetic), textOf);
    } catch {
      continue; // a kernel that is not there in this arithmetic
    }
    for (const declared of declaredIn(whole)) if (!declarers.has(declared)) declarers.set(declared, ["host"]);
  }
}

const isShared = name => name.startsWith("shared/");

/** A kernel's own names are for the files that it brings in; what these share among them is theirs first. */
function sourcesOf(used, name) {
  const others = (declarers.get(used) ?? []).filter(file => file !== name);
  const shared = others.filter(file => isShared(file) || file === "host");
  return shared.length > 0 || !isShared(name) ? shared : others;
}

/** The lines that a file's head should have. */
function importsOf(name, text) {
  const [own, local] = [declaredIn(text), localIn(text)];
  const groups = new Map();
  for (const used of usedIn(text)) {
    const from = own.has(used) || local.has(used) || used === "main" ? [] : sourcesOf(used, name);
    if (from.length === 0) continue;
    const key = from.join(" | ");
    groups.set(key, [...(groups.get(key) ?? []), used]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([from, all]) => `// #import ${from}: ${all.sort().join(", ")}`);
}

const write = process.argv.includes("--write");
let wrong = 0;
for (const [name, text] of files) {
  const lines = text.split("\n");
  const bare = lines.filter(line => !line.startsWith("// #import "));
  // After the head's comment, which ends at the first line that is none.
  const end = bare.findIndex(line => !line.startsWith("//"));
  const wanted = importsOf(name, text);
  const made = [...bare.slice(0, end), ...wanted, ...bare.slice(end)].join("\n");
  if (made === text) continue;
  if (write) writeFileSync(`${folder}${name}.wgsl`, made);
  else {
    wrong += 1;
    process.stdout.write(`shaders/${name}.wgsl: its head should have\n${wanted.join("\n")}\n`);
  }
}
process.exitCode = wrong > 0 ? 1 : 0;
