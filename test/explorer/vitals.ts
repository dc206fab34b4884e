import type { Browser, Page } from "playwright-core";

export const parts = ["cost", "sweep", "design", "cascade", "derive", "schedule", "numerics"] as const;
export type Part = (typeof parts)[number];

/** What a visitor feels of a page that opens (web.dev/vitals). */
export interface Vitals {
  /** Cumulative layout shift: the largest sum within a session window. */
  readonly shift: number;
  /** When the largest element was painted. */
  readonly largestPaintMs: number;
  /** Of tasks of over 50 ms, what is beyond, until nothing more came. */
  readonly blockingMs: number;
}

/** A slower machine and line, as the developer tools of Chromium make them. */
export interface Throttle {
  readonly cpuTimesSlower: number;
  readonly bitsPerSecond: number;
}

interface Seen {
  readonly shifts: { readonly at: number; readonly value: number; readonly what: string }[];
  largest: number;
  blocking: number;
}

/** Opens a part and watches it until nothing has happened for a while. */
export async function watch(page: Page, address: string, part: Part): Promise<Vitals> {
  await page.addInitScript(() => {
    const seen: Seen = { shifts: [], largest: 0, blocking: 0 };
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
  await page.goto(`${address}#1/${part}`);
  await page.locator(".charts svg").first().waitFor({ timeout: 60_000 });
  await page.waitForFunction(
    () =>
      document.querySelectorAll("[aria-busy=true]").length === 0 &&
      [...document.querySelectorAll("progress")].every(({ value, max }) => value === max),
    undefined,
    { timeout: 60_000 },
  );
  await page.waitForTimeout(1000);
  const { shifts, largest, blocking } = await page.evaluate(() => (globalThis as unknown as { seen: Seen }).seen);
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

/** Opens a part as a first visitor does, with nothing in the cache, and watches it. */
export async function firstVisit(
  browser: Browser,
  address: string,
  part: Part,
  throttle: Throttle | null = null,
): Promise<Vitals> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  if (throttle !== null) {
    const session = await context.newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: throttle.cpuTimesSlower });
    await session.send("Network.enable");
    const bytesPerSecond = throttle.bitsPerSecond / 8;
    await session.send("Network.emulateNetworkConditions", {
      ...{ offline: false, latency: 0, downloadThroughput: bytesPerSecond, uploadThroughput: bytesPerSecond },
    });
  }
  const vitals = await watch(page, address, part);
  await context.close();
  return vitals;
}

/**
 * Moves a slider through its first steps. A browser hands a hand's moves to the page where a frame begins, and so does this: what is
 * counted, in milliseconds per step, is all from there until the frame is painted.
 */
export async function slideFrames(page: Page, field: string, steps: number): Promise<readonly number[]> {
  return page.locator(`input[name="${field}-slider"]`).evaluate(async (slider, steps) => {
    if (!(slider instanceof HTMLInputElement)) throw new Error("no slider");
    const { port1, port2 } = new MessageChannel();
    const took: number[] = [];
    for (let step = 0; step < steps; step += 1) {
      await new Promise(resolve => setTimeout(resolve, 150)); // what a move before left to do is done
      took.push(
        await new Promise<number>(resolve =>
          requestAnimationFrame(() => {
            const start = performance.now();
            port1.onmessage = () => resolve(performance.now() - start);
            slider.value = String(step);
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            port2.postMessage(null); // comes after this frame is painted
          }),
        ),
      );
    }
    return took;
  }, steps);
}
