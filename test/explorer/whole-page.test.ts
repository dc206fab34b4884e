import { gzipSync } from "node:zlib";
import type { Response } from "playwright-core";
import { describe, expect, test } from "vitest";
import { mainThreadClock, marksOf, seriousFindings } from "./page.js";
import { stage } from "./stage.js";

const on = stage();

describe("the page", () => {
  test("loads under any path, asks nobody else, and weighs under 250 KB compressed", async () => {
    const bodies: Promise<Buffer>[] = [];
    const context = await on.browser.newContext();
    const page = await context.newPage();
    const weigh = (response: Response) => {
      if (response.url().startsWith("http")) bodies.push(response.body());
    };
    page.on("response", weigh);
    await page.goto(on.address);
    await page.waitForSelector("[data-chart=speedup] svg");
    page.off("response", weigh);
    const sizes = (await Promise.all(bodies)).map(body => gzipSync(body).length);
    await context.close();
    expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(250_000);
    const { complaints, close } = await on.visit();
    await close();
    expect(complaints).toEqual([]);
  });

  test("shows its charts after less than a second of work", async () => {
    const context = await on.browser.newContext();
    const page = await context.newPage();
    const worked = await mainThreadClock(page);
    await page.goto(on.address);
    await page.waitForSelector("[data-chart=roofline] svg");
    expect(await worked()).toBeLessThan(1);
    await context.close();
  });

  test.each([360, 1440, 3840])("fits %d pixels", async width => {
    const { page, close } = await on.visit({ width });
    await page.waitForSelector("[data-chart=speedup] svg");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await close();
  });

  test.each(["light", "dark"] as const)("has no serious accessibility finding in the %s scheme", async scheme => {
    const { page, close } = await on.visit({ scheme });
    await page.waitForSelector("[data-chart=speedup] svg");
    expect(await seriousFindings(page)).toEqual([]);
    await close();
  });

  test.each(["cost", "sweep", "design", "cascade", "schedule", "numerics"])(
    "is reached by keyboard alone: %s",
    async panel => {
      const { page, close } = await on.visit({ fragment: `#1/${panel}` });
      await page.locator(".charts svg, .charts h2").last().waitFor();
      await page.waitForFunction(() => document.querySelectorAll("[aria-busy=true]").length === 0);
      const reachable = await page.$$eval(
        "button, a, input, select, textarea, summary, [tabindex='0']",
        found => found.filter(element => !(element as HTMLInputElement).disabled && element.checkVisibility()).length,
      );
      for (let i = 0; i < reachable; i += 1) {
        await page.keyboard.press("Tab");
        const [what, visible] = await page.evaluate(() => {
          const element = document.activeElement as HTMLElement;
          element.dataset["reached"] = "";
          const name = element.getAttribute("name") ?? element.textContent;
          return [
            `${element.tagName} ${name} ${element.getAttribute("value")}`,
            getComputedStyle(element).outlineStyle !== "none",
          ] as const;
        });
        expect(visible, `${what} shows its focus`).toBe(true);
        if (!what.includes("rows-slider")) continue;
        const before = await marksOf(page, "speedup");
        await page.keyboard.press("ArrowLeft");
        await expect.poll(() => marksOf(page, "speedup")).not.toEqual(before);
      }
      expect(await page.locator("[data-reached]").count()).toBe(reachable);
      await close();
    },
  );
});
