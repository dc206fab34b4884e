import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listAdapters } from "../../src/platform/adapters.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;

function start(
  program: string,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly stderr: string }> {
  return new Promise(resolve =>
    execFile(program, args, { cwd: root }, (error, _, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stderr }),
    ),
  );
}

const report = (...args: readonly string[]) => start(process.execPath, "dist/bench/gpu/main.js", ...args);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fusemax-"));
  const { code } = await start(process.execPath, "node_modules/typescript/bin/tsc", "-p", "bench/tsconfig.json");
  expect(code).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("npm run gpu:report", () => {
  const parts = ["--rehearse", "--only", "adapter,phases"];

  it("rehearsed on a software adapter, writes its parts as JSON and Markdown, and says that they are no GPU's", async () => {
    const { code, stderr } = await report("--out", folder, ...parts);
    expect(stderr).toMatch(/^adapter: .*\nphases: /);
    expect(code).toBe(0);
    const json = JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) as {
      readonly outcomes: readonly { readonly name: string; readonly section: { readonly rows: readonly unknown[] } }[];
    };
    expect(json.outcomes.map(({ name }) => name)).toEqual(["adapter", "phases"]);
    for (const { section } of json.outcomes) expect(section.rows.length).toBeGreaterThan(2);
    const page = readFileSync(join(folder, "report.md"), "utf8");
    expect(page).toContain("no number here is a GPU's");
    expect(page).toMatch(/\| attention-rows bf16 \| \d+ \| [\d.]+ \| [\d.]+% \|/);
  });

  it("law: what is there is not run again, and a report of another setting is not overwritten", async () => {
    const before = readFileSync(join(folder, "report.json"), "utf8");
    const again = await report("--out", folder, ...parts);
    expect([again.code, again.stderr]).toEqual([0, ""]);
    expect(readFileSync(join(folder, "report.json"), "utf8")).toBe(before);
    const other = await report("--out", folder, ...parts, "--peak", "60");
    expect([other.code, other.stderr]).toEqual([
      2,
      expect.stringMatching(/^.*report.json: is of another adapter.*\n$/),
    ]);
    expect(readFileSync(join(folder, "report.json"), "utf8")).toBe(before);
  });

  it("takes no software adapter for a GPU", async () => {
    const { adapters } = await listAdapters({ bundled: false });
    if (adapters.some(({ hardware }) => hardware)) return;
    const target = join(folder, "none");
    const { code, stderr } = await report("--out", target);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^no hardware adapter; .*--rehearse takes a software adapter\n$/);
    expect(existsSync(target)).toBe(false);
    expect((await report("--out", target, "--peak", "fast")).code).toBe(2);
  });
});
