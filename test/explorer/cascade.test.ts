import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import type { PassesReport } from "../../src/report/passes.js";
import { invoke } from "../cli/invoke.js";
import { marksOf, seriousFindings } from "./page.js";
import { stage } from "./stage.js";

const on = stage();

const open = (fragment: string) => on.visit({ fragment });
const heading = (page: Page) => page.locator(".charts h2").first().textContent();
const editor = (page: Page) => page.locator("textarea");

/** Puts a long text into the editor at once, as pasting does; typing it would take minutes. */
const paste = (page: Page, text: string) =>
  editor(page).evaluate((area, value) => {
    if (!(area instanceof HTMLTextAreaElement)) throw new Error("no editor");
    area.value = value;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }, text);

/** The passes and lines of the table. */
const shownPasses = (page: Page) =>
  page.$$eval("[data-passes] tbody tr", rows => rows.map(row => [...row.children].map(cell => cell.textContent ?? "")));

describe("Cascade", () => {
  test.each(["attention-3-pass", "attention-1-pass", "layer-norm", "variance-welford"])(
    "%s has the passes that the command line prints",
    async name => {
      const { page, complaints, close } = await open(`#1/cascade?cascade=${name}`);
      await page.locator("[data-passes]").waitFor();
      const { stdout } = await invoke("passes", name, "--json");
      const { ranks } = JSON.parse(stdout) as PassesReport;
      for (const [rank, report] of Object.entries(ranks)) {
        await page.getByRole("button", { name: `${rank}: ${report.passes}`, exact: true }).click();
        const rows = await shownPasses(page);
        expect(rows.map(([pass, stage]) => [Number(pass), Number(stage)])).toEqual(
          report.einsums.map(({ pass, stage }) => [pass, stage]),
        );
        const why = await page.$$eval("[data-barriers] li", items => items.map(item => item.textContent));
        const named = (tensor: string) => `${tensor} (pass ${report.einsums.find(e => e.tensor === tensor)?.pass})`;
        expect(why).toEqual(report.barriers.map(b => `${named(b.before)} with ${named(b.after)}: ${b.why}.`));
      }
      expect(complaints).toEqual([]);
      await close();
    },
  );

  test("an edited text updates passes, graph and link", async () => {
    const { page, close } = await open("#1/cascade?cascade=cascade-1");
    await page.locator("[data-passes]").waitFor();
    await editor(page).fill("S = A[k]\nT = B[k] * S\nU = A[k] * T\nV = B[k] * U");
    await expect.poll(() => heading(page)).toBe("2 passes over K");
    const marks = await marksOf(page, "cascade");
    for (const words of ["S: pass 1", "T: pass 1", "U: pass 2", "V: pass 2", "U reads T"])
      expect(marks).toContain(words);
    await editor(page).blur();
    const again = await open(page.url().slice(page.url().indexOf("#")));
    await expect.poll(() => heading(again.page)).toBe("2 passes over K");
    expect(await editor(again.page).inputValue()).toBe(await editor(page).inputValue());
    await again.close();
    await page.goBack();
    await expect.poll(() => editor(page).inputValue()).toMatch(/^# title/);
    await close();
  });

  test("an error stands under its caret, and the last good analysis stays", async () => {
    const { page, close } = await open("#1/cascade?cascade=softmax");
    await page.locator("[data-passes]").waitFor();
    const before = await shownPasses(page);
    await editor(page).fill("S[k] = exp(A[k] - B[j]");
    await expect.poll(() => page.locator(".excerpt").textContent()).toMatch(/S\[k\] = exp\(A\[k\] - B\[j\]\n +\^/);
    expect(await editor(page).getAttribute("aria-invalid")).toBe("true");
    expect(await shownPasses(page)).toEqual(before);
    await editor(page).fill("S[k] = exp(A[k])");
    await expect.poll(() => page.locator(".excerpt").count()).toBe(0);
    await close();
  });

  test("a text of one's own may begin with an empty editor", async () => {
    const { page, close } = await open("#1/cascade");
    await page.locator("[data-passes]").waitFor();
    await editor(page).fill("");
    await expect.poll(() => page.locator(".controls .wrong").last().textContent()).toMatch(/expected/);
    expect(await editor(page).inputValue()).toBe("");
    await editor(page).pressSequentially("S = A[k]\nT = A[k] * S");
    await expect.poll(() => heading(page)).toBe("2 passes over K");
    await page.getByRole("button", { name: "Back to the library's text" }).click();
    await expect.poll(() => heading(page)).toBe("3 passes over M");
    await close();
  });

  test("sizes give bytes; sizes that make no sense are said to", async () => {
    const { page, close } = await open("#1/cascade?cascade=attention-3-pass&rank=M");
    const shape = page.locator('input[name="shape"]');
    await shape.fill("M=4096");
    await expect
      .poll(() => page.locator("[data-footprints]").textContent())
      .toContain("a fiber of QK, M elements (8192 B)");
    await shape.fill("Z=4096");
    await expect.poll(() => page.locator(".controls .wrong").textContent()).toMatch(/Z/);
    await shape.fill("M=4096; rm");
    expect(await page.getByRole("alert").textContent()).toMatch(/^Allowed:/);
    await close();
  });

  test("texts that explode leave the page alive", async () => {
    const { page, complaints, close } = await open("#1/cascade");
    await page.locator("[data-passes]").waitFor();
    await paste(page, "A[k] = B[k]\n".repeat(20_000));
    await expect
      .poll(() => page.locator(".controls .wrong").last().textContent())
      .toMatch(/240000 characters; expected at most 100000/);
    await paste(page, `T = A[${Array.from({ length: 20_000 }, (_, i) => `r${i}`).join()}]`);
    await expect.poll(() => page.locator(".controls .wrong").last().textContent()).toMatch(/at most/);
    const chain = Array.from({ length: 600 }, (_, i) => `T${i + 1}[k] = T${i}[k] * S${i}\nS${i + 1} = T${i + 1}[k]`);
    await paste(page, ["S0 = A[k]", "T0[k] = A[k] * S0", ...chain.slice(0, 450)].join("\n"));
    const start = Date.now();
    expect(await page.evaluate(() => 1 + 1)).toBe(2); // answers at once while the analysis runs
    expect(Date.now() - start).toBeLessThan(2000);
    await paste(page, "S = A[k]\nT = A[k] * S");
    await expect.poll(() => heading(page)).toBe("2 passes over K");
    expect(complaints).toEqual([]);
    await close();
  });

  test("passes fall law by law in Derive, by hand or as the command line does it", async () => {
    const { page, complaints, close } = await open("#1/cascade?cascade=variance-two-pass");
    await page.getByRole("link", { name: "Derive fewer passes from it, law by law" }).click();
    const steps = () => page.$$eval("[data-step] h2", all => all.map(heading => heading.textContent));
    await expect.poll(steps).toEqual(["0. The cascade as given"]);
    await page.getByRole("button", { name: "S as RS, which runs over k" }).click();
    await expect.poll(steps).toEqual(["1. a running sum", "0. The cascade as given"]);
    await expect
      .poll(() => page.locator("[data-step='1']").textContent())
      .toMatch(
        /The law: op over r of x\(r\) = R\(end\).*goes: S = X\[k\].*comes: RS\[k\+1\].*2 passes over K.*Its values are equal on/,
      );
    await page.getByRole("button", { name: "Back", exact: true }).click();
    await expect.poll(steps).toHaveLength(1);
    await page.getByRole("button", { name: "Next law" }).click();
    await expect.poll(steps).toHaveLength(2);
    await page.getByText("1 pass over K; live between passes: none").first().waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole("link", { name: "Its passes and graph, under Cascade" }).click();
    await expect.poll(() => heading(page)).toBe("1 pass over K");
    expect(await editor(page).inputValue()).toMatch(/^# title: .*: 1 pass over K, derived\n/);
    expect(complaints).toEqual([]);
    await close();
  });

  test.each(["light", "dark"] as const)("has no serious accessibility finding in the %s scheme", async scheme => {
    const { page, close } = await on.visit({
      fragment: "#1/cascade?cascade=attention-1-pass&rank=M0",
      scheme,
    });
    await page.locator("[data-passes]").waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await close();
  });
});
