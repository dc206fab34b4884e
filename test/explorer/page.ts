import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";

export interface Visit {
  readonly page: Page;
  /** Console errors, exceptions and requests to anywhere but the site. */
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
}

export interface VisitOptions {
  readonly fragment?: string;
  readonly width?: number;
  readonly scheme?: "light" | "dark";
}

/** Opens the explorer in a fresh context and waits until its panel is there. */
export async function visit(browser: Browser, address: string, options: VisitOptions = {}): Promise<Visit> {
  const { fragment = "", width = 1440, scheme = "light" } = options;
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", message => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", error => complaints.push(String(error)));
  page.on("request", request => {
    if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(address)) complaints.push(request.url());
  });
  await page.goto(address + fragment);
  await page.waitForSelector(".panel");
  return { page, complaints, close: () => context.close() };
}

/** The tooltips of a chart's marks: "+Binding,  over Unfused: 11.5631". */
export const marksOf = (page: Page, chart: string): Promise<readonly string[]> =>
  page.$$eval(`[data-chart="${chart}"] svg title`, titles => titles.slice(1).map(title => title.textContent ?? ""));

/** Moves a slider as a hand does: to a step, with the events that go with it. */
export async function slide(page: Page, field: string, step: number): Promise<void> {
  await page.locator(`input[name="${field}-slider"]`).evaluate((input, value) => {
    if (!(input instanceof HTMLInputElement)) throw new Error("no slider");
    input.value = String(value);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }, step);
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds that is serious or worse: "rule: element". */
export async function seriousFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    interface Finding {
      readonly id: string;
      readonly impact: string;
      readonly nodes: readonly { readonly html: string }[];
    }
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ readonly violations: readonly Finding[] }> } };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  });
}

/**
 * Counts the processor time of the page's main thread, in seconds: what it works, however many others share the processor.
 */
export async function mainThreadClock(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN;
  };
}
