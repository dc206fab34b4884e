import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { invoke } from "../cli/invoke.js";
import { marksOf, seriousFindings } from "./page.js";
import { stage } from "./stage.js";

const on = stage();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fusemax-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function open(fragment: string, scheme: "light" | "dark" = "light") {
  const visited = await on.visit({ fragment, scheme });
  await visited.page.locator("[data-chart=waterfall] svg").waitFor();
  await visited.page.locator("[data-chart=pes] svg").waitFor();
  return visited;
}

/** What the n-th command of the page prints, or writes to its file. */
async function told(page: Page, n: number): Promise<string> {
  const command = (await page.locator("[data-command]").nth(n).textContent()) ?? "";
  const file = join(folder, `${n}.svg`);
  const args = command
    .replace(/--out \S+/, `--out ${file}`)
    .split(" ")
    .slice(2);
  const { code, stdout, stderr } = await invoke(...args, ...(args[0] === "schedule" ? ["--json"] : []));
  if (code !== 0) throw new Error(stderr);
  return args[0] === "schedule" ? stdout : readFileSync(file, "utf8");
}

const unescaped = (text: string) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const textsIn = (svg: string, tag: string): readonly string[] =>
  [...svg.matchAll(new RegExp(`<${tag}[^>]*>([^<]*)</${tag}>`, "g"))].map(([, text = ""]) => unescaped(text));

describe("Schedule", () => {
  test.each([
    "#1/schedule",
    "#1/schedule?design=architecture&scheduleModel=xlm&scheduleSeq=1K&memory=ideal&ports=2&epoch=1&epochs=3",
  ])("%s shows what its commands print", async fragment => {
    const { page, complaints, close } = await open(fragment);
    const titles = textsIn(await told(page, 0), "title");
    const marks = await page.$$eval("[data-chart=waterfall] svg title", all => all.map(t => t.textContent ?? ""));
    expect(marks).toEqual(titles);
    expect(marks.length).toBeGreaterThan(10);
    const bars = page.getByText("Its numbers: Waterfall");
    await bars.click();
    const rows = page.getByRole("table", { name: "Waterfall" }).locator("tbody tr");
    await expect.poll(() => rows.count()).toBeGreaterThan(10);
    await bars.click();
    const { results } = JSON.parse(await told(page, 1)) as {
      readonly results: readonly {
        readonly simulated: { readonly latencyCycles: number };
        readonly binding: { readonly cycles: number };
      }[];
    };
    const cells = await page.$$eval("table td", all => all.slice(0, 2).map(cell => cell.textContent));
    expect(cells).toEqual(
      [results[0]?.simulated.latencyCycles, results[0]?.binding.cycles].map(n => n?.toLocaleString("en")),
    );
    expect(complaints).toEqual([]);
    await close();
  });

  test("the waterfall zooms and pans by wheel, drag, keys and buttons", async () => {
    const { page, close } = await open("#1/schedule");
    const frame = page.locator("[data-chart=waterfall]");
    const width = async () => (await frame.locator("svg").boundingBox())?.width ?? 0;
    const at = () => frame.evaluate(element => element.scrollLeft);
    const whole = await width();
    await frame.hover();
    await page.mouse.wheel(0, 100); // the page scrolls on
    await expect.poll(() => page.evaluate(() => scrollY)).toBe(100);
    await page.mouse.wheel(0, -100);
    await expect.poll(() => page.evaluate(() => scrollY)).toBe(0);
    expect(await width()).toBe(whole);
    await page.getByRole("button", { name: "Wheel zooms" }).click();
    await frame.hover();
    await page.mouse.wheel(0, -100);
    await expect.poll(width).toBeGreaterThan(1.4 * whole);
    await page.getByRole("button", { name: "Zoom in" }).click();
    await expect.poll(width).toBeGreaterThan(2 * whole);
    const before = await at();
    expect(before).toBeGreaterThan(0);
    const box = await frame.boundingBox();
    if (box === null) throw new Error("no waterfall");
    await page.mouse.move(box.x + 300, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 200, box.y + 60, { steps: 5 });
    await page.mouse.up();
    await expect.poll(at).toBe(before + 100);
    await frame.focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(at).toBeGreaterThan(before + 100);
    await page.keyboard.press("0");
    await expect.poll(width).toBe(whole);
    await page.keyboard.press("+");
    await expect.poll(width).toBeGreaterThan(1.4 * whole);
    await close();
  });

  test("the PEs step forward and back, as the command line draws them", async () => {
    const { page, close } = await open("#1/schedule?array=3&cycle=30");
    const texts = () => page.$$eval("[data-chart=pes] svg text", all => all.map(text => text.textContent ?? ""));
    const drawn = async () => textsIn(await told(page, 2), "text").slice(1);
    const at30 = await texts();
    expect(at30.slice(1)).toEqual(await drawn());
    await page.getByRole("button", { name: "Forward" }).click();
    expect(await texts()).toContain("cycle 31");
    expect((await texts()).slice(1)).toEqual(await drawn());
    await page.locator('input[name="cycle"]').focus();
    await page.keyboard.press("ArrowLeft");
    expect(await texts()).toEqual(at30);
    expect(page.url()).toContain("array=3");
    await close();
  });

  test("the PEs play and pause, and each tells what it does and holds", async () => {
    const { page, complaints, close } = await open("#1/schedule?array=2&cycle=20");
    const cycle = () => page.locator("[data-chart=pes] svg text").nth(2).textContent();
    await page.getByRole("button", { name: "Play" }).click();
    await expect.poll(cycle).toBe("cycle 22");
    const lit = page.locator("[data-chart=lit]");
    await expect.poll(() => lit.getAttribute("aria-label")).toMatch(/, cycle 2\d: 2D array: .*[A-Z].*; 1D array: /);
    expect(await lit.locator("rect.lit").count()).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Pause" }).click();
    const paused = await cycle();
    await page.waitForTimeout(700);
    expect(await cycle()).toBe(paused);
    await page.selectOption('select[name="pe"]', { label: "row 0, column 0" });
    const inside = page.getByRole("region", { name: "Inside the PE of row 0, column 0" });
    const first = await page.locator("[data-chart=pes] svg rect[rx='3'] + text").first().textContent();
    const step = await page.locator("[data-chart=pes] svg rect[rx='3'] + text + text").first().textContent();
    expect(await inside.locator("tbody tr").first().textContent()).toContain(`${first?.replace(/\[.*/, "")}, ${step}`);
    expect(await inside.textContent()).toMatch(/register 0/);
    await page.locator("[data-chart=pes] svg rect[rx='14']").last().click({ force: true }); // its words lie over it
    await page.getByRole("region", { name: "Inside the PE of 1D array, 1" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("says why nothing can be drawn, and where cycles are lost", async () => {
    const { page, complaints, close } = await open("#1/schedule?scheduleSeq=1K&memory=ideal");
    await page.locator('input[name="epoch"]').fill("999999999");
    await expect
      .poll(() => page.locator(".charts .wrong").first().textContent())
      .toMatch(/epochs: got 999999999\.\..*expected a range within/);
    await page.locator('input[name="epoch"]').fill("-1");
    expect(await page.getByRole("alert").textContent()).toMatch(/^Allowed: a whole number from 0/);
    await page.locator('input[name="epoch"]').fill("40");
    await page.locator("[data-chart=waterfall] svg").waitFor();
    await page.selectOption('select[name="ports"]', "1");
    await expect
      .poll(
        async () =>
          (await marksOf(page, "cycles")).filter(mark => /waits for a buffer port.*: 0\.\d*[1-9]/.test(mark)).length,
        { timeout: 30_000 },
      )
      .toBeGreaterThan(0);
    expect(complaints).toEqual([]);
    await close();
  });

  test.each(["light", "dark"] as const)("has no serious accessibility finding in the %s scheme", async scheme => {
    const { page, close } = await open("#1/schedule?scheduleSeq=1K", scheme);
    expect(await seriousFindings(page)).toEqual([]);
    await close();
  });
});
