import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-cascades-"));
afterAll(() => rmSync(folder, { recursive: true }));
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe("fusemax passes", () => {
  it("prints the analysis as the JSON that the schema promises", async () => {
    const { code, stdout, stderr } = await invoke(
      "passes",
      "attention-3-pass",
      "--rank",
      "M",
      "--shape",
      "M=4K",
      "--json",
    );
    expect([code, stderr]).toEqual([0, ""]);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ schema: "fusemax.passes/1", cascade: "attention-3-pass" });
    expect(Object.keys(report.ranks)).toEqual(["M"]);
    expect(report.ranks.M).toMatchObject({
      passes: 3,
      stages: 3,
      footprints: [
        { tensor: "QK", elements: "M", bytes: 8192 },
        { tensor: "SN", elements: "M", bytes: 8192 },
      ],
      barriers: [
        { before: "GM", after: "SN", through: "QK", why: "SN reads QK[:,p] after GM[p] has read all of it" },
        { before: "SD", after: "A", through: "SN", why: "A reads SN[:,p] after SD[p] has read all of it" },
      ],
    });
    expect(report.ranks.M.einsums.map((e: { tensor: string; pass: number }) => [e.tensor, e.pass])).toEqual([
      ["QK", 1],
      ["GM", 1],
      ["SN", 2],
      ["SD", 2],
      ["A", 3],
      ["AV", 3],
    ]);
    expect(report.operations[0]).toEqual({ tensor: "QK", op: "mac", count: "E*M*P", value: null });
  });

  it("counts footprints in elements of the size that is asked for", async () => {
    const args = ["passes", "attention-3-pass", "--rank", "M", "--shape", "M=4K", "--json"];
    const bytes = async (...more: readonly string[]): Promise<number[]> =>
      JSON.parse((await invoke(...args, ...more)).stdout).ranks.M.footprints.map((f: { bytes: number }) => f.bytes);
    expect(await bytes()).toEqual([8192, 8192]);
    expect(await bytes("--element-bytes", "4")).toEqual([16384, 16384]);
  });

  it("gives numbers of operations past 2^53 as text, to the last digit", async () => {
    const shape = "M=1G,P=1G,E=65,F=64";
    const { operations } = JSON.parse((await invoke("passes", "attention-3-pass", "--shape", shape, "--json")).stdout);
    expect(operations[0].value).toBe(String(65n * 2n ** 60n));
    expect((await invoke("passes", "attention-3-pass", "--shape", shape)).stdout).toContain(String(65n * 2n ** 60n));
  });

  it("shows inputs on which cascades differ, the first 64 values of long ones", async () => {
    const { code, stdout } = await invoke("equal", "cascade-1", "cascade-3", "--shape", "K=70");
    expect(code).toBe(1);
    const [, shown = ""] = /^ {2}A = \[(.*)\]$/m.exec(stdout) ?? [];
    expect(shown.split(", ")).toHaveLength(65);
    expect(shown).toMatch(/, \.\.\.$/);
  });

  it("answers for every rank, under each of its names", async () => {
    const path = file("prefix.txt", "S[i] = A[k: k<=i]\nZ[i] = S[i]*A[i]\n");
    const all = JSON.parse((await invoke("passes", path, "--json")).stdout);
    expect([all.cascade, Object.keys(all.ranks), all.ranks.K]).toEqual(["prefix", ["K", "I"], all.ranks.I]);
    const one = JSON.parse((await invoke("passes", path, "--rank", "i", "--json")).stdout);
    expect(one.ranks).toEqual({ I: all.ranks.K });
  });

  it("prints for people", async () => {
    const { code, stdout } = await invoke(
      "passes",
      "attention-1-pass",
      "--rank",
      "M0",
      "--shape",
      "M0=256,M=4K,P=1,E=64,F=64",
    );
    expect(code).toBe(0);
    expect(stdout).toContain("Over M0: 2 passes in 2 stages in each iteration of M1");
    expect(stdout).toContain("SLN reads BQK[m1,:,p] after LM[m1,p] has read all of it (LM -> RM -> SLN)");
    expect(stdout).toContain("BQK: M0 (512 B)");
  });

  it("lists the library", async () => {
    const { stdout } = await invoke("passes", "--json");
    const names = JSON.parse(stdout).cascades.map((c: { name: string }) => c.name);
    expect(names).toContain("attention-1-pass");
    expect(names.length).toBeGreaterThanOrEqual(15);
  });

  it.each([
    [
      ["passes", "nothing-there"],
      /nothing-there: no such cascade or file; expected a file, or one of .* others in specs\/cascades/,
    ],
    [["passes", "softmx"], /did you mean softmax\?/],
    [["passes", "."], /\.: got a folder/],
    [["passes", "softmax", "--rank", "Q"], /--rank: got the rank Q, which softmax does not have; expected one of M/],
    [["passes", "softmax", "--shape", "M"], /--shape: got "M"; expected rank=size/],
    [["passes", "softmax", "--shape", "M=0"], /--shape: got "M=0"/],
    [["passes", "softmax", "--shape", "K=2"], /rank K, which softmax does not have/],
    [
      ["passes", "softmax", "--element-bytes", "-1"],
      /--element-bytes: got "-1"; expected a whole number of at least 1/,
    ],
    [["passes", "softmax", "--element-bytes", "2K"], /--element-bytes: got "2K"; expected at most 1,024/],
    [["passes", "attention-1-pass", "--shape", "M=10,M0=3"], /M = 10, which 3 does not divide/],
    [["equal", "softmax", "layer-norm"], /1 and 2 ranks/],
    [["equal", "softmax", "softmax", "--tolerance", "-1"], /--tolerance/],
    [["equal", "softmax", "softmax", "--trials", "1M"], /--trials: got "1M"; expected at most 100,000/],
    [["equal", "softmax"], /missing required argument/],
    [["help", "nothing"], /^fusemax: unknown command 'nothing'; see fusemax --help\n$/],
    [["import", "nothing"], /^fusemax: unknown command 'nothing'; see fusemax import --help\n$/],
    [["import"], /^fusemax: no command given; see fusemax import --help\n$/],
    [["taxonomy", "--shape", "M=x"], /--shape: got "M=x"/],
  ])("%j is refused in one line with exit 2", async (args, message) => {
    const { code, stdout, stderr } = await invoke(...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n").length).toBe(1);
  });

  it("points into a text that is no cascade", async () => {
    const path = file("bad.txt", "Y = A[k]\nZ = Y * B[k\n");
    const { code, stderr } = await invoke("passes", path);
    expect(code).toBe(2);
    const [message, line, caret] = stderr.trimEnd().split("\n");
    expect(message).toMatch(/bad\.txt:2:12: got the end of the line; expected "\]"/);
    expect([line, caret]).toEqual(["  Z = Y * B[k", "             ^"]);
  });
});

describe("fusemax taxonomy", () => {
  it("computes Table I", async () => {
    const { stdout } = await invoke("taxonomy", "--json", "--shape", "M=4096,M0=256,P=4096,E=64,F=64");
    const rows = JSON.parse(stdout).algorithms;
    const brief = Object.fromEntries(
      rows.map((r: { cascade: string; passes: number; footprints: unknown[]; divisions: { count: string } }) => [
        r.cascade,
        [r.passes, r.footprints.length > 0, r.divisions.count],
      ]),
    );
    expect(brief).toEqual({
      "attention-3-pass": [3, true, "M*P"],
      "attention-3-pass-deferred": [2, true, "F*P"],
      "attention-2-pass": [2, true, "F*P"],
      "attention-1-pass": [1, false, "F*P"],
    });
    const onePass = rows.find((r: { cascade: string }) => r.cascade === "attention-1-pass");
    expect(onePass.systems).toContain("FlashAttention-2");
    expect(onePass.macs).toEqual({ count: "E*M0*M1*P + F*M0*M1*P", value: 2 * 64 * 4096 * 4096 });
    expect((await invoke("taxonomy")).stdout).toContain("3 over M");
  });
});

describe("fusemax equal", () => {
  it("exits with 0 when equal and with 1 when not", async () => {
    const equal = await invoke("equal", "attention-3-pass", "attention-1-pass", "--shape", "M=12,M0=4");
    expect([equal.code, equal.stderr]).toEqual([0, ""]);
    expect(equal.stdout).toContain("largest difference");
    const different = await invoke(
      "equal",
      "softmax",
      file("naive.txt", "SD = exp(X[m])\nY[m] = exp(X[m])/SD"),
      "--json",
    );
    expect(different.code).toBe(1);
    const report = JSON.parse(different.stdout);
    expect(report).toMatchObject({
      schema: "fusemax.equal/1",
      equal: false,
      firstDiffering: { input: "far from zero" },
    });
  });

  it("compares in PE arithmetic", async () => {
    const args = ["equal", "attention-3-pass", "attention-1-pass", "--arithmetic", "fp32", "--tolerance"];
    expect((await invoke(...args, "1e-3")).code).toBe(0);
    expect((await invoke(...args, "1e-12")).code).toBe(1);
  });
});

describe("fusemax traffic-bound", () => {
  it("prints bounds beside the modelled traffic, and draws them", async () => {
    const svg = join(folder, "bound.svg");
    const { code, stdout } = await invoke("traffic-bound", "--seq", "4K,1M", "--json", "--chart", svg);
    expect(code).toBe(0);
    const study = JSON.parse(stdout);
    expect(study).toMatchObject({ schema: "fusemax.traffic-bound/1", model: "BERT", batch: 64 });
    expect(study.panels.map((p: { bufferBytes: number }) => p.bufferBytes)).toEqual([2 ** 25, 2 ** 24]);
    for (const { designs, points } of study.panels) {
      for (const { bounds, modelled } of points) {
        for (const { design, cascade } of designs) expect(bounds[cascade].bytes).toBeLessThanOrEqual(modelled[design]);
      }
    }
    expect(readFileSync(svg, "utf8")).toMatch(/^<svg .*Least DRAM traffic of attention by cascade, BERT/s);
  });

  it("prints text and CSV, for one buffer", async () => {
    const args = ["traffic-bound", "--seq", "64K", "--buffer", "16MiB", "--model", "xlm"];
    const { stdout } = await invoke(...args);
    expect(stdout).toContain("16 MiB buffer");
    const small = await invoke(
      "traffic-bound",
      "--seq",
      "1K",
      "--buffer",
      "512K",
      "--model",
      "llama-3-8b",
      "--no-mask",
    );
    expect(small.stdout).toMatch(/^Least .*Llama 3 8B, batch 1; accounting: corrected\n.*512 KiB buffer/s);
    expect(stdout).toMatch(/fusemax, modelled\n/);
    const csv = (await invoke(...args, "--csv")).stdout.trim().split("\n");
    expect(csv[0]).toBe(
      "seq,layers,buffer_bytes,compulsory,attention-3-pass,attention-3-pass-deferred,attention-2-pass,attention-1-pass,flat_modelled,fusemax_modelled,accounting",
    );
    expect(csv.length).toBe(2);
    expect(csv[1]?.split(",").toSpliced(1, 1).slice(0, -1).map(Number).every(Number.isFinite)).toBe(true);
    expect(csv[1]?.split(",").at(-1)).toBe("corrected");
  });

  it.each([
    [["--seq", "0"], /--seq/],
    [
      ["--cascade", file("d.cascade", "QK[m,p] = Q[p,d] * K[m,d]\nZ[p,f] = QK[m,p] * V[m,f]"), "--seq", "1K"],
      /--cascade d: got the rank D; expected attention's ranks P, M, E, F/,
    ],
    [["--queries", "2"], /--queries: got --phase prefill; expected --phase decode/],
    [["--buffer", "none"], /--buffer: got "none"/],
    [["--cascade", "softmax"], /softmax: no rank P/],
    [["--design", "nothing"], /--design: got "nothing"/],
    [["--cascade", "attention-1-pass,,attention-2-pass"], /--cascade: got .* nothing left blank/],
    [["--json", "--csv"], /--csv: cannot be given with --json/],
    [["--seq", ","], /--seq: got ","; expected a comma-separated list/],
    [["--cascade", ""], /--cascade: got nothing; expected a comma-separated list/],
    [["--chart", "/no/such/folder/x.svg", "--seq", "1K"], /folder/],
    [["--chart", "x.png"], /--chart: got x\.png; expected a file name that ends in \.svg/],
  ])("%j is refused", async (args, message) => {
    const { code, stdout, stderr } = await invoke("traffic-bound", ...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
  });
});
