import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askedAttention } from "../../explorer/numerics/attention.js";
import { runCommand } from "../../explorer/numerics/command.js";
import { bundledSpecs } from "../../explorer/specs.js";
import { initialState, type State } from "../../explorer/state.js";
import { writeNpy } from "../../src/io/npy.js";
import { writeSafetensors } from "../../src/io/safetensors.js";
import { invoke } from "../cli/invoke.js";
import { startBrowser } from "./browser.js";
import { marksOf, seriousFindings, visit } from "./page.js";
import { type Site, serveExplorer } from "./site.js";

let site: Site;
let plain: Browser;
let gpu: Browser;
beforeAll(async () => {
  [site, plain, gpu] = await Promise.all([
    serveExplorer(),
    startBrowser({ webgpu: false }),
    startBrowser({ webgpu: true }),
  ]);
});
afterAll(async () => {
  await Promise.all([plain?.close(), gpu?.close()]);
  await site?.close();
});

/** What the command line says of the same bits, by whatever engine is at hand there. */
async function printed(
  page: Page,
  n = 0,
): Promise<{ readonly sha256: string; readonly maxAbs: number; readonly rms: number }> {
  const command = (await page.locator("[data-command]").nth(n).textContent()) ?? "";
  const args = command
    .replace(/--engine \w+/, "--engine cpu")
    .split(" ")
    .slice(2);
  const { code, stdout, stderr } = await invoke(...args, "--json");
  if (code !== 0) throw new Error(stderr);
  const { output, error } = JSON.parse(stdout) as {
    readonly output: { readonly sha256: string };
    readonly error: { readonly maxAbs: number; readonly rms: number };
  };
  return { sha256: output.sha256, ...error };
}

const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();
/** The hash of a result that is of the settings as they are. */
const shownSha = (page: Page) => page.locator(".charts:not(.stale) [data-sha256]").textContent({ timeout: 30_000 });
/** What was computed without being asked for is there, or whatever else was under way. */
const idle = (page: Page) => page.locator('button:has-text("Cancel")').waitFor({ state: "detached", timeout: 30_000 });
const statusOf = async (page: Page): Promise<string> => (await page.locator("main").textContent()) ?? "";

describe("Numerics", () => {
  test("gives the command line's bits and errors in WebAssembly, and says why not on a GPU", async () => {
    const { page, complaints, close } = await visit(plain, site.address, {
      fragment: "#1/numerics?queries=40&keys=300&runHeads=2&E=24&F=20&m0=32&spread=3&seed=7&mask=causal",
    });
    await press(page, "Run");
    const sha = await shownSha(page);
    const expected = await printed(page);
    expect(sha).toBe(expected.sha256);
    const table = (await page.locator("table").textContent()) ?? "";
    expect(table).toContain(expected.maxAbs.toExponential(3));
    expect(table).toContain(expected.rms.toExponential(3));
    expect(await statusOf(page)).toMatch(/No GPU is used: WebGPU: .*Computed by engine wasm/s);
    expect(complaints).toEqual([]);
    await close();
  });

  test("gives the command line's bits on WebGPU", async () => {
    const { page, complaints, close } = await visit(gpu, site.address, {
      fragment: "#1/numerics?queries=24&keys=100&E=16&F=16&format=fp16-strict&engine=webgpu",
    });
    await press(page, "Run");
    expect(await shownSha(page)).toBe((await printed(page)).sha256);
    expect(await statusOf(page)).toMatch(/Computed by engine webgpu on .*swiftshader/i);
    expect(complaints).toEqual([]);
    await close();
  });

  test("runs arithmetics side by side, with the command line's bits, in a page that stays alive", async () => {
    const { page, complaints, close } = await visit(plain, site.address, {
      fragment: "#1/numerics?queries=32&keys=128&E=16&F=16",
    });
    await page.evaluate(() => {
      const beats = { longest: 0 };
      Object.assign(globalThis, { beats });
      let last = performance.now();
      setInterval(() => {
        beats.longest = Math.max(beats.longest, performance.now() - last);
        last = performance.now();
      }, 10);
    });
    await idle(page);
    await page.getByText("Arithmetic: bf16").click();
    for (const name of ["bf16-strict", "fa4-fp8", "fp32", "mxfp4"])
      await page.getByLabel(name, { exact: true }).check();
    await press(page, "Run");
    await page.getByRole("button", { name: "Show mxfp4" }).waitFor({ timeout: 30_000 });
    await idle(page);
    const { longest } = await page.evaluate(() => (globalThis as unknown as { beats: { longest: number } }).beats);
    expect(longest).toBeLessThan(500); // what a visitor notices; other tests share the processor
    expect(await page.locator("tbody tr").count()).toBe(5);
    const shas = await page.$$eval("tbody td:last-child", cells => cells.map(cell => cell.textContent));
    expect(new Set(shas).size).toBe(5);
    const names = await page.$$eval("tbody th", cells => cells.map(cell => cell.textContent));
    await press(page, "Show bf16-strict");
    expect((await shownSha(page))?.slice(0, 12)).toBe(shas[names.indexOf("bf16-strict")]?.slice(0, 12));
    for (let i = 0; i < 5; i += 1) expect((await printed(page, i)).sha256.slice(0, 12)).toBe(shas[i]?.slice(0, 12));
    expect(await marksOf(page, "error-histogram-bf16-strict")).not.toEqual([]);
    expect(await seriousFindings(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await close();
  });

  test("keeps results and what is under way when another part is opened, and dims what is of other settings", async () => {
    const { page, complaints, close } = await visit(plain, site.address, {
      fragment: "#1/numerics?queries=16&keys=64&E=16&F=16",
    });
    const sha = await shownSha(page); // nobody pressed anything
    expect(sha).toBe((await printed(page)).sha256);
    await page.locator('input[name="seed"]').fill("5");
    const words = page.locator("[data-stale]");
    await expect.poll(() => words.textContent()).toMatch(/^For seed 0: the settings have changed since/);
    await expect.poll(() => page.locator(".charts.stale").count()).toBe(1);
    await page.locator('input[name="seed"]').fill("0");
    await expect.poll(() => words.count()).toBe(0);
    await page.getByText("Arithmetic: bf16").click();
    await page.getByLabel("fp32", { exact: true }).check();
    await page.getByLabel("bf16", { exact: true }).uncheck();
    await expect.poll(() => words.textContent()).toMatch(/^For arithmetic bf16:/);
    await press(page, "Run");
    await page.getByRole("link", { name: "Schedule" }).click();
    await page.locator("[data-chart=waterfall]").waitFor();
    await page.getByRole("link", { name: "Numerics" }).click();
    expect(await shownSha(page)).toBe((await printed(page)).sha256);
    await expect.poll(() => page.title()).toMatch(/^Numerics/);
    expect(complaints).toEqual([]);
    await close();
  });

  test("runs an arithmetic of one's own, or says in which line it is wrong", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fusemax-"));
    const { page, close } = await visit(plain, site.address, {
      fragment: "#1/numerics?queries=16&keys=64&E=16&F=16&arithmetics=fp16",
    });
    await page.getByText("An arithmetic of your own").click();
    await press(page, "Edit a copy of fp16");
    const editor = page.locator("textarea");
    const text = await editor.inputValue();
    await editor.fill(text.replace("name: fp16", "name: mine\ndenominator: sideways"));
    await expect
      .poll(() => page.locator(".sheet .wrong").textContent())
      .toMatch(/^arithmetic.yaml:\d+:\d+ denominator: got/);
    expect(await page.getByRole("button", { name: "Run", exact: true }).isDisabled()).toBe(true);
    const own = text.replace("name: fp16", "name: mine\ndenominator: unrounded");
    await editor.fill(own);
    await idle(page);
    await press(page, "Run");
    await press(page, "Show mine");
    const file = join(folder, "arithmetic.yaml");
    writeFileSync(file, own);
    const command = ((await page.locator("[data-command]").nth(1).textContent()) ?? "").replace(
      "arithmetic.yaml",
      file,
    );
    const { stdout } = await invoke(
      ...command
        .replace(/--engine \w+/, "--engine cpu")
        .split(" ")
        .slice(2),
      "--json",
    );
    expect(await shownSha(page)).toBe((JSON.parse(stdout) as { output: { sha256: string } }).output.sha256);
    rmSync(folder, { recursive: true });
    await close();
  });

  /** Runs, and holds hash and file of AV to what the command line gives. */
  async function likeTheCommandLine(page: Page, folder: string, kind: "npy" | "safetensors"): Promise<void> {
    await idle(page);
    await press(page, "Run");
    const sha = await shownSha(page);
    const output = join(folder, `av.${kind}`);
    const command = (await page.locator("[data-command]").textContent()) ?? "";
    const args = command.replace(/[\w.]+\.npy/g, name => join(folder, name)).split(" ");
    const { code, stderr, stdout } = await invoke(...args.slice(2), "--output", output, "--check", "none", "--json");
    if (code !== 0) throw new Error(stderr);
    expect((JSON.parse(stdout) as { output: { sha256: string } }).output.sha256).toBe(sha);
    const [download] = await Promise.all([page.waitForEvent("download"), press(page, `Save AV as .${kind}`)]);
    expect(readFileSync(await download.path())).toEqual(readFileSync(output));
  }

  test("runs a model's attention under masks, with AV as the command line writes it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fusemax-"));
    const { page, complaints, close } = await visit(plain, site.address, {
      fragment: "#1/numerics?runModel=gemma-2-9b&queries=12&keys=12&masks=document:5,7+prefix:3&window=4,0&engine=wasm",
    });
    await page
      .getByText("16 query heads share 8 of keys and values, E 256, F 256; scores times 0.0625, capped at 50")
      .waitFor();
    await likeTheCommandLine(page, folder, "npy");
    await page.selectOption('select[name="runModel"]', "deepseek-v3-absorbed");
    await expect
      .poll(() => page.locator("[data-stale]").textContent())
      .toMatch(/^For model gemma-2-9b, .*cap 50, heads 16, /);
    for (const [name, value] of [
      ["queries", "3"],
      ["keys", "20"],
      ["masks", "document:9"],
    ] as const)
      await page.locator(`input[name="${name}"]`).fill(value);
    await expect
      .poll(() => page.locator(".run .wrong").textContent())
      .toBe(
        "Mask document: got documents of 9 tokens, and 3 queries and 20 keys; expected as many queries as keys, all of them in documents",
      );
    await page.locator('input[name="masks"]').fill("blocks:seen.npy,8");
    await expect
      .poll(() => page.locator(".run .wrong").textContent())
      .toMatch(/^Mask: got seen.npy, which is not here; expected the file/);
    const header = "{'descr': '|b1', 'fortran_order': False, 'shape': (1, 3), }";
    writeFileSync(
      join(folder, "seen.npy"),
      Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(header.length, 0)}${header}\x01\x00\x01`, "latin1"),
    );
    await page.locator('input[name="maskFiles"]').setInputFiles(join(folder, "seen.npy"));
    await page.locator('select[name="mask"]').selectOption("none");
    await page.locator('input[name="window"]').fill("");
    await likeTheCommandLine(page, folder, "safetensors");
    expect(await seriousFindings(page)).toEqual([]);
    expect(complaints).toEqual([]);
    rmSync(folder, { recursive: true });
    await close();
  });

  test.each(bundledSpecs.names("workloads"))("%s is the command line's attention", async name => {
    const state: State = { ...initialState, runModel: name, queries: 2, keys: 3, softcap: name === "bert" ? 20 : 0 };
    const asked = askedAttention(state, { shape: null, maskFiles: [] });
    if ("wrong" in asked) throw new Error(asked.wrong);
    const command = runCommand(state, "bf16", null).replace("--engine auto", "--engine cpu --check none --json");
    const { stdout } = await invoke(...command.split(" ").slice(2));
    const { workload } = JSON.parse(stdout) as { readonly workload: Record<string, unknown> };
    const { shape, seen, valuesInKeys, layers } = asked.workload;
    const { masks, causal, window } = seen;
    const softcap = asked.softcap ?? null;
    expect(workload).toMatchObject({
      ...shape,
      valuesInKeys,
      layers,
      masks,
      causal,
      window,
      softcap,
      scale: asked.scale,
    });
  });

  test("can be cancelled and run again", async () => {
    const { page, close } = await visit(plain, site.address, {
      fragment: "#1/numerics?queries=4K&keys=16K&runHeads=8&engine=cpu",
    });
    await press(page, "Run");
    await press(page, "Cancel");
    await expect.poll(() => page.getByRole("progressbar").count()).toBe(0);
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Run"); // the focus is not lost
    for (const [name, value] of [
      ["queries", "8"],
      ["keys", "32"],
      ["runHeads", "1"],
    ] as const) {
      await page.locator(`input[name="${name}"]`).fill(value);
    }
    await press(page, "Run");
    expect(await shownSha(page)).toBe((await printed(page)).sha256);
    await close();
  });

  test("takes files of tensors, and says what is wrong with others", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fusemax-"));
    const file = (name: string) => join(folder, name);
    const values = (count: number, from: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(from + i));
    const shapes = { q: [1, 2, 6, 8], k: [1, 1, 20, 8], v: [1, 1, 20, 5] } as const;
    const tensors = Object.entries(shapes).map(([name, shape]) => ({
      name,
      shape,
      values: values(
        shape.reduce<number>((a, b) => a * b, 1),
        shape[2],
      ),
    }));
    await writeSafetensors(file("qkv.safetensors"), tensors);
    for (const { name, shape, values } of tensors) await writeNpy(file(`${name}.npy`), shape, values);
    writeFileSync(file("cut.safetensors"), readFileSync(file("qkv.safetensors")).subarray(0, 200));
    writeFileSync(file("picture.png"), "not a tensor");

    const { page, complaints, close } = await visit(plain, site.address, { fragment: "#1/numerics?m0=7&engine=wasm" });
    const input = page.locator('input[name="inputFiles"]');
    const refused = async (names: readonly string[]) => {
      await input.setInputFiles(names.map(file));
      await page.getByRole("alert").waitFor();
      return page.getByRole("alert").textContent();
    };
    expect(await refused(["picture.png"])).toMatch(/^files: got picture.png; expected one .safetensors file/);
    expect(await refused(["cut.safetensors"])).toMatch(/cut.safetensors: got .*expected/);
    const shas: (string | null)[] = [];
    for (const names of [["qkv.safetensors"], ["q.npy", "k.npy", "v.npy"]]) {
      await input.setInputFiles(names.map(file));
      await page.getByText("Q [1, 2, 6, 8], K [1, 1, 20, 8], V [1, 1, 20, 5]").waitFor();
      const command = (await page.locator("[data-command]").textContent()) ?? "";
      await press(page, "Run");
      shas.push(await shownSha(page));
      const args = command
        .replace(/[\w.]+\.(npy|safetensors)/g, file)
        .split(" ")
        .slice(2);
      const { stdout, stderr } = await invoke(...args, "--json");
      expect(stderr).not.toMatch(/got/);
      expect(shas.at(-1)).toBe((JSON.parse(stdout) as { output: { sha256: string } }).output.sha256);
      await press(page, "Make inputs instead");
    }
    expect(shas[0]).toBe(shas[1]);
    const packed = readFileSync(file("qkv.safetensors")).toString("base64");
    await page.locator(".charts").evaluate((charts, text) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], "qkv.safetensors"));
      charts.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    }, packed);
    await page.getByText("qkv.safetensors: Q [1, 2, 6, 8]").waitFor();
    expect(complaints).toEqual([]);
    rmSync(folder, { recursive: true });
    await close();
  });

  test("refuses sizes that no tab holds, and values that no format holds", async () => {
    const { page, close } = await visit(plain, site.address, { fragment: "#1/numerics?queries=1M&keys=16M&E=1024" });
    expect(await page.getByRole("alert").textContent()).toMatch(/Inputs and output take .*a tab holds at most/);
    expect(await page.getByRole("button", { name: "Run", exact: true }).isDisabled()).toBe(true);
    await page.goto(`${site.address}#1/numerics?queries=4&keys=16&spread=1000000&format=fp16-strict`);
    await press(page, "Run");
    await page.locator(".run .wrong").waitFor({ timeout: 30_000 });
    expect(await page.locator(".run .wrong").textContent()).toMatch(/beyond 65504|magnitude at most 65504/);
    await close();
  });

  /** Opens the page on WebGPU with a line of code put before the worker's. */
  async function visitWith(fault: string) {
    const visited = await visit(gpu, site.address);
    await visited.page.route(/\/numerics-worker-.*\.js$/, async route => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `{${fault}};${await response.text()}` });
    });
    await visited.page.goto(`${site.address}#1/numerics?queries=16&keys=64&E=16&F=16`);
    return visited;
  }
  const hardware = `const ask = GPU.prototype.requestAdapter;
    GPU.prototype.requestAdapter = async function (o) { const a = await ask.call(this, o);
      Object.defineProperty(a, "info", { value: { vendor: "a", architecture: "card", description: "", device: "", isFallbackAdapter: false } }); return a; }`;

  test("falls back when an adapter gives wrong bits, and says so", async () => {
    const zeros =
      "const m = GPUBuffer.prototype.getMappedRange; GPUBuffer.prototype.getMappedRange = function (...a) { return new ArrayBuffer(m.apply(this, a).byteLength); }";
    const { page, close } = await visitWith(`${hardware};${zeros}`);
    expect(await shownSha(page)).toBe((await printed(page)).sha256);
    expect(await statusOf(page)).toMatch(/No GPU is used: engine webgpu on a card: a failed self-test/);
    expect(await statusOf(page)).toMatch(/Computed by engine wasm/);
    await close();
  });

  test("goes on without a GPU that is lost on the way, and says so", async () => {
    // The device goes once the self-test is through: at the first upload of 64 keys.
    const lost = `const d = GPUAdapter.prototype.requestDevice; let device;
      GPUAdapter.prototype.requestDevice = async function (o) { device = await d.call(this, o); return device; };
      let said = 0; const post = self.postMessage.bind(self);
      self.postMessage = (m, ...r) => { if (m?.step?.what === "Making inputs") device.destroy(); post(m, ...r); }`;
    const { page, close } = await visitWith(`${hardware};${lost}`);
    expect(await shownSha(page)).toBe((await printed(page)).sha256);
    expect(await statusOf(page)).toMatch(/The GPU was lost on the way \(WebGPU adapter a card: got device lost/);
    await close();
  });
});
