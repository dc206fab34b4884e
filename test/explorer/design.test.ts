import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { strFromU8, unzipSync } from "fflate";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
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

const text = (page: Page) => page.locator('textarea[name="designFile"]');
const open = (page: Page, file: string) => page.getByRole("button", { name: file, exact: true }).click();

async function replace(page: Page, from: string, to: string): Promise<void> {
  const before = await text(page).inputValue();
  expect(before).toContain(from);
  await text(page).fill(before.replace(from, to));
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
    await open(page, "architecture.yaml");
    await replace(page, "depth: 12", "depth: twelve");
    const said = page.locator(".fault");
    await expect.poll(() => said.textContent()).toMatch(/architecture\.yaml:\d+:\d+.*twelve/s);
    expect(await text(page).inputValue()).toContain("depth: twelve");
    await open(page, "mapping.yaml");
    await page.getByRole("button", { name: "Show architecture.yaml" }).click();
    await replace(page, "depth: twelve", "depth: 12");
    await replace(page, "D: 256", "D: 128");
    await ready(page);
    await open(page, "design.yaml");
    await replace(page, "label: My +Binding", "label: Half");
    await ready(page);
    expect(await seriousFindings(page)).toEqual([]);
    await unpacked(page, folder);

    await page.getByRole("button", { name: "Compare it in Cost" }).click();
    await page.getByText(/^BERT, 4K tokens, batch 64: Half takes/).waitFor({ timeout: 20_000 });
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
    await again.page.getByText(/^BERT, 4K tokens, batch 64: Half takes/).waitFor({ timeout: 20_000 });
    await again.close();
    await close();
  });
});
