import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { parseCsv } from "../../src/io/csv.js";
import { invoke } from "../cli/invoke.js";
import { marksOf, seriousFindings } from "./page.js";
import { stage } from "./stage.js";

const on = stage();

const finished = (page: Page) => page.locator(".charts[aria-busy=false]").waitFor({ timeout: 60_000 });

describe("Sweep", () => {
  test.each([
    "#1/sweep?model=xlm&sweepY=columns&sweepDesign=cascade",
    "#1/sweep?sweepX=bandwidth&sweepY=frequency&seq=4K&accounting=corrected&sweepDesign=flat",
  ])("%s has the points of its command", async fragment => {
    const folder = mkdtempSync(join(tmpdir(), "fusemax-"));
    const file = join(folder, "sweep.csv");
    const { page, complaints, close } = await on.visit({ fragment });
    await finished(page);
    const command = (await page.locator("[data-command]").textContent()) ?? "";
    const { code, stderr } = await invoke(...command.replace("sweep.csv", file).split(" ").slice(2));
    if (code !== 0) throw new Error(stderr);
    const printed = parseCsv(readFileSync(file, "utf8"));
    const latencies = printed.rows.map(row => Number(row[printed.columns.indexOf("latencySeconds")]));
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: /^Save CSV of .*latency \(s\)$/ }).click(),
    ]);
    const shown = parseCsv(readFileSync(await download.path(), "utf8"));
    const own = shown.rows.map(row => Number(row[shown.columns.indexOf("latency")]));
    // The command goes through the second setting slowest, or through lengths slowest: the points are the same.
    expect([...own].sort((a, b) => a - b)).toEqual([...latencies].sort((a, b) => a - b));
    expect(complaints).toEqual([]);
    rmSync(folder, { recursive: true });
    await close();
  });

  test("frames the settings as they are, tells cells to keys, and has no serious accessibility finding", async () => {
    const { page, close } = await on.visit({ fragment: "#1/sweep?sweepX=rows&sweepY=columns" });
    await finished(page);
    const marks = await marksOf(page, "sweep");
    expect(marks.length).toBe(64);
    expect(marks.some(mark => /^Array rows 256, Array columns 256: [\d.]+$/.test(mark))).toBe(true);
    expect(await page.locator("[data-chart=sweep] svg rect[stroke-width='3']").count()).toBe(1);
    await page.locator("[data-chart=sweep]").focus();
    await page.keyboard.press("ArrowRight");
    await expect
      .poll(() => page.locator("figure:has([data-chart=sweep]) .said").textContent())
      .toMatch(/^Array rows 8, Array columns 8: /);
    expect(await seriousFindings(page)).toEqual([]);
    await close();
  });

  test("can be stopped, and begins anew with other settings", async () => {
    const { page, close } = await on.visit({
      fragment: "#1/sweep?accounting=corrected&scope=layer&sweepX=rows&sweepY=columns",
    });
    await page.getByRole("button", { name: "Stop" }).click();
    await finished(page);
    const [, done = "0"] = /^(\d+) of 64/.exec((await page.locator(".run").textContent()) ?? "") ?? [];
    await page.waitForTimeout(500);
    expect(await page.locator(".run").textContent()).toMatch(new RegExp(`^${done} of 64 points`));
    await page.selectOption('select[name="sweepDesign"]', "unfused");
    await expect.poll(() => page.locator(".charts").getAttribute("aria-busy")).toBe("true");
    await page.selectOption('select[name="sweepX"]', "batch");
    await expect.poll(() => page.locator(".run").textContent()).toMatch(/of 88 points/);
    await close();
  });
});
