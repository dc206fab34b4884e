import { test } from "vitest";
import { startBrowser } from "./browser.js";
import { visit } from "./page.js";
import { serveExplorer } from "./site.js";

/** Where the pictures of docs/explorer.md go: SCREENSHOTS=docs/images npx vitest run test/explorer/screenshots.test.ts */
const folder = process.env["SCREENSHOTS"];

test.runIf(folder !== undefined)("pictures of the page for its documentation", async () => {
  const [site, browser] = await Promise.all([serveExplorer(), startBrowser({ webgpu: false })]);
  const take = async (name: string, options: Parameters<typeof visit>[2], ready: string) => {
    const { page, close } = await visit(browser, site.address, options);
    await page.locator(ready).waitFor();
    await page.evaluate(() => scrollTo(0, 0));
    await page.waitForTimeout(500); // the charts that fill in over several frames
    await page.screenshot({ path: `${folder}/${name}.png` });
    await close();
  };
  for (const scheme of ["light", "dark"] as const) {
    for (const width of [360, 1440]) {
      await take(`explorer-${width}-${scheme}`, { scheme, width }, "[data-chart=speedup] svg");
    }
  }
  const wide = { width: 1440, scheme: "light" } as const;
  await take(
    "explorer-cascade",
    { ...wide, fragment: "#1/cascade?cascade=attention-1-pass&rank=M0" },
    "[data-chart=cascade] svg",
  );
  await take("explorer-schedule", { ...wide, fragment: "#1/schedule?epoch=40" }, "[data-chart=waterfall] svg");
  await take(
    "explorer-numerics",
    { ...wide, fragment: "#1/numerics?queries=64&arithmetics=bf16,bf16-strict,fp32,fa4-fp8,mxfp4" },
    'button:has-text("Show mxfp4")',
  );
  await browser.close();
  await site.close();
});
