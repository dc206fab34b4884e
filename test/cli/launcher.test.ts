import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseAst } from "vite";
import { afterAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const program = join(root, "dist/cli/main.js");
const folder = mkdtempSync(join(tmpdir(), "fusemax-launcher-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("an old Node", () => {
  const asNode = (version: string) => {
    const fake = join(folder, `${version}.cjs`);
    const define = (name: string, value: string) =>
      `Object.defineProperty(process${name}, { value: ${JSON.stringify(value)} });\n`;
    writeFileSync(fake, define(`, "version"`, version));
    return spawnSync(process.execPath, ["--require", fake, program, "taxonomy"], { encoding: "utf8" });
  };

  it.each(["v12.22.12", "v18.20.4", "v20.0.0", "v20.18.3"])("%s: is told in a line which one is needed", version => {
    const { status, stdout, stderr } = asNode(version);
    expect(stderr).toBe(`fusemax: got Node ${version}; expected Node 20.19 or newer; see https://nodejs.org\n`);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });

  it.each(["v20.19.0", "v21.0.0", "v24.1.0"])("%s: runs", version => {
    expect(asNode(version)).toMatchObject({ status: 0, stderr: "" });
  });

  it("is the one that package.json declares too old", () => {
    const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { engines: { node: string } };
    expect(engines.node).toBe(">=20.19");
  });

  it("reads the launcher: it has the syntax of 2015, one import() of it, and no import of anything else", () => {
    const types = new Set<string>();
    const visit = (node: unknown): void => {
      if (typeof node !== "object" || node === null) return;
      if ("type" in node && typeof node.type === "string") types.add(node.type);
      for (const part of Object.values(node)) visit(part);
    };
    const text = readFileSync(program, "utf8");
    visit(parseAst(text));
    expect(
      [...types].filter(type => /^(Import|Export|Await|Chain|Private|StaticBlock|Async)/.test(type)).sort(),
    ).toEqual([
      "ExportNamedDeclaration", // the empty one of the compiler: a module
      "ImportExpression",
    ]);
    expect(text).toMatch(/\nexport \{\};\s*$/);
    expect(text).not.toMatch(/\?\?|\?\.|\*\*|\basync\b|\bawait\b|\.at\(|\.replaceAll\(/);
  });
});

describe("a terminal without escape sequences", () => {
  const escapeCharacter = "\u001b";
  const command = `"${process.execPath}" "${program}" run --engine cpu --seq 1K --check none`;
  /** What the program writes to a terminal: script(1) gives it one. */
  const onTerminal = (env: NodeJS.ProcessEnv): Promise<string> =>
    new Promise(done => {
      const child = spawn("script", ["-qec", command, "/dev/null"], { env: { ...process.env, ...env } });
      let text = "";
      child.stdout.on("data", data => (text += data));
      child.on("close", () => done(text));
    });
  const hasScript = existsSync("/usr/bin/script");

  it.skipIf(!hasScript).each([
    ["TERM=dumb", { TERM: "dumb" }],
    ["NO_COLOR", { TERM: "xterm", NO_COLOR: "1" }],
  ])("gets none with %s", async (_, env) => {
    const text = await onTerminal({ ...env, FORCE_COLOR: undefined });
    expect(text).toContain("sha256");
    expect(text).not.toContain(escapeCharacter);
  });

  it.skipIf(!hasScript)("and another gets a bar", async () => {
    expect(await onTerminal({ TERM: "xterm", NO_COLOR: "" })).toContain(escapeCharacter);
  });

  it("gets none where it is no terminal, whatever colours are forced", () => {
    const { stdout, stderr } = spawnSync("sh", ["-c", command], {
      encoding: "utf8",
      env: { ...process.env, FORCE_COLOR: "3", TERM: "xterm-256color" },
    });
    expect(stdout + stderr).not.toContain(escapeCharacter);
  });
});
