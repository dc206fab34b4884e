import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { pieces } from "../../src/cli/sweep/results.js";
import { parseValues } from "../../src/cli/sweep/values.js";
import { parseCsv } from "../../src/io/csv.js";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-sweep-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const sides = ["--set", "architecture.parameters.D=64..512*2"];

describe("fusemax sweep", () => {
  it("crosses fields, designs and lengths, the last field fastest, and prints CSV", async () => {
    const { code, stdout, stderr } = await invoke(
      ...[
        "sweep",
        "--accounting",
        "published",
        "--design",
        "fusemax",
        "flat",
        "--seq",
        "1K,4K",
        "--set",
        "architecture.parameters.D=128,256",
      ],
      ...["--set", "technology.operations.mac.energyPj=10,20", "--set", "workload.heads=1,2"],
    );
    expect([code, stderr]).toEqual([0, ""]);
    expect((await invoke("sweep", "--set", "architecture.levels.buffer.bytes=20M,16MiB")).stderr).toMatch(
      /CACTI's table lacks the buffer of 1 of 2 points;/,
    );
    const { columns, rows } = parseCsv(stdout);
    expect(rows.length).toBe(2 * 2 * 2 * 2 * 2);
    expect(columns.slice(0, 10).join()).toBe(
      "design,model,batch,seq,phase,queries,layers,architecture.parameters.D,technology.operations.mac.energyPj,workload.heads",
    );
    expect(rows.slice(0, 3).map(row => row.slice(3, 10).join())).toEqual([
      "1024,prefill,1024,,128,10,1",
      "1024,prefill,1024,,128,10,2",
      "1024,prefill,1024,,128,20,1",
    ]);
    // The swept field counts: arithmetic is most of the energy.
    const energy = columns.indexOf("energyPj");
    expect(Number(rows[2]?.[energy]) / Number(rows[0]?.[energy])).toBeGreaterThan(1.5);
  });

  it.each([
    ["bert", "published", []],
    ["llama-3-8b", "corrected", []],
    ["llama-3-8b", "published", ["--phase", "decode", "--queries", "3"]],
  ])("gives at the specs' own values what fusemax model gives of %s under %s %j", async (name, accounting, phase) => {
    const asked = ["--seq", "16K", "--model", name, "--accounting", accounting, ...phase];
    const { stdout: swept } = await invoke("sweep", ...sides, ...asked);
    const row = parseCsv(swept).rows.find(cells => cells[7] === "256") ?? [];
    const { stdout: model } = await invoke("model", "--design", "fusemax", ...asked, "--csv");
    const { columns, rows } = parseCsv(model);
    expect(row.slice(0, 4)).toEqual(rows[0]?.slice(0, 4)); // design, model, batch, seq
    expect(row.slice(4, 6)).toEqual(["phase", "queries"].map(column => rows[0]?.[columns.indexOf(column)]));
    expect(row.slice(8, 15)).toEqual(rows[0]?.slice(4, 11));
  });

  it("goes on where it was stopped, with the same result", async () => {
    const [all, some] = [at("all.csv"), at("some.csv")];
    await invoke("sweep", ...sides, "--seq", "1K..64K*2", "--out", all, "--resume", at("points"));
    const lines = readFileSync(at("points"), "utf8");
    // A process killed while it wrote: the last line has no end.
    writeFileSync(at("killed"), lines.slice(0, -20));
    const { stderr } = await invoke("sweep", ...sides, "--seq", "1K..64K*2", "--out", some, "--resume", at("killed"));
    expect(stderr).toMatch(/cut short or damaged, computed again/);
    expect(readFileSync(some, "utf8")).toBe(readFileSync(all, "utf8"));
    const again = await invoke("sweep", ...sides, "--seq", "1K..64K*2", "--out", some, "--resume", at("killed"));
    expect(again.stderr).toMatch(/28 of 28 points were finished before/);
    expect(readFileSync(some, "utf8")).toBe(readFileSync(all, "utf8"));
  });

  it("says of a point that cannot be mapped why, and goes on", async () => {
    const { code, stdout } = await invoke("sweep", "--set", "architecture.levels.buffer.bytes=64K,16M");
    const [small, enough] = parseCsv(stdout).rows;
    expect(code).toBe(0);
    expect(small?.at(-1)).toMatch(/bytes over its 65536/);
    expect(enough?.at(-1)).toBe("");
  });

  it("writes CSV, JSON and a chart", async () => {
    const out = ["p.csv", "p.json", "p.svg"].map(at);
    const { stdout } = await invoke("sweep", ...sides, "--pareto", "latencySeconds,areaUm2", "--out", ...out);
    expect(stdout).toMatch(/^Accounting: corrected .*\n4 points; 4 on the Pareto front; in /);
    const json = JSON.parse(readFileSync(at("p.json"), "utf8")) as { schema: string; points: { pareto: boolean }[] };
    expect([json.schema, json.points.length, json.points[0]?.pareto]).toEqual(["fusemax.sweep/1", 4, true]);
    expect(readFileSync(at("p.svg"), "utf8")).toMatch(/^<svg .*/);
  });

  it("law: points compete within one workload, swept fields of it included, and one length", async () => {
    const { stdout } = await invoke("sweep", "--set", "workload.heads=6,12", ...sides, "--seq", "1K,4K");
    const { columns, rows } = parseCsv(stdout);
    const [pareto, energy, latency, heads, seq] = ["pareto", "energyPj", "latencySeconds", "workload.heads", "seq"].map(
      name => columns.indexOf(name),
    ) as [number, number, number, number, number];
    for (const row of rows) {
      const rivals = rows.filter(other => other[heads] === row[heads] && other[seq] === row[seq]);
      const cost = (of: readonly string[]) => [Number(of[latency]), Number(of[energy])] as const;
      const beaten = rivals.some(other => {
        const [[a, b], [c, d]] = [cost(other), cost(row)];
        return a <= c && b <= d && (a < c || b < d);
      });
      expect(row[pareto], row.join()).toBe(beaten ? "0" : "1");
    }
  });

  it("takes more of a share as better", async () => {
    const { stdout } = await invoke("sweep", "--design", "fusemax,flat", "--seq", "4K", "--pareto", "useful2d");
    const { columns, rows } = parseCsv(stdout);
    expect(rows.map(row => row[columns.indexOf("pareto")])).toEqual(["1", "0"]);
  });

  it("has the same columns for any design, and a share only of arrays that it has", async () => {
    const mine = at("mine.yaml");
    const spec = (kind: string): string => readFileSync(new URL(`../../specs/${kind}`, import.meta.url), "utf8");
    const rename = (text: string): string => text.replace(/\b1d\b/g, "vector");
    const arch = spec("architectures/fusemax.yaml")
      .replace(/^ {2}1d:/m, "  vector:")
      .replace("arrays.1d.", "arrays.vector.");
    writeFileSync(at("arch.yaml"), arch);
    writeFileSync(at("map.yaml"), rename(spec("mappings/fusemax.yaml")));
    writeFileSync(
      mine,
      "name: mine\nlabel: mine\nsource: mine\ncascade: attention-1-pass\narchitecture: arch.yaml\nmapping: map.yaml\nbinding: fusemax\n",
    );
    const [one, other] = [
      await invoke("sweep", "--accounting", "published"),
      await invoke("sweep", "--accounting", "published", "--design", mine),
    ];
    const [a, b] = [parseCsv(one.stdout), parseCsv(other.stdout)];
    expect(b.columns).toEqual(a.columns);
    const cell = (of: typeof a, name: string) => of.rows[0]?.[of.columns.indexOf(name)];
    for (const name of ["cycles", "util2d", "useful2d", "util", "useful"])
      expect(cell(b, name), name).toBe(cell(a, name));
    expect([cell(b, "util1d"), cell(b, "useful1d")]).toEqual(["", ""]);
    expect(Number(cell(a, "useful1d"))).toBeGreaterThan(0.5);
  });

  it("draws axes that fit the data, and names even a single design", async () => {
    await invoke("sweep", ...sides, "--seq", "1K,64K", "--out", at("fit.svg"));
    const svg = readFileSync(at("fit.svg"), "utf8");
    expect(svg).toMatch(/<text[^>]*>fusemax<\/text>/);
    // The points of each panel reach over most of its plotting area, 240 pixels high.
    const panels = svg
      .split("<g transform")
      .slice(1)
      .map(panel => [...panel.matchAll(/translate\(([\d.]+),([\d.]+)\)" fill/g)]);
    const drawn = panels.filter(marks => marks.length > 2);
    expect(drawn).toHaveLength(2);
    for (const marks of drawn) {
      for (const axis of [1, 2]) {
        const at = marks.map(mark => Number(mark[axis]));
        expect(Math.max(...at) - Math.min(...at)).toBeGreaterThan(0.8 * 240);
      }
    }
  });

  it("draws the whole front, and of many other points one in so many", async () => {
    await invoke("sweep", "--set", "architecture.frequencyHz=1e8..1e9:2002", "--out", at("many.svg"), at("many.csv"));
    const svg = readFileSync(at("many.svg"), "utf8");
    expect(svg).toContain("one point in 2 and all of the fronts");
    const { columns, rows } = parseCsv(readFileSync(at("many.csv"), "utf8"));
    const drawn = rows.filter((row, i) => row[columns.indexOf("pareto")] === "1" || i % 2 === 0);
    expect(svg.match(/<title>fusemax /g)).toHaveLength(drawn.length);
  });

  it.each([
    [["--set", "D=1"], /--set D: got "D"; expected a field of architecture/],
    [
      ["--set", "architecture.parameters.X=1,2"],
      /got the field 'architecture\.parameters\.X'; expected one of D, rows, columns/,
    ],
    [["--set", "mapping.einsums.QK.array=1,2"], /--set mapping\.einsums\.QK\.array: got 1; expected a string/],
    [["--set", "architecture.technology=1,2"], /--set architecture\.technology: got 1; expected a string/],
    [["--set", "workload.layers=1"], /got the field 'layers'; expected one of batch, heads/],
    [["--set", "architecture.parameters.D=-1"], /got "-1"; expected a number/],
    [["--set", "architecture.parameters.D=1..8"], /expected a range FIRST\.\.LAST/],
    [["--set", "architecture.parameters.D=8..1*2"], /last value is not below its first/],
    [["--set", "architecture.parameters.D"], /expected FIELD=VALUES/],
    [["--set", "architecture.parameters.D=4,4"], /got 4 twice/],
    [["--pareto", "energyPj,,areaUm2"], /--pareto: got "energyPj,,areaUm2"; expected a comma-separated list/],
    [["--batch", "8", "--set", "workload.batch=1,2"], /--batch: cannot be given with --set workload.batch/],
    [["--phase", "decode"], /--phase: got decode of BERT; expected one of its phases: prefill/],
    [["--model", "llama-3-8b", "--queries", "2"], /--queries: got --phase prefill; expected --phase decode/],
    [["--model", "gpt9"], /--model: got "gpt9"; expected one of gpt-2, gpt-3, /],
    [["--design", "gpu"], /--design: got "gpu"; expected one of fsa, /],
    [["--set", "architecture.parameters.D=1..1e9+1"], /1000000000 values; expected at most 10000000/],
    [["--set", "architecture.parameters.D=1..1e6+1,7"], /got 7 twice/],
    [["--pareto", "speed"], /--pareto: got "speed"; expected some of cycles/],
    [["--out", "x.txt"], /--out: got "x\.txt"; expected a name that ends in/],
    [["--seq", "1.5"], /--seq: got 1\.5/],
  ])("%j is refused in one line", async (args, message) => {
    const { code, stdout, stderr } = await invoke("sweep", ...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain("\n");
  });

  it("refuses the points of another sweep, and a file that is something else", async () => {
    await invoke("sweep", ...sides, "--resume", at("other"), "--out", at("o.csv"));
    const { code, stderr } = await invoke(
      "sweep",
      "--set",
      "architecture.parameters.D=64",
      "--resume",
      at("other"),
      "--out",
      at("refused.csv"),
    );
    expect([code, stderr]).toEqual([2, expect.stringMatching(/got points of another sweep/)]);
    appendFileSync(at("text"), "hello\n");
    expect((await invoke("sweep", ...sides, "--resume", at("text"))).stderr).toMatch(
      /is not a file of finished points/,
    );
    expect(readFileSync(at("text"), "utf8")).toBe("hello\n");
    expect(existsSync(at("refused.csv"))).toBe(false);
  });
});

it("law: output goes out in pieces that are far shorter than the longest string, and nothing is lost between them", () => {
  const lines = Array.from({ length: 60_000 }, (_, i) => `${i},${"x".repeat(i % 100)}\n`);
  const parts = [...pieces(lines)];
  expect(parts.length).toBeGreaterThan(2);
  expect(Math.max(...parts.map(({ length }) => length))).toBeLessThan(2 ** 20 + 200);
  expect(parts.join("") === lines.join("")).toBe(true);
});

describe("values of a field", () => {
  const values = (text: string): readonly number[] => parseValues("--set x", text);
  it.each([
    ["1,2.5,4K", [1, 2.5, 4096]],
    ["4M..16M*2", [4 * 2 ** 20, 8 * 2 ** 20, 16 * 2 ** 20]],
    ["64..256+64", [64, 128, 192, 256]],
    ["0..1:5", [0, 0.25, 0.5, 0.75, 1]],
    ["1e6..4e6*2,9", [1e6, 2e6, 4e6, 9]],
  ])("%s", (text, want) => expect(values(text)).toEqual(want));

  it("geometric ranges reach their last value", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 2, max: 10 }), (n, factor) => {
        const list = values(`3..${3 * factor ** Math.min(n, 12)}*${factor}`);
        expect(list.length).toBe(Math.min(n, 12) + 1);
      }),
    );
  });

  it("keeps heads apart that share no keys, and sweeps how many do", async () => {
    const cyclesOf = async (...args: readonly string[]): Promise<readonly number[]> => {
      const { columns, rows } = parseCsv((await invoke("sweep", "--seq", "2K", ...args)).stdout);
      return rows.map(row => Number(row[columns.indexOf("cycles")]));
    };
    const [six, twelve] = await cyclesOf("--accounting", "published", "--set", "workload.heads=6,12");
    expect((twelve ?? 0) / (six ?? 1)).toBeCloseTo(2, 9);
    const [shared, apart] = await cyclesOf(
      "--accounting",
      "published",
      "--model",
      "llama-3-8b",
      "--set",
      "workload.kvHeads=8,32",
    );
    expect((apart ?? 0) / (shared ?? 1)).toBeCloseTo(1, 9);
  });
});
