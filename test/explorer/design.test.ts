import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { strFromU8, unzipSync } from "fflate";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { type OwnDesign, ownName } from "../../explorer/design/own.js";
import { copyOf, withText } from "../../explorer/design/start.js";
import { wholeText } from "../../explorer/design/texts.js";
import { initialState, type Panel, readState, type State, writeState } from "../../explorer/state.js";
import { parseCsv } from "../../src/io/csv.js";
import type { ModelResult } from "../../src/report/model-result.js";
import { invoke } from "../cli/invoke.js";
import { marksOf, seriousFindings } from "./page.js";
import { stage } from "./stage.js";

const on = stage();

const ready = (page: Page) =>
  page.waitForFunction(
    () =>
      document.querySelector("#charts.stale") === null &&
      document.querySelector("#charts [data-chart=against] svg") !== null &&
      document.querySelectorAll("[aria-busy=true]").length === 0,
  );

const open = (page: Page, file: string) =>
  page.getByRole("navigation", { name: "Files" }).getByRole("button", { name: file }).first().click();

/** The visitor's files as the address has them. */
const filesOf = (page: Page): Readonly<Record<string, string>> =>
  readState(page.url().split("#")[1] ?? "").state.own?.files ?? copyOf("fusemax", wholeText).files;

/** Types another text into a file, as a hand does that has marked all of it. */
async function replace(page: Page, file: string, from: string, to: string): Promise<void> {
  const before = filesOf(page)[file] ?? "";
  expect(before).toContain(from);
  await open(page, file);
  const editor = page.getByRole("textbox", { name: `Text of ${file}` });
  await page.locator(".cm-editor").waitFor();
  await editor.focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(before.replace(from, to));
  await expect.poll(() => filesOf(page)[file]).toBe(before.replace(from, to));
}

/** Writes files of a design into a folder of their own. */
function written(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "fusemax-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

/** What the command line prints for a call that the page offers, on the design in a folder. */
async function printed<T>(page: Page, folder: string): Promise<T> {
  const command = (await page.locator("[data-command]", { hasNotText: "trace" }).first().textContent()) ?? "";
  expect(command).toContain("--design my-design/design.yaml");
  const { code, stdout, stderr } = await invoke(
    ...command.replace("my-design", folder).replace("--engine auto", "--engine cpu").split(" ").slice(2),
    "--json",
  );
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

/** Unpacks a downloaded archive. */
async function unpacked(page: Page, into: string): Promise<void> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save my-design.zip" }).click(),
  ]);
  for (const [name, bytes] of Object.entries(unzipSync(readFileSync(await download.path())))) {
    if (name.endsWith("/")) continue;
    mkdirSync(dirname(join(into, name)), { recursive: true });
    writeFileSync(join(into, name), strFromU8(bytes));
  }
}

describe("a design of one's own", () => {
  test("is edited with errors at their line, shown beside the others, and costs the same on the command line", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fusemax-"));
    const { page, complaints, close } = await on.visit({ fragment: "#1/design?seq=4K" });
    await ready(page);
    await replace(page, "architecture.yaml", "depth: 12", "depth: twelve");
    const said = page.locator(".fault");
    await expect.poll(() => said.textContent()).toMatch(/architecture\.yaml:\d+:\d+.*twelve/s);
    expect(await page.locator(".cm-lintRange-error").textContent()).toBe("depth");
    expect(await page.locator(".cm-content").getAttribute("aria-invalid")).toBe("true");
    expect(await seriousFindings(page)).toEqual([]);
    await open(page, "mapping.yaml");
    await page.getByRole("button", { name: "Show architecture.yaml" }).click();
    await replace(page, "architecture.yaml", "depth: twelve", "depth: 12");
    await replace(page, "architecture.yaml", "D: 256", "D: 128");
    await ready(page);
    await replace(page, "design.yaml", "label: My +Binding", "label: Half");
    await ready(page);
    expect(await seriousFindings(page)).toEqual([]);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await page.setViewportSize({ width: 1440, height: 900 });
    await unpacked(page, folder);
    const [report] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save report" }).click(),
    ]);
    const html = readFileSync(await report.path(), "utf8");
    for (const words of ["Files of Half", "<h3>architecture.yaml</h3>", "  D: 128", "my-design/design.yaml"])
      expect(html).toContain(words);

    await page.getByRole("button", { name: "Compare it in Cost" }).click();
    await page
      .getByText(/^BERT, 4K tokens, batch 64: Half takes/)
      .first()
      .waitFor({ timeout: 20_000 });
    await page.locator(".charts[aria-busy=false]").waitFor();
    expect(await marksOf(page, "speedup")).toContainEqual(expect.stringMatching(/^Half, {2}over Unfused: /));
    for (const chart of ["speedup", "energy", "utilization", "traffic", "roofline", "speedup-by-length"]) {
      const fills = await page.$$eval(`[data-chart="${chart}"] svg :is(rect, path):has(title)`, marks =>
        marks.filter(mark => mark.textContent?.startsWith("Half")).map(mark => mark.getAttribute("fill")),
      );
      expect([...new Set(fills)], chart).toEqual(["#cf7baa"]);
    }
    const command = (await page.locator("[data-command]").textContent()) ?? "";
    expect(command).toContain("--design unfused,flat,cascade,architecture,fusemax,my-design/design.yaml ");
    const [numbers] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save CSV of the numbers" }).click(),
    ]);
    const { columns, rows } = parseCsv(readFileSync(await numbers.path(), "utf8"));
    const { code, stdout, stderr } = await invoke(
      ...command
        .replace("my-design/", `${join(folder, "my-design")}/`)
        .split(" ")
        .slice(2),
      "--json",
    );
    if (code !== 0) throw new Error(stderr);
    const { results } = JSON.parse(stdout) as { readonly results: readonly ModelResult[] };
    expect(rows.map(row => [row[0], Number(row[columns.indexOf("cycles")])])).toEqual(
      results.map(({ design, cycles }) => [design, cycles]),
    );
    expect(results.at(-1)?.design).toBe("my-fusemax");
    rmSync(folder, { recursive: true });
    expect(complaints).toEqual([]);

    // The link brings it back.
    const again = await on.visit({ fragment: `#${page.url().split("#")[1]}` });
    await again.page
      .getByText(/^BERT, 4K tokens, batch 64: Half takes/)
      .first()
      .waitFor({ timeout: 20_000 });
    await again.close();
    await close();
  });

  /** A copy of a shipped design on half the array; of unfused, the textbook's three passes. */
  const halved = (base: string) => {
    const copy = copyOf(base, wholeText);
    const architecture = copy.files["architecture.yaml"] ?? "";
    expect(architecture).toContain("D: 256");
    return withText(copy, "architecture.yaml", architecture.replace("D: 256", "D: 128"));
  };
  const link = (panel: Panel, own: OwnDesign, part: Partial<State>): string =>
    `#${writeState({ ...initialState, ...part, panel, own })}`;

  test.each(["fusemax", "unfused"])("runs in Numerics with the command line's bits: a copy of %s", async base => {
    const own = halved(base);
    const sizes = { queries: 40, keys: 300, E: 24, F: 20 };
    const { page, complaints, close } = await on.visit({
      fragment: link("numerics", own, { runDesign: ownName, ...sizes }),
    });
    const sha = await page.locator(".charts:not(.stale) [data-sha256]").textContent({ timeout: 30_000 });
    const folder = written(own.files);
    const { output } = await printed<{ readonly output: { readonly sha256: string } }>(page, folder);
    expect(sha).toBe(output.sha256);
    expect(await page.getByText(/^Computed as My /).textContent()).toContain("tiles of 128 keys and 128 queries");
    expect(complaints).toEqual([]);
    rmSync(folder, { recursive: true });
    await close();
  });

  test("runs in Schedule with the command line's cycles, or says in a sentence why not", async () => {
    const own = halved("fusemax");
    const { page, complaints, close } = await on.visit({ fragment: link("schedule", own, { design: ownName }) });
    await page.getByRole("region", { name: "Simulated and published" }).waitFor({ timeout: 30_000 });
    const [cycles] = await page.locator(".table tbody tr td").allTextContents();
    const folder = written(own.files);
    const { results } = await printed<{
      readonly results: readonly { readonly simulated: { readonly latencyCycles: number } }[];
    }>(page, folder);
    expect(cycles).toBe(results[0]?.simulated.latencyCycles.toLocaleString("en"));
    expect(complaints).toEqual([]);
    rmSync(folder, { recursive: true });
    await close();
    const other = await on.visit({ fragment: link("schedule", halved("unfused"), { design: ownName }) });
    await other.page
      .getByText(/does not work tile by tile/)
      .first()
      .waitFor({ timeout: 30_000 });
    await other.close();
  });

  test("comes from files that are dropped anywhere on the page, and says what is wrong with others", async () => {
    const { page, close } = await on.visit({ fragment: "#1/cascade" });
    const drop = (files: Readonly<Record<string, string>>) =>
      page.evaluate(given => {
        const dataTransfer = new DataTransfer();
        for (const [name, content] of Object.entries(given)) dataTransfer.items.add(new File([content], name));
        window.dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true }));
      }, files);
    await drop({ "notes.yaml": "a: 1" });
    await page.getByText(/^files: got notes\.yaml; expected a design's YAML/).waitFor();
    const { "design.yaml": design = "", ...parts } = halved("flat").files;
    await drop({ ...parts, "flat-128.yaml": design.replace("My FLAT", "Dropped") });
    await ready(page);
    expect(await page.locator(".charts h2").first().textContent()).toBe("Dropped");
    expect(filesOf(page)["design.yaml"]).toContain("label: Dropped");
    // What no link can carry stays in the browser, and the page says so.
    const noise = Array.from({ length: 4000 }, (_, i) => ((i * 2654435761) % 2 ** 32).toString(36)).join(" ");
    await drop({ ...parts, "design.yaml": `${design.replace("My FLAT", "Long")}# ${noise}\n` });
    await expect.poll(() => page.url()).toContain("own=kept");
    await ready(page);
    await page.getByText(/^The files take over 6000 characters of a link/).waitFor();
    await page.reload();
    await ready(page);
    expect(await page.locator(".charts h2").first().textContent()).toBe("Long");
    await close();
  });

  test("is typed into a plain field where the editor cannot be had", async () => {
    const context = await on.browser.newContext();
    await context.route(/code-editor/, route => route.abort());
    const page = await context.newPage();
    await page.goto(`${on.address}#1/design`);
    const field = page.getByRole("textbox", { name: "Text of design.yaml" });
    await field.fill("name: nothing else");
    await page.getByText(/^design\.yaml:1:1 .*expected a string/).waitFor();
    expect(await field.inputValue()).toBe("name: nothing else");
    await context.close();
  });
});
