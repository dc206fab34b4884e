import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-map-"));
afterAll(() => rmSync(folder, { recursive: true }));
// Nobody says what its arrays divide with, or what they do in parts.
const withoutMapping = join(folder, "..", `${basename(folder)}.yaml`);
writeFileSync(
  withoutMapping,
  "{ name: x, label: x, source: x, cascade: attention-1-pass, architecture: a100-sm, mapping: none, binding: none }",
);
afterAll(() => rmSync(withoutMapping));

describe("fusemax map", () => {
  it("writes a mapping that other commands take, and that costs what it says", async () => {
    const args = ["map", "--design", "flat", "--seq", "1K", "--budget", "3", "--out", folder];
    const { code, stdout } = await invoke(...args, "--json");
    expect(code).toBe(0);
    const { schema, found, own, search } = JSON.parse(stdout);
    expect(schema).toBe("fusemax.map/1");
    expect(found[0].latencySeconds).toBeLessThanOrEqual(own.latencySeconds);
    expect(found[0].simulated.reason).toMatch(/no value is carried from one tile of keys to the next/);
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
    const long = await invoke("model", "--design", file, "--seq", "1M");
    expect(long.code).toBe(2);
    expect(long.stderr).toMatch(
      /expected tiles that fit buffer; .*; this mapping was made for BERT, 1K tokens, batch 64$/m,
    );
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

  it("prints the command that repeats the cost, without a cap of the scores that is not mapped", async () => {
    const args = ["--design", "flat", "--model", "gemma-2-9b", "--seq", "512", "--batch", "1"];
    const out = join(folder, "capped");
    const { stdout } = await invoke("map", ...args, "--layers", "local", "--budget", "1", "--out", out);
    expect(stdout).toMatch(/fusemax model --design .* --model gemma-2-9b --seq 512 --batch 1 --no-softcap/);
  });

  it("says what was searched, what not, and why", async () => {
    const { stdout } = await invoke("map", "--design", "flat", "--seq", "1K", "--budget", "2");
    expect(stdout).toMatch(/space +\d\.\d\de\d+ mappings/);
    expect(stdout).toMatch(/- [\d,]+ cut a rank over which a block passes twice/);
    const number = (line: RegExp): number => Number(line.exec(stdout)?.[1]?.replaceAll(",", ""));
    const formed = number(/tilings +([\d,]+) of all/);
    const left = [...stdout.matchAll(/^ {20}- ([\d,]+) (?!would|left:)/gm)].map(([, n]) =>
      Number(n?.replaceAll(",", "")),
    );
    expect(left.reduce((sum, n) => sum + n, 0) + number(/= ([\d,]+) searched/)).toBe(formed);
    expect(stdout).toMatch(/not proven best/);
  });

  it("goes on where it was stopped, and is the same to the byte on any number of threads", async () => {
    const file = join(folder, "search.steps");
    const design = join(folder, "product.yaml");
    writeFileSync(join(folder, "product.cascade"), "inputs: Q[e,p], K[e,m]\nS[m,p] = Q[e,p] * K[e,m]\n");
    const parts = "cascade: ./product.cascade, architecture: flat, mapping: none, binding: none";
    writeFileSync(design, `{ name: product, label: product, source: here, ${parts} }`);
    const args = ["map", "--design", design, "--seq", "16K", "--objective", "pareto", "--budget", "20"];
    const whole = await invoke(...args, "--json", "--jobs", "2", "--resume", file);
    expect(whole.code).toBe(0);
    const lines = readFileSync(file, "utf8").split("\n");
    expect(lines.length).toBeGreaterThan(5);
    // What a kill leaves: some steps, the last cut short.
    writeFileSync(file, `${lines.slice(0, 4).join("\n")}\n${lines[4]?.slice(0, 20)}`);
    const again = await invoke(...args, "--json", "--jobs", "1", "--resume", file);
    expect(again.stderr).toContain(`fusemax: ${file}: 20 B cut short or damaged, computed again\n`);
    expect(again.stderr).toContain("fusemax: 3 steps of the search were finished before\n");
    expect(again.stdout).toBe(whole.stdout);
    const other = await invoke(...args, "--seed", "1", "--resume", file);
    expect([other.code, other.stdout]).toEqual([2, ""]);
    expect(other.stderr).toMatch(/search\.steps: got steps of another search; expected steps of this one/);
  });

  it("maps what --set makes of a machine, and writes that machine", async () => {
    const to = join(folder, "set");
    const set = ["--set", "architecture.levels.buffer.bytes=1M", "architecture.parameters.rows=128"];
    const args = ["map", "--design", "flat", "--seq", "512", "--budget", "1", ...set];
    const { stdout, stderr } = await invoke(...args, "--out", to, "--json");
    expect(stderr).toBe("");
    const [found] = JSON.parse(stdout).found;
    const file = join(to, "design.yaml");
    const model = await invoke("model", "--design", file, "--seq", "512", "--json");
    expect(JSON.parse(model.stdout).results[0]).toMatchObject({
      cycles: found.cycles,
      trafficBytes: found.trafficBytes,
    });
    expect(readFileSync(join(to, "architecture.yaml"), "utf8")).toMatch(/bytes: 1048576/);
  });

  it("weighs time and traffic on a machine whose energies nobody knows", async () => {
    const args = ["map", "--design", "flat", "--set", "architecture.technology=none", "--seq", "512", "--budget", "1"];
    const { stdout } = await invoke(...args, "--json");
    expect(JSON.parse(stdout).found[0]).toMatchObject({ energyPj: null, cycles: expect.any(Number) });
  });

  it.each([
    [["--budget", "0"], /^fusemax: --budget: got "?0"?; expected/],
    [["--budget", "5", "--exhaustive"], /^fusemax: --budget: cannot be given with --exhaustive\n$/],
    [["--design", "linear-flat"], /a design that names none; expected a cascade: what is to be mapped\n$/],
    [
      ["--design", "tpu-v4", "--objective", "edp"],
      /^fusemax: --objective: got edp on tpu-v4, whose technology none has no/,
    ],
    [
      ["--set", "mapping.symbols.P=1"],
      /got a field of the mapping, which is what is looked for; expected one of the arch/,
    ],
    [["--seed", "1", "--exhaustive"], /^fusemax: --seed: cannot be given with --exhaustive\n$/],
    [["--objective", "beauty"], /--objective/],
    [
      ["--design", withoutMapping, "--seq", "1K"],
      /no array for all of AV.*: tensor has no divide; fp32 has no divide; sfu has no divide.*; expected one array.*; or a mapping/,
    ],
    [["--layers", "global"], /^fusemax: --layers: got "global"; expected no such option for layers of one kind\n$/],
    [
      ["--model", "gemma-2-9b"],
      /--layers: got gemma-2-9b, whose layers are of 2 kinds; expected one of local, global\n$/,
    ],
    [
      ["--out", join(folder, "x"), "--resume", join(folder, "x")],
      /--out: got .*x, the file of --resume; expected a folder/,
    ],
    [
      ["--out", join(import.meta.filename, "below")],
      /map\.test\.ts.below: .*; expected a folder that can be written\n$/,
    ],
    [["--set", "architecture.levels.registers2d.depth=0"], /depth: got 0; expected a whole number of at least 1\n$/],
  ])("refuses %j in one line", async (args, line) => {
    const { code, stdout, stderr } = await invoke("map", ...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(line);
    expect(stderr.trim().split("\n").length).toBe(1);
  });
});
