import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseCsv } from "../../src/io/csv.js";
import type { ModelResult } from "../../src/report/model-result.js";
import { invoke } from "../cli/invoke.js";
import { marksOf, slide, type Visit } from "./page.js";
import { stage } from "./stage.js";

const on = stage();

/** What the command line prints for a call that the page offers. */
async function printed(command: string): Promise<readonly ModelResult[]> {
  const args = [...command.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
  const { code, stdout, stderr } = await invoke(...args.slice(2), "--json");
  if (code !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as { readonly results: readonly ModelResult[] }).results;
}

const downloaded = async (visited: Visit, button: string): Promise<string> => {
  const [download] = await Promise.all([
    visited.page.waitForEvent("download"),
    visited.page.getByRole("button", { name: button, exact: true }).click(),
  ]);
  return readFileSync(await download.path(), "utf8");
};

describe("Cost", () => {
  test.each([
    "#1/cost",
    "#1/cost?model=xlm&seq=1M&batch=3&designs=flat,fusemax&accounting=corrected",
    "#1/cost?seq=4K&columns=512&buffer=0.5&bandwidth=100&frequency=470",
    "#1/cost?accounting=corrected&bandwidth=800&buffer=2",
    "#1/cost?model=llama-3-8b&phase=decode&seq=8K&batch=16",
    "#1/cost?model=mistral-7b&seq=8K&batch=1&masked=none",
    "#1/cost?scope=layer",
    "#1/cost?scope=layer&model=xlm&seq=4K&rows=128&buffer=0.5&bandwidth=100&accounting=corrected",
    "#1/cost?scope=layer&model=mixtral-8x22b&phase=decode&seq=8K&batch=16&designs=flat,fusemax",
  ])("%s shows what its command prints", async fragment => {
    const visited = await on.visit({ fragment });
    const command = (await visited.page.locator("[data-command]").textContent()) ?? "";
    await visited.page.locator(".charts[aria-busy=false]").waitFor();
    const { columns, rows } = parseCsv(await downloaded(visited, "Save CSV of the numbers"));
    const results = await printed(command);
    for (const result of results) {
      const row = rows.find(([design]) => design === result.design) ?? [];
      const shown = { ...result, ...result.layer };
      const numbers = ["cycles", "latencySeconds", "util2d", "util1d", "trafficBytes", "energyPj", "areaUm2"] as const;
      for (const name of ["seq", ...numbers] as const) {
        expect(Number(row[columns.indexOf(name)]), `${name} of ${result.design}`).toBe(shown[name]);
      }
      expect(Number(row[columns.indexOf("attentionSeconds")])).toBe(result.latencySeconds);
      expect(row[columns.indexOf("bound")]).toBe(shown.bound);
      expect(row[columns.indexOf("scope")]).toBe(result.layer === undefined ? "attention" : "layer");
      const use = shown.use["2d"];
      expect(Number(row[columns.indexOf("2d.useful")])).toBe(use?.useful);
      expect(Number(row[columns.indexOf("2d.dram")])).toBe(use?.dram);
      expect(Number(row[columns.indexOf("2d.unfilled.row")])).toBe(use?.unfilled["row"] ?? 0);
      for (const [name, { energyPj }] of Object.entries(shown.components)) {
        expect(Number(row[columns.indexOf(`energyPj.${name}`)]), `${name} of ${result.design}`).toBe(energyPj);
      }
    }
    expect(rows.map(([design]) => design)).toEqual(results.map(({ design }) => design));
    await visited.close();
  });

  test("a slider's move changes charts to what the command line says", async () => {
    const { page, complaints, close } = await on.visit();
    const expected = async () => {
      await page.locator(".charts[aria-busy=false]").waitFor();
      const results = await printed((await page.locator("[data-command]").textContent()) ?? "");
      const [base, fusemax] = ["unfused", "fusemax"].map(name => results.find(({ design }) => design === name));
      const speedup = (base?.latencySeconds ?? 0) / (fusemax?.latencySeconds ?? 1);
      return `+Binding (FuseMax),  over Unfused: ${Number(speedup.toPrecision(6))}`;
    };
    const before = await expected();
    await expect.poll(() => marksOf(page, "speedup")).toContain(before);
    await slide(page, "rows", 4);
    expect(await page.locator('input[name="rows"]').inputValue()).toBe("128");
    const after = await expected();
    expect(after).not.toBe(before);
    await expect.poll(() => marksOf(page, "speedup")).toContain(after);
    expect(complaints).toEqual([]);
    await close();
  });

  test.each([
    ["#1/cost", "frequency"],
    ["#1/cost?accounting=corrected", "frequency"],
    ["#1/cost?scope=layer", "rows"],
  ])("a slider's move is a frame's work at most: %s, %s", async (fragment, field) => {
    const { page, close } = await on.visit({ fragment });
    await page.locator(".charts[aria-busy=false]").waitFor();
    const roofline = page.locator("[data-chart=roofline]");
    const milliseconds: number[] = [];
    for (let step = 0; step <= 7; step += 1) {
      const before = await roofline.innerHTML();
      const took = await page.locator(`input[name="${field}-slider"]`).evaluate(async (slider, value) => {
        if (!(slider instanceof HTMLInputElement)) throw new Error("no slider");
        const start = performance.now();
        slider.value = String(value);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
        document.body.getBoundingClientRect(); // layout is part of the work
        return performance.now() - start;
      }, step);
      milliseconds.push(took);
      // What takes longer is computed in a worker after the move, and a chart out of sight is drawn when nothing else is to do.
      await page.locator(".charts[aria-busy=false]").waitFor();
      await expect.poll(() => roofline.innerHTML()).not.toBe(before);
    }
    // Every move is the same work, and it is the work that is bounded: others share the processor during most moves.
    expect(Math.min(...milliseconds)).toBeLessThan(16);
    await close();
  });

  test("keeps its charts whole while a worker computes", async () => {
    const { page, close } = await on.visit({ fragment: "#1/cost?accounting=corrected" });
    await page.locator(".charts[aria-busy=false]").waitFor();
    const bars = await page.locator("[data-chart=speedup] svg rect:has(title)").count();
    expect(bars).toBe(10); // five designs over two baselines
    const fewest = await page.locator('input[name="rows-slider"]').evaluate(async slider => {
      if (!(slider instanceof HTMLInputElement)) throw new Error("no slider");
      const charts = document.querySelector(".charts");
      const counts: number[] = [];
      for (let step = 0; step <= 7; step += 1) {
        slider.value = String(step);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        do {
          await new Promise(requestAnimationFrame);
          counts.push(document.querySelectorAll("[data-chart=speedup] svg rect:has(title)").length);
        } while (step === 7 && charts?.ariaBusy === "true");
      }
      return Math.min(...counts);
    });
    expect(fewest).toBe(bars);
    await close();
  });

  test.each([
    ["#1/cost", "#04456e"],
    ["#1/cost?designs=fusemax", "#04456e"],
    ["#1/cost?designs=flat,fusemax&model=xlm", "#04456e"],
  ])("%s shows FuseMax in its own colour in every chart, with a legend", async (fragment, colour) => {
    const { page, close } = await on.visit({ fragment });
    await page.locator(".charts[aria-busy=false]").waitFor();
    for (const chart of ["speedup", "energy", "utilization", "traffic", "roofline", "speedup-by-length"]) {
      const fills = await page.$$eval(`[data-chart="${chart}"] svg :is(rect, path):has(title)`, marks =>
        marks
          .filter(mark => mark.textContent?.startsWith("+Binding (FuseMax)"))
          .map(mark => mark.getAttribute("fill") ?? ""),
      );
      expect([...new Set(fills)], chart).toEqual([colour]);
      const legend = page.locator(`[data-chart="${chart}"] svg text`, { hasText: "+Binding (FuseMax)" });
      expect(await legend.count(), chart).toBeGreaterThan(0);
    }
    await close();
  });

  test("has the numbers of each chart in text, in files of their own, and told mark by mark to keys", async () => {
    const visited = await on.visit({ fragment: "#1/cost?model=xlm&rows=128" });
    const { page } = visited;
    await page.locator(".charts[aria-busy=false]").waitFor();
    const cards = page.locator("figure.card");
    const texts = new Set<string>();
    for (let i = 0; i < (await cards.count()); i += 1) {
      const card = cards.nth(i);
      await card.locator("summary").click();
      await card.locator("tbody tr").first().waitFor();
      const rows = await card.locator("tbody tr").count();
      const title = (await card.locator("h2").textContent()) ?? "";
      const text = await downloaded(visited, `Save CSV of ${title}`);
      expect(parseCsv(text).rows.length, title).toBe(rows);
      expect(text.split("\n")[1], title).toMatch(/^xlm,attention,prefill,model,64,64K,corrected,128,256,/);
      texts.add(text);
    }
    expect(texts.size).toBe(9);
    const chart = page.locator("[data-chart=speedup]");
    const marks = (await marksOf(page, "speedup")).filter(mark => mark !== "");
    await chart.focus();
    await page.keyboard.press("ArrowRight");
    const said = page.locator("figure:has([data-chart=speedup]) .said");
    await expect.poll(() => said.textContent()).toBe(marks[0]);
    await page.keyboard.press("End");
    await expect.poll(() => said.textContent()).toBe(marks.at(-1));
    await visited.close();
  });

  test("tells readers of screens what a change has led to, and takes them to the part that they open", async () => {
    const { page, close } = await on.visit();
    await page.selectOption('select[name="model"]', "xlm");
    await expect
      .poll(() => page.locator("[data-announced]").textContent())
      .toMatch(/^XLM, 64K tokens, batch 64: FuseMax takes .* times as fast as Unfused/);
    await page.getByRole("link", { name: "Cascade" }).click();
    await page.locator("[data-passes]").waitFor();
    await expect.poll(() => page.title()).toMatch(/^Cascade/);
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("main");
    await page.getByRole("button", { name: "Skip to the charts" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("charts");
    await close();
  });

  test("makes one step of the history of keys on a slider", async () => {
    const { page, close } = await on.visit();
    const steps = await page.evaluate(() => history.length);
    await page.locator('input[name="rows-slider"]').focus();
    for (let i = 0; i < 4; i += 1) await page.keyboard.press("ArrowLeft");
    await expect.poll(() => page.url()).toContain("rows=16");
    expect(await page.evaluate(() => history.length)).toBe(steps + 1);
    await close();
  });

  test("shows a slider and the chart that it moves together on a phone", async () => {
    const context = await on.browser.newContext({ viewport: { width: 360, height: 740 }, hasTouch: true });
    const page = await context.newPage();
    await page.goto(on.address);
    await page.locator(".charts[aria-busy=false]").waitFor();
    await page.locator("[data-chart=speedup]").scrollIntoViewIfNeeded();
    await page.locator("[data-chart=speedup]").evaluate(chart => chart.scrollIntoView({ block: "start" }));
    const slider = page.locator('input[name="seq-slider"]');
    const [of, plot] = [
      await slider.boundingBox(),
      await page.locator("[data-chart=speedup] svg rect:has(title)").last().boundingBox(),
    ];
    if (of === null || plot === null) throw new Error("nothing to see");
    expect(of.y + of.height).toBeLessThanOrEqual(740);
    expect(plot.y).toBeGreaterThanOrEqual(0);
    expect(plot.y + plot.height).toBeLessThanOrEqual(of.y);
    await page.locator("[data-chart=speedup] svg rect:has(title)").last().tap();
    await expect
      .poll(() => page.locator("figure:has([data-chart=speedup]) .said").textContent())
      .toMatch(/^\+Binding \(FuseMax\), {2}over FLAT: /);
    await context.close();
  });

  test("offers to retry where a part cannot be fetched", async () => {
    const { page, close } = await on.visit();
    await page.route(/\/schedule-.*\.js$/, route => route.abort());
    await page.getByRole("link", { name: "Schedule" }).click();
    await page.getByText("Schedule could not be loaded").waitFor();
    await page.unroute(/\/schedule-.*\.js$/);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator("[data-chart=waterfall]").waitFor();
    await close();
  });

  test("saves a chart as an SVG document", async () => {
    const visited = await on.visit();
    expect(await downloaded(visited, "Save SVG of Speedup")).toMatch(/^<svg xmlns.*Speedup.*<\/svg>\n$/s);
    await visited.close();
  });

  test("sizes of one's own are a workload for the command line", async () => {
    const visited = await on.visit({
      fragment: "#1/cost?model=custom&heads=7&headDim=80&valueDim=96",
    });
    const folder = mkdtempSync(join(tmpdir(), "fusemax-"));
    const file = join(folder, "workload.yaml");
    writeFileSync(file, await downloaded(visited, "Save workload.yaml for it"));
    await visited.page.locator(".charts[aria-busy=false]").waitFor();
    const command = (await visited.page.locator("[data-command]").textContent()) ?? "";
    const results = await printed(command.replace("workload.yaml", file));
    const { columns, rows } = parseCsv(await downloaded(visited, "Save CSV of the numbers"));
    const energies = rows.map(row => Number(row[columns.indexOf("energyPj")]));
    expect(energies).toEqual(results.map(({ energyPj }) => energyPj));
    rmSync(folder, { recursive: true });
    await visited.close();
  });

  test("keeps its state in the address, back and forward", async () => {
    const { page, close } = await on.visit();
    await page.selectOption('select[name="model"]', "xlm");
    await slide(page, "seq", 2);
    await page.getByLabel("FLAT", { exact: true }).uncheck();
    const table = () => page.locator(".table table").textContent();
    await page.locator(".charts[aria-busy=false]").waitFor();
    const [address, shown] = [page.url(), await table()];
    expect(address).toMatch(/#1\/cost\?model=xlm&seq=4K&designs=unfused,cascade,architecture,fusemax$/);
    const again = await on.visit({ fragment: address.slice(address.indexOf("#")) });
    await expect.poll(() => again.page.locator(".table table").textContent()).toBe(shown);
    await again.close();
    await page.goBack();
    expect(page.url()).toMatch(/model=xlm&seq=4K$/);
    await page.goBack();
    await page.goBack();
    expect(await page.locator('select[name="model"]').inputValue()).toBe("bert");
    await page.goForward();
    await page.goForward();
    await page.goForward();
    await expect.poll(table).toBe(shown);
    await close();
  });

  test("says once what holds for every design, in the page's words", async () => {
    const { page, close } = await on.visit({ fragment: "#1/cost?model=llama-3-8b&seq=1G" });
    const notes = page.locator(".charts .notes p");
    await expect
      .poll(() => notes.allTextContents())
      .toEqual([expect.stringMatching(/^Sequence length: got a masked attention of .*; expected at most 2\^53/)]);
    await close();
  });

  test("shows a phase that there is, and says so, where the model has not the one chosen", async () => {
    const { page, close } = await on.visit({ fragment: "#1/cost?model=gpt-2&phase=decode" });
    await page.selectOption('select[name="model"]', "bert");
    await page.getByText("BERT has no decode; prefill is shown.").waitFor();
    expect(await page.locator('select[name="phase"] option:has-text("decode")').isDisabled()).toBe(true);
    await page.locator(".charts[aria-busy=false]").waitFor();
    const results = await printed((await page.locator("[data-command]").textContent()) ?? "");
    expect(results.map(({ design }) => design)).toContain("fusemax");
    const again = await on.visit({ fragment: "#1/cost?model=bert&phase=decode" });
    await again.page.getByText("BERT has no decode; prefill is shown.").waitFor();
    await again.close();
    await close();
  });

  test("goes on in its other parts when one ends in an error", async () => {
    const context = await on.browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(() => Object.assign(globalThis, { Worker: undefined }));
    await page.goto(`${on.address}#1/cost?accounting=corrected`);
    await expect.poll(() => page.getByRole("alert").textContent()).toMatch(/ended in an error: .*Worker/);
    await page.getByRole("link", { name: "Numerics" }).click();
    await page.getByText("The emulator computes attention as FuseMax's").waitFor();
    await context.close();
  });

  test("says what is allowed, and what the designs can't do, and goes on", async () => {
    const { page, complaints, close } = await on.visit({ fragment: "#1/cost?rows=1e9&x=%E0%A4%A" });
    await expect
      .poll(() => page.locator("main").getByRole("status").first().textContent())
      .toMatch(/rows = "1e9" is not allowed/);
    const rows = page.locator('input[name="rows"]');
    await rows.fill("999999");
    expect(await page.getByRole("alert").textContent()).toBe("Allowed: a whole number from 8 to 1024.");
    expect(await rows.getAttribute("aria-invalid")).toBe("true");
    await rows.fill("64");
    expect(await page.getByRole("alert").count()).toBe(0);
    await page.locator('input[name="seq"]').fill("1G"); // far past what the baselines' buffers hold
    await page.locator('input[name="buffer"]').fill("0.015625");
    await expect.poll(() => page.locator(".table table").textContent()).toContain("+Binding");
    expect(complaints).toEqual([]);
    await close();
  });
});
