import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { initialState, readState, type State, settled, writeState } from "../../explorer/state.js";
import { presets, story } from "../../explorer/story/steps.js";
import { seriousFindings } from "./page.js";
import { stage } from "./stage.js";

const on = stage();

describe("the story and the presets", () => {
  test("law: every step and preset is a state that exists, and comes back from its link", () => {
    expect(story.length).toBe(12);
    for (const { settings } of [...story, ...presets]) {
      const state: State = { ...initialState, ...settings };
      expect(settled(state)).toEqual({ state, notes: [] });
      expect(readState(writeState(state))).toEqual({ state, notes: [] });
    }
  });

  test("is walked by keys alone from the first step to the last, left, and gone on with", async () => {
    const { page, complaints, close } = await on.visit();
    await page.getByRole("button", { name: "Why one pass beats three: the story" }).focus();
    await page.keyboard.press("Enter");
    const heading = page.locator(".story h2");
    for (const [i, { title, settings }] of story.entries()) {
      await expect.poll(() => heading.textContent()).toBe(`${i + 1} of ${story.length}: ${title}`);
      await expect.poll(() => heading.evaluate(element => element === document.activeElement)).toBe(true);
      await page.locator(".charts svg").first().waitFor({ timeout: 30_000 });
      expect(readState(page.url().split("#")[1] ?? "").state).toEqual({
        ...initialState,
        ...settings,
        story: i + 1,
      });
      if (i + 1 === story.length) break;
      await page.getByRole("button", { name: "Next", exact: true }).focus();
      await page.keyboard.press("Enter");
    }
    await page.locator(".charts[aria-busy=false]").waitFor(); // what is out of date is pale
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole("button", { name: "Leave the story" }).click();
    await expect.poll(() => page.locator(".story").count()).toBe(0);
    expect(await page.locator('select[name="model"]').inputValue()).toBe("llama-3-8b"); // what was set stays
    await page.getByRole("button", { name: "Go on with the story, step 12" }).click();
    await heading.waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("a preset sets the knobs", async () => {
    const { page, close } = await on.visit({ fragment: "#1/cost?rows=128" });
    await page.selectOption('select[name="preset"]', "Llama 3 8B, decode at 8K");
    await page.getByText(/^Llama 3 8B, decode, 8K tokens, batch 16:/).waitFor();
    expect(page.url()).not.toContain("rows");
    await close();
  });
});

describe("the opening", () => {
  test("shows the chip with what limits it, and says so in text", async () => {
    const { page, close } = await on.visit({
      fragment: "#1/cost?model=llama-3-8b&phase=decode&seq=8K&batch=16",
    });
    await page.locator(".charts[aria-busy=false]").waitFor();
    const parts = await page.$$eval("[data-chart=chip] svg g > title", titles => titles.map(t => t.textContent));
    expect(parts.filter(part => part?.includes("the limit"))).toEqual([expect.stringMatching(/^DRAM, 400 GiB\/s: /)]);
    await close();
  });

  test("pinned settings stand beside the present ones in every chart, with the difference", async () => {
    const { page, complaints, close } = await on.visit({ fragment: "#1/cost?rows=128" });
    await page.locator(".charts[aria-busy=false]").waitFor();
    const latencies = () =>
      page.$$eval(".charts table tbody tr", rows => rows.slice(0, 5).map(row => row.children[1]?.textContent));
    const before = await latencies();
    await page.getByRole("button", { name: "Pin these settings to compare" }).click();
    await page.selectOption('select[name="model"]', "xlm");
    await page.getByText(/^XLM, 64K tokens/).waitFor();
    await page.locator(".charts[aria-busy=false]").waitFor();
    const table = page.getByRole("region", { name: "Now and pinned" });
    expect(await table.locator("tbody tr td:nth-child(3)").allTextContents()).toEqual(before);
    expect(await table.locator("tbody tr td:nth-child(2)").allTextContents()).toEqual(await latencies());
    for (const chart of ["speedup", "energy", "utilization", "cycles", "energy-by-component", "traffic", "roofline"]) {
      const titles = await page.$$eval(`[data-chart="${chart}"] svg text`, texts => texts.map(t => t.textContent));
      expect(titles, chart).toEqual(expect.arrayContaining(["now", "pinned"]));
    }
    expect(await page.locator("figcaption", { hasText: "Latency, now over pinned: Unfused " }).count()).toBe(1);
    const again = await on.visit({ fragment: `#${page.url().split("#")[1]}` });
    await again.page.getByText("Pinned: BERT, 64K tokens, batch 64. Array 128 × 256").waitFor();
    await again.close();
    await page.getByRole("button", { name: "Swap" }).click();
    await page.getByText(/^Pinned: XLM/).waitFor();
    await expect.poll(latencies).toEqual(before);
    await page.getByRole("button", { name: "Unpin" }).click();
    await expect.poll(() => table.count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  test("explains a term when it is pointed at, tapped, or reached by keys", async () => {
    const { page, close } = await on.visit();
    const term = page.locator(".term").first();
    const words = page.locator(".glossary:popover-open");
    await term.hover();
    await expect.poll(() => words.textContent()).toMatch(/^attention: For each query/);
    await page.mouse.move(5, 5);
    await expect.poll(() => words.count()).toBe(0);
    await term.focus();
    await expect.poll(() => words.count()).toBe(1);
    await page.keyboard.press("Escape");
    await expect.poll(() => words.count()).toBe(0);
    await close();
  });

  test("a report holds settings, charts, numbers and commands in one file that needs nothing else", async () => {
    const { page, close } = await on.visit({ fragment: "#1/cost?model=xlm&rows=128" });
    await page.locator(".charts[aria-busy=false]").waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save report" }).click(),
    ]);
    const html = readFileSync(await download.path(), "utf8");
    const context = await on.browser.newContext();
    const report = await context.newPage();
    const asked: string[] = [];
    report.on("request", request => asked.push(request.url()));
    await report.setContent(html);
    expect(await report.locator("svg").count()).toBe(9);
    expect(await report.locator("button, input, script, link, img").count()).toBe(0);
    const text = (await report.locator("body").textContent()) ?? "";
    for (const words of ["rows128", "modelxlm", "npx fusemax model", "+Binding (FuseMax)"])
      expect(text).toContain(words);
    expect(await report.locator("a").first().getAttribute("href")).toContain("#1/cost?model=xlm&rows=128");
    expect(asked).toEqual([]);
    await context.close();
    await close();
  });
});
