import { describe, expect, it } from "vitest";
import { parseCsv } from "../../src/io/csv.js";
import { invoke } from "./invoke.js";

interface Result {
  readonly design: string;
  readonly seq: number;
  readonly cycles: number;
  readonly energyPj: number;
  readonly areaUm2: number;
  readonly einsums: Readonly<Record<string, { readonly energyPj: number }>>;
  readonly components: Readonly<Record<string, { readonly energyPj: number }>>;
  readonly uncorrected: Readonly<Record<string, { readonly latency: number; readonly energy: number }>>;
}
const results = async (...args: readonly string[]): Promise<readonly Result[]> => {
  const { code, stdout, stderr } = await invoke("model", ...args, "--json");
  expect([code, stderr]).toEqual([0, ""]);
  const { schema, results } = JSON.parse(stdout) as { schema: string; results: readonly Result[] };
  expect(schema).toBe("fusemax.model/1");
  return results;
};

describe("fusemax model", () => {
  it("models the paper's five designs, BERT at 4K, when asked for nothing else", async () => {
    const found = await results();
    expect(found.map(r => r.design)).toEqual(["unfused", "flat", "cascade", "architecture", "fusemax"]);
    expect(found.map(r => r.seq)).toEqual([4096, 4096, 4096, 4096, 4096]);
    // 64 * 12 heads of 16 x 16 tiles, (1 + F + F / M1) + 1 + 8 + F cycles each.
    expect(found[4]?.cycles).toBe(64 * 12 * 256 * (1 + 64 + 4 + 1 + 8 + 64));
  });

  it("splits the energy by component and by Einsum, without a remainder", async () => {
    for (const { energyPj, einsums, components } of await results("--model", "xlm", "--seq", "1K,64K")) {
      for (const parts of [einsums, components]) {
        const sum = Object.values(parts).reduce((total, part) => total + part.energyPj, 0);
        expect(Math.abs(sum / energyPj - 1)).toBeLessThan(1e-12);
      }
    }
  });

  it("says under `published` what each correction would move", async () => {
    const [found] = await results("--design", "fusemax", "--seq", "1M");
    expect(found?.uncorrected["register-energy"]?.energy).toBeGreaterThan(1.5);
    expect(found?.uncorrected["divider"]?.latency).toBeGreaterThanOrEqual(1);
    const { stdout } = await invoke("model", "--design", "fusemax");
    expect(stdout).toMatch(/Left uncorrected .*\n\n.*\n.*\nregister-energy +- +x1\.6/);
    expect((await invoke("model", "--design", "fusemax", "--correct", "all")).stdout).not.toMatch(/uncorrected/);
  });

  it("replaces or multiplies fields of the specs", async () => {
    const area = async (...set: readonly string[]) => (await results("--design", "fusemax", ...set))[0]?.areaUm2 ?? 0;
    const doubled = await area("--set", "architecture.levels.buffer.bytes*=2");
    expect(doubled).toBe(await area("--set", "architecture.levels.buffer.bytes=32*MiB"));
    expect(doubled).toBeGreaterThan(await area());
    expect(await area("--set", "architecture.parameters.rows=128", "architecture.parameters.columns=128")).toBeLessThan(
      await area("--set", "architecture.parameters.rows=128"),
    );
  });

  it("prints CSV, a row a result", async () => {
    const { stdout } = await invoke(
      "model",
      "--design",
      "fusemax,flat",
      "--model",
      "bert",
      "t5",
      "--seq",
      "1K",
      "--csv",
    );
    const { columns, rows } = parseCsv(stdout);
    expect(columns.slice(0, 4)).toEqual(["design", "model", "batch", "seq"]);
    expect(rows.map(row => row.slice(0, 4).join())).toEqual([
      "fusemax,BERT,64,1024",
      "flat,BERT,64,1024",
      "fusemax,T5,64,1024",
      "flat,T5,64,1024",
    ]);
  });

  it.each([
    [["--design", "gpu"], /design: got 'gpu'; expected one of architecture, cascade, .* or a YAML file/],
    [["--model", "gpt9"], /workload: got 'gpt9'; expected one of bert/],
    [["--design", "none.yaml"], /none\.yaml: got no such file/],
    [["--seq", "0"], /--seq: got "0"/],
    [["--seq", "2T"], /--seq: got "2T"; expected at most 1024G tokens/],
    [["--batch", "x"], /--batch: got "x"/],
    [["--set", "rows=128"], /--set: got "rows=128"; expected FIELD=VALUE/],
    [
      ["--set", "architecture.parameters.lines=1"],
      /the field 'architecture.parameters.lines'; expected one of D, rows/,
    ],
    [["--set", "architecture.parameters.rows=1+"], /got/],
    [["--json", "--csv"], /--csv: got --json as well/],
    [["--accounting", "published", "--correct", "divider"], /--correct: got corrections with --accounting published/],
  ])("%j is refused in one line", async (args, message) => {
    const { code, stdout, stderr } = await invoke("model", ...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain("\n");
  });
});
