import { expect, test } from "vitest";
import { invoke } from "../cli/invoke.js";
import { startFirefox } from "./firefox.js";
import { serveExplorer } from "./site.js";
import { parts } from "./vitals.js";

/** The browser's path: scripts/firefox.sh has it from Debian (npm run test:firefox). */
const path = process.env["FUSEMAX_FIREFOX"];

test.skipIf(path === undefined)(
  "Firefox (FUSEMAX_FIREFOX): each part opens without an error, and Numerics gives the command line's bits",
  async () => {
    const [site, firefox] = await Promise.all([serveExplorer(), startFirefox(path ?? "")]);
    try {
      await firefox.navigate(site.address);
      await firefox.until('return document.querySelector("[data-chart=speedup] svg")?.innerHTML');
      for (const part of parts) {
        await firefox.run(`document.querySelector('nav a[href*="/${part}"]').click()`);
        await firefox.until(
          `return document.querySelector('nav a[aria-current=page]')?.href.includes("/${part}") && document.querySelector(".charts svg")?.outerHTML`,
        );
      }
      expect(firefox.complaints()).toEqual([]);

      await firefox.navigate("about:blank");
      await firefox.navigate(
        `${site.address}#1/numerics?engine=wasm&runModel=llama-3-8b&queries=4&keys=20&masks=prefix:3`,
      );
      await firefox.until('return document.querySelector("button[type=submit]:not([disabled])")?.textContent');
      await firefox.run('document.querySelector("button[type=submit]").click()');
      const sha256 = await firefox.until('return document.querySelector("[data-sha256]")?.textContent');
      const command = String(await firefox.run('return document.querySelector("[data-command]").textContent'));
      const { stdout } = await invoke(...command.split(" ").slice(2), "--check", "none", "--json");
      expect(sha256).toBe((JSON.parse(stdout) as { output: { sha256: string } }).output.sha256);
      expect(firefox.complaints()).toEqual([]);

      // What is not complained of would be.
      await firefox.run('console.error("said so"); setTimeout(() => { throw new Error("thrown") })');
      await expect.poll(() => firefox.complaints().join("\n")).toMatch(/said so/);
      await expect.poll(() => firefox.complaints().join("\n")).toMatch(/thrown/);
    } finally {
      await firefox.close();
      await site.close();
    }
  },
  300_000,
);
