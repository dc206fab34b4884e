import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-reproduce-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("fusemax reproduce", () => {
  it("writes the eight tables and eight figures, and says the headline numbers beside the paper's", async () => {
    const out = join(folder, "all");
    const { code, stdout, stderr } = await invoke("reproduce", "--out", out);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/attention speedup +FLAT +6\.72 +6\.72/);
    const tables = [
      "attn-arch",
      "attn-binding",
      "attn-cascade",
      "attn-flat",
      "attn-unfused",
      "end2end-flat",
      "end2end-proposal",
      "pareto",
    ];
    const figures = ["fig10", "fig11", "fig12", "fig6a", "fig6b", "fig7", "fig8", "fig9"];
    const expected = [...tables.map(t => `${t}.csv`), ...figures.map(f => `${f}.svg`), "summary.txt"];
    expect(readdirSync(out).sort()).toEqual(expected.sort());
  });

  it("draws figures that are well-formed, titled and say their units", async () => {
    const out = join(folder, "all");
    for (const name of readdirSync(out).filter(file => file.endsWith(".svg"))) {
      const svg = readFileSync(join(out, name), "utf8");
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
      expect(svg).toMatch(/<title>Figure/);
      expect(svg.match(/<(g|svg)\b/g)?.length).toBe(svg.match(/<\/(g|svg)>/g)?.length);
    }
  });

  it("prints only JSON with --json", async () => {
    const { code, stdout } = await invoke("reproduce", "attention", "--json", "--out", join(folder, "json"));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "fusemax.reproduce/1",
      study: "attention",
      accounting: "published",
    });
  });

  it("shows what a mapping search gains over the published mappings at 256K", async () => {
    const { stdout } = await invoke("reproduce", "attention", "--mapping", "search", "--out", join(folder, "search"));
    expect(stdout).toMatch(/3,632 mappings compared/);
    expect(stdout).toMatch(/Unfused +XLM +256K/);
  });

  it.each([
    [["reproduce", "fig6"], /study: got "fig6"; expected one of attention, end-to-end, pareto, corrections, all/],
    [["reproduce", "--correct", "all,typo"], /--correct: got "typo"; expected one of register-energy/],
    [["reproduce", "--mapping", "best"], /--mapping/],
  ])("%j is refused in one line", async (args, message) => {
    const { code, stdout, stderr } = await invoke(...args, "--out", join(folder, "refused"));
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain("\n");
  });

  it("refuses a folder that is a file", async () => {
    writeFileSync(join(folder, "file"), "");
    const { code, stderr } = await invoke("reproduce", "pareto", "--out", join(folder, "file"));
    expect(code).toBe(2);
    expect(stderr).toMatch(/expected a folder that can be written/);
  });
});
