import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseCsv } from "../../src/io/csv.js";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-views-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("fusemax model, seen from closer", () => {
  it("prints every action as text, CSV and JSON, the same in each", async () => {
    const args = ["model", "--design", "fusemax", "--seq", "1K", "--counts"];
    const { results, schema } = JSON.parse((await invoke(...args, "--json")).stdout);
    expect(schema).toBe("fusemax.counts/1");
    const [{ accesses, operations, cycles }] = results;
    // One block of queries holds all of them: each is read once.
    expect(accesses[0]).toEqual({
      einsum: "BQK",
      level: "dram",
      tensor: "Q",
      instances: 1,
      reads: 64 * 12 * 1024 * 64,
      updates: 0,
      fills: 0,
      bytes: 2 * 64 * 12 * 1024 * 64,
      energyPj: (64 * 12 * 1024 * 64 * 249.6) / 4,
    });
    expect(operations[0]).toMatchObject({
      einsum: "BQK",
      array: "2d",
      operation: "mac",
      count: 64 * 12 * 1024 ** 2 * 64,
    });
    const { columns, rows } = parseCsv((await invoke(...args, "--csv")).stdout);
    expect(rows.length).toBe(accesses.length + operations.length + cycles.length);
    const column = (name: string): readonly string[] => rows.map(row => row[columns.indexOf(name)] ?? "");
    expect(column("reads").slice(0, accesses.length)).toEqual(accesses.map((a: { reads: number }) => String(a.reads)));
    const charged = [...accesses, ...operations].map(a => String(a.energyPj));
    expect(column("energyPj").slice(0, charged.length)).toEqual(charged);
    expect(column("count").slice(charged.length)).toEqual(cycles.map((c: { cycles: number }) => String(c.cycles)));
    const { stdout } = await invoke(...args);
    expect(stdout).toMatch(/^BQK +dram +Q +1 +50,331,648 +0 +0 +100\.7 MB +3\.141 mJ$/m);
    expect(stdout).toMatch(/^SLN +2d +mac +4,831,838,208 /m);
  });

  it("prints mappings as nests, with partial last turns", async () => {
    const { stdout } = await invoke("model", "--design", "fusemax", "--seq", "1000", "--loop-nest");
    expect(stdout).toContain(`
BQK on 2d: BQK[m1,m0,p] = Q[e,p] * BK[e,m1,m0]
  dram [ Q: 49,152,000, BK: 49,152,000 ]
    for B in [0:64)
      for H in [0:12)
        for G2 in [0:1)
          for P2 in [0:1)
            for M1 in [0:4)
  buffer [ Q: 64,000, BK: 16,384 ]
              for G1 in [0:1)
                for P1 in [0:4)
                  for E in [0:64)
  spill [ passed by ]
  column x 256
                    parallel P0 in [0:256,232)
  row x 256
                      parallel M0 in [0:256,232)
  registers2d [ Q: 1, BK: 1, BQK: 1 ]
                        BQK from Q, BK: mac
`);
    expect(stdout).toMatch(/^RM on 1d: RM\[m1\+1,p\] = max/m);
  });

  it("draws rooflines", async () => {
    const file = join(folder, "roofline.svg");
    const { code } = await invoke("model", "--design", "fusemax,unfused", "--seq", "64K", "--roofline", file);
    expect(code).toBe(0);
    const svg = readFileSync(file, "utf8");
    expect(svg).toContain("dram 429.5 GB/s");
    expect(svg).toContain("fusemax, BERT, 65,536 tokens");
  });

  it("has area by component in every form", async () => {
    const [found] = JSON.parse((await invoke("model", "--design", "flat", "--json")).stdout).results;
    const parts: readonly number[] = Object.values(found.componentAreaUm2);
    expect(parts.reduce((a, b) => a + b, 0)).toBeCloseTo(found.areaUm2, 3);
    expect((await invoke("model", "--design", "flat")).stdout).toMatch(/^Area by component$/m);
    const { columns } = parseCsv((await invoke("model", "--design", "flat", "--csv")).stdout);
    expect(columns).toEqual(expect.arrayContaining(Object.keys(found.componentAreaUm2).map(name => `areaUm2.${name}`)));
  });

  it.each([
    [["--counts", "--loop-nest"], "--counts: cannot be given with --loop-nest"],
    [["--counts", "--layer"], "--counts: cannot be given with --layer"],
    [["--loop-nest", "--csv"], "--loop-nest: cannot be given with --csv"],
    [["--roofline", "a.png"], "--roofline: got a.png; expected a file name that ends in .svg"],
  ])("refuses %j", async (args, line) => {
    const { code, stderr, stdout } = await invoke("model", ...args);
    expect([code, stdout, stderr.trim()]).toEqual([2, "", `fusemax: ${line}`]);
  });
});

describe("fusemax tables", () => {
  it("prints the paper's energies and areas", async () => {
    const [found] = JSON.parse((await invoke("tables", "--design", "fusemax", "--json")).stdout).results;
    const memory = (level: string) => found.memories.find((m: { level: string }) => m.level === level);
    // The authors' published tables (docs/model.md, "What a design is").
    expect(memory("buffer")).toMatchObject({
      instances: 1,
      wordsPerAccess: 256,
      readPj: 12512.760572,
      writePj: 15751.460572,
    });
    expect(memory("registers2d")).toMatchObject({ instances: 65536, readPj: 2.190435, writePj: 1.902435 });
    expect(memory("dram")).toMatchObject({ wordsPerAccess: 4, readPj: 249.6 });
    expect(found.operators).toContainEqual({
      array: "1d",
      operation: "divide",
      pes: 256,
      cycles: 1,
      energyPj: 36.251153,
      areaUm2: 23740.9375,
    });
    const text = (await invoke("tables", "--design", "fusemax")).stdout;
    expect(text).toMatch(/^spill +registers +1 .* as registers1d$/m);
    expect(text).toMatch(/^all +\S+ mm² +100\.0%$/m);
    const { rows } = parseCsv((await invoke("tables", "--csv")).stdout);
    expect(new Set(rows.map(row => row[0]))).toEqual(
      new Set(["unfused", "flat", "cascade", "architecture", "fusemax"]),
    );
  });
});
