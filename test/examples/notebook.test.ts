import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ModelResults } from "../../src/report/model-result.js";
import { invoke } from "../cli/invoke.js";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "fusemax-notebook-"));
afterAll(() => rmSync(folder, { recursive: true }));

const python = (args: readonly string[], fusemax = `"${process.execPath}" "${join(root, "dist/cli/main.js")}"`) =>
  spawnSync("python3", args, {
    cwd: join(root, "examples/notebook"),
    encoding: "utf8",
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", FUSEMAX: fusemax },
  });
const hasNumpy = python(["-c", "import numpy"]).status === 0;
const hasMatplotlib = python(["-c", "import matplotlib"]).status === 0;
if (!hasNumpy) console.warn("examples/notebook is not run: there is no python3 with numpy");
else if (!hasMatplotlib) console.warn("the figure of examples/notebook is not drawn: python3 has no matplotlib");

describe.runIf(hasNumpy)("examples/notebook", () => {
  const figure = join(folder, "compare.png");
  const { status, stdout, stderr } = python(["compare.py", ...(hasMatplotlib ? [figure] : [])]);

  it("prints the speedups that the command's JSON has", async () => {
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const args = ["model", "--design", "unfused,fusemax", "--seq", "1K", "--accounting", "corrected", "--json"];
    const { results } = JSON.parse((await invoke(...args)).stdout) as ModelResults;
    const [unfused, fusemax] = results.map(({ latencySeconds }) => latencySeconds);
    const row = stdout.split("\n").find(line => line.startsWith("fusemax ")) ?? "";
    expect(Number(row.split(/ +/)[1])).toBe(Number(((unfused ?? 0) / (fusemax ?? 0)).toPrecision(4)));
  });

  it.runIf(hasMatplotlib)("draws a PNG", () => {
    expect(readFileSync(figure).subarray(1, 4).toString()).toBe("PNG");
  });

  it("law: a command that fails is an exception with its one line", () => {
    const { stdout } = python([
      "-c",
      "from fusemax_json import fusemax\ntry:\n  fusemax('model', '--seq', 'x')\nexcept RuntimeError as e:\n  print(e)",
    ]);
    expect(stdout).toMatch(/^fusemax: --seq: got "x"; expected .*\n$/);
  });
});
