import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { RunResult } from "../../src/report/run-result.js";
import { invoke } from "./invoke.js";
import { hashOf, run } from "./run-json.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-run-design-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

describe("run --design", () => {
  const few = ["--q-len", "6", "--kv-len", "530", "--head-dim", "8", "--causal"];

  it("emulates the cascade that a design names, tile by tile as its mapping cuts", async () => {
    const results: RunResult[] = [];
    for (const design of ["fusemax", "cascade", "architecture", "flat", "unfused"]) {
      results.push(await run(...few, "--design", design));
    }
    const [fusemax, cascade, architecture, flat, unfused] = results;
    expect(fusemax?.output.sha256).toBe(await hashOf(...few));
    expect(cascade?.output.sha256).toBe(fusemax?.output.sha256);
    expect(architecture?.output.sha256).toBe(fusemax?.output.sha256);
    expect(flat).toMatchObject({ design: "flat", cascade: "attention-3-pass" });
    expect(flat?.output.sha256).not.toBe(fusemax?.output.sha256);
    expect(unfused?.output.sha256).toBe(flat?.output.sha256);
    expect(flat?.error?.rmsRelative).toBeLessThan(0.01);
    expect(flat?.cost.cycles).not.toBe(unfused?.cost.cycles);
  });

  it("takes a design of one's own, with a cascade and tiles of its own", async () => {
    const specs = join(import.meta.dirname, "../../specs");
    const spec = (kind: string, name: string): string => readFileSync(join(specs, kind, `${name}.yaml`), "utf8");
    writeFileSync(at("two.cascade"), readFileSync(join(specs, "cascades/attention-2-pass.cascade")));
    writeFileSync(at("small.yaml"), spec("architectures", "fusemax").replace("D: 256", "D: 128"));
    const design = spec("designs", "fusemax").replace("architecture: fusemax", "architecture: small.yaml");
    writeFileSync(at("mine.yaml"), design.replace("name: fusemax", "name: mine"));
    const own = await run(...few, "--design", at("mine.yaml"), "--cascade", at("two.cascade"));
    expect(own).toMatchObject({ design: "mine", cascade: "two", tile: { m0: 128, p0: 128 } });
    // The design's mapping is of its own cascade, and so is the cost.
    expect(own.costOfCascade).toMatch(/attention-1-pass$/);
    expect(own.output.sha256).not.toBe(await hashOf(...few, "--cascade", "attention-2-pass"));
    expect(own.output.sha256).toBe(await hashOf(...few, "--cascade", "attention-2-pass", "--array", "128x1"));
  });

  it("gives the same bits on every engine", async () => {
    for (const design of [
      ["--design", "flat"],
      ["--design", "unfused"],
      ["--design", "cascade"],
      ["--design", join(import.meta.dirname, "../designs/two-pass/mine.yaml")],
      ["--cascade", "attention-2-pass"],
    ]) {
      const wanted = await hashOf(...few, ...design);
      for (const engine of ["wasm", "webgpu"]) {
        const { code, stdout } = await invoke("run", "--json", ...few, ...design, "--engine", engine);
        expect([engine, code]).toEqual([engine, 0]);
        expect((JSON.parse(stdout) as RunResult).output.sha256).toBe(wanted);
      }
    }
  });

  it.each([
    [["--design", "linear-flat"], /linear-flat, which names no cascade/],
    [
      ["--design", "nothing"],
      /--design: got "nothing"; expected one of \S.* and \d+ others in specs\/designs or a YAML file/,
    ],
    [["--cascade", "linear-attention"], /is not attention: on random inputs/],
    [["--cascade", "log-sum-exp"], /no tensor Q/],
  ])("refuses %j in one line", async (options, message) => {
    const { code, stdout, stderr } = await invoke("run", "--engine", "cpu", ...few, ...options);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr.split("\n")[0]).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
  });
});
