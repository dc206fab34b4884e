import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-map-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("fusemax map", () => {
  it("writes a mapping that other commands take, and that costs what it says", async () => {
    const args = ["map", "--design", "flat", "--seq", "1K", "--budget", "3", "--out", folder];
    const { code, stdout } = await invoke(...args, "--json");
    expect(code).toBe(0);
    const { schema, found, own, search } = JSON.parse(stdout);
    expect(schema).toBe("fusemax.map/1");
    expect(found[0].latencySeconds).toBeLessThanOrEqual(own.latencySeconds);
    expect(search.tilings.visited).toBeLessThanOrEqual(3);
    expect(BigInt(search.space) > 10n ** 9n).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(["binding.yaml", "design.yaml", "mapping.yaml"]);
    const file = join(folder, "design.yaml");
    const model = await invoke("model", "--design", file, "--seq", "1K", "--accounting", "published", "--json");
    const [result] = JSON.parse(model.stdout).results;
    expect(result).toMatchObject({ cycles: found[0].cycles, trafficBytes: found[0].trafficBytes });
    expect(result.energyPj).toBeCloseTo(found[0].energyPj, 0);
    const nest = await invoke("model", "--design", file, "--seq", "1K", "--loop-nest");
    expect(nest.stdout).toMatch(/^QK on 2d: QK\[m,p\] = Q\[e,p\] \* K\[e,m\]$/m);
    const passes = await invoke(
      "run",
      "--design",
      file,
      "--seq",
      "256",
      "--heads",
      "1",
      "--batch",
      "1",
      "--engine",
      "cpu",
    );
    expect([passes.code, passes.stderr]).toEqual([0, ""]);
  });

  it("needs no mapping and no binding to begin with", async () => {
    const file = join(folder, "unmapped.yaml");
    const parts = "cascade: attention-3-pass, architecture: flat, mapping: none, binding: none";
    writeFileSync(file, `{ name: mine, label: mine, source: here, ${parts} }`);
    const { code, stdout } = await invoke("map", "--design", file, "--seq", "512", "--budget", "1", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ design: "mine", own: null });
  });

  it("says what was searched, what not, and why", async () => {
    const { stdout } = await invoke("map", "--design", "flat", "--seq", "1K", "--budget", "2");
    expect(stdout).toMatch(/space +\d\.\d\de\d+ mappings/);
    expect(stdout).toMatch(/[\d,]+ more cut a rank over which a block passes twice/);
    expect(stdout).toMatch(/not proven best/);
  });

  it.each([
    [["--budget", "0"], /^fusemax: --budget: got "?0"?; expected/],
    [["--budget", "5", "--exhaustive"], /^fusemax: --budget: got --exhaustive beside it; expected one of the two\n$/],
    [["--design", "linear-flat"], /a design that names none; expected a cascade: what is to be mapped\n$/],
    [["--objective", "beauty"], /--objective/],
  ])("refuses %j in one line", async (args, line) => {
    const { code, stdout, stderr } = await invoke("map", ...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(line);
    expect(stderr.trim().split("\n").length).toBe(1);
  });
});
