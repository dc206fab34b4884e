import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AttentionProblem } from "../../../src/attention/problem.js";
import { cpuEngine } from "../../../src/emulator/cpu.js";
import { emulate } from "../../../src/emulator/emulate.js";
import { generateNormal } from "../../../src/emulator/generate.js";
import type { FormatName } from "../../../src/numerics/format.js";
import { formatArithmetics } from "../../../src/numerics/format-of.js";
import { startBrowser } from "../../explorer/browser.js";
import { type Site, serveSite } from "../../explorer/site.js";

let browser: Browser;
let site: Site;
beforeAll(async () => {
  browser = await startBrowser({ webgpu: false });
  site = await serveSite(fileURLToPath(new URL("../../../dist", import.meta.url)));
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

const shape = { batch: 2, heads: 4, kvHeads: 2, queries: 70, keys: 150, headDim: 24, valueDim: 10 };
const problem = (name: FormatName): AttentionProblem => ({
  shape,
  mask: { left: 60, right: 4, kvLens: [150, 80], qLens: null },
  tile: { m0: 32, p0: 32 },
  arithmetic: formatArithmetics[name],
  scale: 0.2,
});
const sizes = { q: 2 * 4 * 70 * 24, k: 2 * 2 * 150 * 24, v: 2 * 2 * 150 * 10 };

type Modules = typeof import("../../../src/index.js");

/** What runs in the page: the modules of dist/ as they are, two Web Workers, inputs from the same seed. */
async function emulateInPage({
  base,
  given,
  lengths,
}: {
  base: string;
  given: AttentionProblem;
  lengths: typeof sizes;
}) {
  // Written out as an import, it would be vitest's, which the page does not have.
  const at = new Function("path", `return import("${base}" + path)`) as (path: string) => Promise<Modules>;
  const { webWasmHost } = await at("emulator/wasm/web-host.js");
  const { wasmEngine } = await at("emulator/wasm/engine.js");
  const { emulate: run } = await at("emulator/emulate.js");
  const { generateNormal: normal } = await at("emulator/generate.js");
  const startWorker = () => new Worker(`${base}emulator/wasm/web-worker.js`, { type: "module" });
  const engine = wasmEngine(await webWasmHost({ kernels: `${base}wasm/`, startWorker, threads: 2 }));
  const inputs = { q: normal(7, "q", lengths.q), k: normal(7, "k", lengths.k), v: normal(7, "v", lengths.v) };
  const { sha256 } = await run(given, inputs, { engine });
  await engine.close();
  return { sha256, isolated: globalThis.crossOriginIsolated };
}

describe("the WebAssembly engine in a browser's page that is not cross-origin isolated", () => {
  it.each(["bf16", "bf16-strict", "fp16-strict", "fp32"] as const)("%s: gives the twin's bits", async name => {
    const page = await browser.newPage();
    await page.goto(`${site.address}index.js`);
    const got = await page.evaluate(emulateInPage, { base: site.address, given: problem(name), lengths: sizes });
    await page.close();
    const inputs = {
      q: generateNormal(7, "q", sizes.q),
      k: generateNormal(7, "k", sizes.k),
      v: generateNormal(7, "v", sizes.v),
    };
    const { sha256 } = await emulate(problem(name), inputs, { engine: cpuEngine() });
    expect(got).toEqual({ sha256, isolated: false });
  });
});
