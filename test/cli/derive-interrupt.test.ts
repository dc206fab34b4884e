import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";
import { parseCascade } from "../../src/einsum/cascade.js";
import { compareCascades } from "../../src/einsum/equal.js";

const program = resolve(import.meta.dirname, "../../dist/cli/main.js");
const folder = mkdtempSync(join(tmpdir(), "fusemax-derive-ends-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Attention, whose division is soon deferred, beside many sums that take long to go through. */
const many = (() => {
  const rows = Array.from({ length: 8 }, (_, i) =>
    ["G# = X#[m] :: max(m)", "N#[m] = exp(X#[m] - G#)", "D# = N#[m]", "Y# = G# + log(D#)"]
      .join("\n")
      .replaceAll("#", `${i}`),
  );
  const heads =
    "QK[m,p] = Q[e,p] * K[e,m]\nGM[p] = QK[m,p] :: max(m)\nSN[m,p] = exp(QK[m,p] - GM[p])\nSD[p] = SN[m,p]\nA[m,p] = SN[m,p] / SD[p]\nAV[f,p] = A[m,p] * V[f,m]";
  return [heads, ...rows].join("\n");
})();

/** What is printed when the search is interrupted after a while. */
async function interrupted(milliseconds: number): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const args = ["derive", "many.cascade", "--rank", "M", "--out", "best.cascade"];
  const child = spawn(process.execPath, [program, ...args], { cwd: folder });
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", data => (said.stdout += data));
  child.stderr.on("data", data => (said.stderr += data));
  const end = new Promise<number | null>(done => child.on("close", done));
  await new Promise(done => setTimeout(done, milliseconds));
  child.kill("SIGINT");
  return { code: await end, ...said };
}

it("Ctrl-C ends a search with the best so far, printed and written", async () => {
  writeFileSync(join(folder, "many.cascade"), many);
  // The first answer takes some hundred milliseconds of work; a loaded machine takes longer.
  let said = await interrupted(2000);
  for (const wait of [6000, 18_000]) if (said.stdout === "") said = await interrupted(wait);
  expect(said.code, "it has not ended before").toBe(130);
  expect(said.stderr).toMatch(/fusemax: interrupted\n$/);
  expect(said.stdout).toMatch(
    /^many over M: from 3 passes to [12] \(\d+ cascades tried, not all that the laws reach\)/,
  );
  expect(readdirSync(folder).sort()).toEqual(["best.cascade", "many.cascade"]);
  const best = parseCascade(readFileSync(join(folder, "best.cascade"), "utf8"));
  expect(best.headers.get("title")).toMatch(/^many: [12] pass(es)? over M, derived$/);
  expect(compareCascades(parseCascade(many), best, { trials: 1 }).equal).toBe(true);
});
