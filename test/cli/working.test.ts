import { availableParallelism } from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";
import { showProgress, startProgress } from "../../src/cli/progress.js";
import { mostJobs } from "../../src/platform/jobs.js";
import { nodeWasmHost } from "../../src/platform/wasm-host.js";
import { invoke } from "./invoke.js";

afterEach(() => {
  showProgress("auto");
  vi.restoreAllMocks();
});

describe("--progress plain", () => {
  it("says a line every half minute and one at the end, wherever stderr goes", async () => {
    let now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    const said: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation(text => said.push(String(text)) > 0);
    showProgress("plain");
    const progress = await startProgress("sweep", "points", 1000, true, 100);
    for (now = 1000; now <= 90_000; now += 1000) progress.update(100 + now / 100);
    progress.stop();
    expect(said).toEqual([
      "fusemax: sweep: 400 of 1000 points, 1 min 0 s left\n",
      "fusemax: sweep: 700 of 1000 points, 30 s left\n",
      "fusemax: sweep: 1000 of 1000 points, 0.0 s left\n",
      "fusemax: sweep: 1000 of 1000 points, 1 min 31 s\n",
    ]);
  });

  it("is one of the styles, and holds for one command line", async () => {
    const plain = await invoke("run", "--engine", "cpu", "--seq", "16", "--progress", "plain", "--json");
    expect(plain.stderr).toMatch(/^fusemax: emulating on cpu: 16 of 16 rows, 0\.\d s$/m);
    expect((await invoke("run", "--engine", "cpu", "--seq", "16", "--json")).stderr).toBe("");
    expect((await invoke("sweep", "--progress", "loud")).stderr).toMatch(
      /--progress: got "loud"; expected one of auto/,
    );
  });
});

describe("--jobs", () => {
  it("bounds the threads of one command line", async () => {
    expect((await invoke("sweep", "--jobs", "1")).code).toBe(0);
    expect([mostJobs(), (await nodeWasmHost()).threads]).toEqual([1, 1]);
    await invoke("tables");
    expect(mostJobs()).toBe(availableParallelism());
    expect((await invoke("sweep", "--jobs", "0")).stderr).toMatch(/--jobs/);
  });
});
