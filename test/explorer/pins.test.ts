import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { seriousFindings } from "./page.js";
import { stage } from "./stage.js";

const on = stage();

/** Workers are at work, and others share the processor. */
const slow = { timeout: 30_000 };

const pin = (page: Page) => page.getByRole("button", { name: "Pin these settings to compare" }).click();
/** Rows of the table of what is now and what is pinned. */
const rowsOf = (page: Page) =>
  page
    .getByRole("region", { name: "Now and pinned" })
    .locator("tbody tr")
    .evaluateAll(rows => rows.map(row => [...row.children].map(cell => cell.textContent ?? "")));

test("pinned settings stand beside the present ones in Schedule, with the difference", async () => {
  const { page, complaints, close } = await on.visit({ fragment: "#1/schedule?scheduleSeq=1K" });
  const cyclesNow = () => page.locator(".charts table td").first().textContent();
  const simulated = async () => {
    const table = page.getByRole("region", { name: "Simulated and published" });
    return table.locator("tbody tr td").first().textContent();
  };
  await page.locator("[data-chart=waterfall] svg").waitFor();
  const before = await simulated();
  await pin(page);
  await page.selectOption('select[name="design"]', "architecture");
  await expect.poll(simulated, slow).not.toBe(before);
  await expect
    .poll(async () => (await rowsOf(page))[0]?.slice(0, 3), slow)
    .toEqual(["cycles", await simulated(), before]);
  const [, now, pinned, times] = (await rowsOf(page))[0] ?? [];
  const value = (text: string | undefined) => Number(text?.replaceAll(",", ""));
  expect(times).toBe((value(now) / value(pinned)).toPrecision(4));
  expect(await cyclesNow()).toBe(now);
  await page.getByText(/^Pinned: \+Binding \(FuseMax\), BERT 1K/).waitFor();
  await page.getByRole("button", { name: "Swap" }).click();
  await expect.poll(simulated, slow).toBe(before);
  expect(complaints).toEqual([]);
  await close();
});

test("pinned settings stand beside the present ones in Sweep, cell by cell", async () => {
  const pinned = encodeURIComponent("1/sweep?batch=1");
  const { page, complaints, close } = await on.visit({
    fragment: `#1/sweep?sweepX=rows&sweepY=columns&batch=2&pin=${pinned}`,
  });
  const marks = () =>
    page.$$eval("[data-chart=sweep-pinned] svg title", all => all.slice(1).map(title => title.textContent ?? ""));
  await expect
    .poll(async () => (await marks()).filter(mark => mark.includes("times the pinned")).length, slow)
    .toBe(64);
  expect(new Set((await marks()).map(mark => mark.replace(/^.*: /, "")))).toEqual(new Set(["2.000 times the pinned"]));
  expect(await seriousFindings(page)).toEqual([]);
  expect(complaints).toEqual([]);
  await close();
});

test("pinned results stand beside the present ones in Numerics, with the elements that differ", async () => {
  const { page, complaints, close } = await on.visit({ fragment: "#1/numerics?queries=8&keys=16&E=8&F=8" });
  await page.locator("[data-sha256]").waitFor({ timeout: 30_000 });
  await pin(page);
  await page.locator('input[name="seed"]').fill("1");
  const before = await page.locator("[data-sha256]").textContent();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect.poll(() => page.locator("[data-sha256]").textContent(), slow).not.toBe(before);
  const [[arithmetic, other, rms, pinned, times, , , , differs] = []] = await rowsOf(page);
  expect([arithmetic, other, differs]).toEqual(["bf16", "bf16", "64 of 64"]);
  expect(Number(times)).toBeCloseTo(Number(rms) / Number(pinned), 1);
  await page.getByRole("button", { name: "Swap" }).click();
  await expect.poll(() => page.locator("[data-sha256]").textContent()).toBe(before);
  await expect.poll(() => page.locator("[data-stale]").count()).toBe(0);
  await page.getByRole("button", { name: "Unpin" }).click();
  await expect.poll(() => page.getByRole("region", { name: "Now and pinned" }).count()).toBe(0);
  expect(complaints).toEqual([]);
  await close();
});
