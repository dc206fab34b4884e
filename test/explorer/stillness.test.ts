import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { stage } from "./stage.js";

const on = stage();

const parts = ["cost", "sweep", "design", "cascade", "derive", "schedule", "numerics"] as const;

interface Vitals {
  /** Cumulative layout shift (web.dev/cls): the largest sum within a session window. */
  readonly shift: number;
  /** When the largest element was painted. */
  readonly largestPaintMs: number;
  /** Of tasks of over 50 ms, what is beyond. */
  readonly blockingMs: number;
}

/** Opens a part and watches it until nothing has happened for a while. */
async function watch(page: Page, part: string): Promise<Vitals> {
  await page.addInitScript(() => {
    const seen = { shifts: [] as { at: number; value: number; what: string }[], largest: 0, blocking: 0 };
    Object.assign(globalThis, { seen });
    const observe = (type: string, each: (entry: PerformanceEntry) => void) =>
      new PerformanceObserver(list => list.getEntries().forEach(each)).observe({ type, buffered: true });
    observe("layout-shift", entry => {
      const { value, hadRecentInput, startTime, sources } = entry as PerformanceEntry & {
        readonly value: number;
        readonly hadRecentInput: boolean;
        readonly sources: readonly { readonly node?: Element | null }[];
      };
      const what = sources.map(({ node }) => node?.className || node?.nodeName || "").join(" ");
      if (!hadRecentInput) seen.shifts.push({ at: startTime, value, what });
    });
    observe("largest-contentful-paint", ({ startTime }) => {
      seen.largest = startTime;
    });
    observe("longtask", ({ duration }) => {
      seen.blocking += Math.max(0, duration - 50);
    });
  });
  await page.goto(`${on.address}#1/${part}`);
  await page.locator(".charts svg").first().waitFor({ timeout: 60_000 });
  await page.waitForFunction(
    () =>
      document.querySelectorAll("[aria-busy=true]").length === 0 &&
      [...document.querySelectorAll("progress")].every(({ value, max }) => value === max),
  );
  await page.waitForTimeout(1000);
  const { shifts, largest, blocking } = await page.evaluate(
    () =>
      (
        globalThis as unknown as {
          seen: { shifts: { at: number; value: number; what: string }[]; largest: number; blocking: number };
        }
      ).seen,
  );
  // Windows of at most 5 s, with at most 1 s between two shifts.
  let [window, start, last, shift] = [0, 0, Number.NEGATIVE_INFINITY, 0];
  for (const { at, value } of shifts) {
    if (at - last > 1000 || at - start > 5000) [window, start] = [0, at];
    window += value;
    last = at;
    shift = Math.max(shift, window);
  }
  if (shift > 0.05) console.log(part, JSON.stringify(shifts));
  return { shift, largestPaintMs: largest, blockingMs: blocking };
}

describe.each([360, 1440])("at %d pixels", width => {
  test.each(parts)("what is there does not move while the rest comes: %s", async part => {
    const context = await on.browser.newContext({ viewport: { width, height: width === 360 ? 740 : 900 } });
    const { shift } = await watch(await context.newPage(), part);
    await context.close();
    expect(shift).toBeLessThanOrEqual(0.05); // "good" is 0.1 (web.dev/cls)
  });
});
