import type { Browser } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { startBrowser } from "./browser.js";
import { type Visit, type VisitOptions, visit } from "./page.js";
import { type Site, serveExplorer } from "./site.js";

/** The explorer as it is in the sources, and a browser without WebGPU, for the tests of a file. */
export interface Stage {
  readonly browser: Browser;
  readonly address: string;
  /** Opens the page in a fresh context. */
  visit(options?: VisitOptions): Promise<Visit>;
}

/** Sets the stage before the tests of a file and clears it after them; it may be used within tests only. */
export function stage(): Stage {
  let site: Site;
  let browser: Browser;
  beforeAll(async () => {
    [site, browser] = await Promise.all([serveExplorer(), startBrowser({ webgpu: false })]);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });
  return {
    get browser() {
      return browser;
    },
    get address() {
      return site.address;
    },
    visit: options => visit(browser, site.address, options),
  };
}
