import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseCsv } from "../../src/io/csv.js";
import { invoke } from "./invoke.js";

interface Costs {
  readonly latencySeconds: number;
  readonly trafficBytes: number;
}
interface Result extends Costs {
  readonly design: string;
  readonly seq: number;
  readonly cycles: number;
  readonly energyPj: number;
  readonly areaUm2: number;
  readonly einsums: Readonly<Record<string, { readonly energyPj: number }>>;
  readonly components: Readonly<Record<string, { readonly energyPj: number }>>;
  readonly queries: number;
  readonly headsPerKey: number;
  readonly layers: string | null;
  readonly operationsPerByte: number;
  readonly use: Readonly<
    Record<
      string,
      { useful: number; masked: number; unfilled: Readonly<Record<string, number>>; dram: number; binding: number }
    >
  >;
  readonly layer?: Costs & { readonly products: Readonly<Record<string, Costs>> };
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
    expect(doubled).toBe(await area("--set", "architecture.levels.buffer.bytes=32M")); // as a sweep writes it
    expect(doubled).toBeGreaterThan(await area());
    expect(await area("--set", "architecture.parameters.rows=128", "architecture.parameters.columns=128")).toBeLessThan(
      await area("--set", "architecture.parameters.rows=128"),
    );
  });

  it("says of a buffer between or beyond the table's sizes that it is estimated", async () => {
    const text = async (bytes: string): Promise<string> =>
      (await invoke("model", "--design", "fusemax", "--set", `architecture.levels.buffer.bytes=${bytes}`)).stdout;
    expect(await text("16*MiB")).not.toMatch(/CACTI/);
    expect(await text("20*MiB")).toMatch(
      /fusemax: the energy and area of buffer are interpolated between CACTI's sizes/,
    );
    expect(await text("256*MiB")).toMatch(/extrapolated beyond CACTI's sizes/);
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

  it("reads each key once in decode, whatever number of heads shares it, and is held up by DRAM for that", async () => {
    const found = await results("--model", "llama-3-8b", "--phase", "decode", "--seq", "8K", "--correct", "bandwidth");
    const cache = 2 * 8 * 8192 * (128 + 128);
    for (const { design, trafficBytes, queries, headsPerKey } of found) {
      expect([queries, headsPerKey]).toEqual([1, 4]);
      expect(trafficBytes, design).toBeGreaterThanOrEqual(cache);
    }
    const fusemax = found.find(r => r.design === "fusemax");
    // Beside the cache: 32 queries in, 32 rows out.
    expect(fusemax?.trafficBytes).toBe(cache + 2 * 32 * (128 + 128));
    // A key is used by four heads: 4 x (2 x 256 multiply-adds of 1 + about 12 more) / 512 bytes.
    expect(fusemax?.operationsPerByte).toBeGreaterThan(4);
    expect(fusemax?.operationsPerByte).toBeLessThan(5);
    expect(fusemax?.use["2d"]?.unfilled["column"]).toBeGreaterThan(0.5);
  });

  it("leaves the breakdowns of many points to --json and --csv, and says so", async () => {
    const [few, many] = [await invoke("model", "--seq", "1K,2K"), await invoke("model", "--seq", "1K,2K,4K")];
    expect(few.stdout).toContain("flat, by Einsum\n");
    expect(few.stdout).not.toContain("or fewer points");
    expect(many.stdout).not.toContain("by Einsum\n");
    expect(many.stdout).toContain("Energy by component and by Einsum: --json, --csv, or fewer points.");
  });

  it("seeks what a file names beside that file first", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fusemax-beside-"));
    const spec = (kind: string): string => readFileSync(new URL(`../../specs/${kind}`, import.meta.url), "utf8");
    writeFileSync(join(folder, "wide.yaml"), spec("architectures/fusemax.yaml").replace("16 * MiB", "32 * MiB"));
    writeFileSync(
      join(folder, "mine.yaml"),
      spec("designs/fusemax.yaml").replace(/^architecture: .*$/m, "architecture: wide.yaml"),
    );
    const areas = await results("--design", "fusemax", join(folder, "mine.yaml"), "--seq", "4K");
    rmSync(folder, { recursive: true });
    expect(areas).toHaveLength(2);
    expect(areas[1]?.areaUm2).toBeGreaterThan(areas[0]?.areaUm2 ?? Number.NaN);
  });

  it("says of grouped heads and of lengths past a model's context what they are", async () => {
    const { stdout } = await invoke("model", "--model", "llama-3-8b", "--phase", "decode", "--seq", "128K");
    expect(stdout).toContain("For each key head (8): 1 query x 4 heads = 4 rows against 131,072 keys.");
    expect(stdout).toContain("Llama 3 8B was made for at most 8,192 positions.");
    const within = await invoke("model", "--model", "llama-3-8b", "--phase", "decode", "--seq", "8K");
    expect(within.stdout).not.toContain("was made for");
  });

  it("charges a causal mask the tiles that it touches: just over half", async () => {
    const args = ["--model", "llama-2-7b", "--seq", "16K"];
    const [masked, whole] = [await results(...args), await results(...args, "--no-mask")];
    masked.forEach(({ design, cycles, use }, i) => {
      const share = cycles / (whole[i]?.cycles ?? 0);
      expect(share, design).toBeGreaterThan(0.499);
      expect(share, design).toBeLessThan(0.56);
      expect(use["2d"]?.masked, design).toBeLessThan(0.02);
    });
  });

  it("spends every PE-cycle on something", async () => {
    const found = await results("--model", "gemma-2-9b", "gpt-2", "whisper-large-cross", "--seq", "300,5000");
    expect(found.filter(r => r.layers === "local")).toHaveLength(10);
    for (const { design, use } of found) {
      for (const [array, { useful, masked, unfilled, dram, binding }] of Object.entries(use)) {
        const all = useful + masked + dram + binding + Object.values(unfilled).reduce((a, b) => a + b, 0);
        expect(all, `${design} ${array}`).toBeCloseTo(1, 9);
        for (const share of [useful, masked, dram, binding, ...Object.values(unfilled)])
          expect(share).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it("models ragged batches by their lengths", async () => {
    const one = async (n: string) => (await results("--model", "qwen3-8b", "--design", "fusemax", "--kv-lens", n))[0];
    const [a, b, both] = [await one("300"), await one("4096"), await one("300,4096")];
    expect(both?.cycles).toBeCloseTo((a?.cycles ?? 0) + (b?.cycles ?? 0), -1);
  });

  it("completes a layer: its products read each active expert's matrices once", async () => {
    const args = ["--model", "mixtral-8x22b", "--phase", "decode", "--seq", "4K", "--layer", "--design", "fusemax"];
    const [found] = await results(...args);
    const experts = 2 * 2 * 3 * 6144 * 16384;
    const read = ["gate", "up", "down"].map(part => found?.layer?.products[`experts ${part}`]?.trafficBytes ?? 0);
    const bytes = read.reduce((sum, own) => sum + own, 0);
    expect(bytes / experts).toBeGreaterThanOrEqual(1);
    expect(bytes / experts).toBeLessThan(1.001);
    expect(found?.layer?.latencySeconds).toBeGreaterThan(found?.latencySeconds ?? 0);
  });

  it("gives DeepSeek-V3's absorbed decode one read of the latent where the cascade passes once", async () => {
    const found = await results("--model", "deepseek-v3-absorbed", "--phase", "decode", "--seq", "128K");
    const latent = 2 * 131072 * 576;
    const reads = Object.fromEntries(found.map(r => [r.design, Math.floor(r.trafficBytes / latent)]));
    expect(reads).toMatchObject({ fusemax: 1, architecture: 1, cascade: 1, unfused: 2 });
    expect(reads["flat"]).toBeGreaterThanOrEqual(2);
    const { stdout } = await invoke("model", "--model", "deepseek-v3-absorbed", "--phase", "decode", "--seq", "128K");
    expect(stdout).toMatch(/For each key head \(1\): 1 query x 128 heads = 128 rows against 131,072 keys/);
  });

  it.each([
    [["--model", "bert", "--phase", "decode"], /--phase: got decode of BERT; expected one of its phases: prefill/],
    [["--kv-lens", "100,200", "--seq", "4K"], /--kv-lens: cannot be given with --seq/],
    [
      ["--kv-lens", "0,0", "--model", "gpt-2"],
      /--kv-lens: got a longest sequence of 0; expected one of 1 to 2\^40 keys/,
    ],
    [["--queries", "0"], /--queries: got "0"/],
    [["--design", "gpu"], /--design: got "gpu"; expected one of fsa, .* others in specs\/designs or a YAML file/],
    [["--model", "gpt9"], /--model: got "gpt9"; expected one of gpt-2, gpt-3, .* others in specs\/workloads/],
    [["--design", "none.yaml"], /none\.yaml: no such file/],
    [["--seq", "0"], /--seq: got "0"/],
    [["--seq", "1K,,4K"], /--seq: got "1K,,4K"; expected a comma-separated list with nothing left blank/],
    [["--seq", ""], /--seq: got nothing; expected a comma-separated list/],
    [["--design", "fusemax,"], /--design: got "fusemax,"; expected a comma-separated list/],
    [["--queries", "4"], /--queries: got --phase prefill; expected --phase decode/],
    [["--queries", "4096G"], /--queries: got "4096G"; expected at most 1,099,511,627,776/],
    [["--seq", "2T"], /--seq: got "2T"; expected at most 1024G tokens/],
    [["--batch", "x"], /--batch: got "x"/],
    [["--set", "rows=128"], /--set: got "rows=128"; expected FIELD=VALUE/],
    [
      ["--set", "architecture.parameters.lines=1"],
      /the field 'architecture.parameters.lines'; expected one of D, rows/,
    ],
    [["--set", "architecture.parameters.rows=1+"], /got/],
    [["--json", "--csv"], /--csv: cannot be given with --json/],
    [["--phase", "training"], /--phase: got "training"; expected one of prefill, decode/],
    [["--accounting", "paper"], /--accounting: got "paper"; expected one of published, corrected/],
    [["--design", ".github.yaml"], /\.github\.yaml: no such file or folder; expected a YAML file that can be read/],
    [["--accounting", "published", "--correct", "divider"], /--correct: cannot be given with --accounting published/],
    [
      ["--softcap-division", "divider"],
      /^fusemax: --softcap-division: needs a cap: --softcap, or a model that has one/,
    ],
    [["--accounting", "corrected", "--correct", "divider"], /--correct: cannot be given with --accounting corrected/],
  ])("%j is refused in one line", async (args, message) => {
    const { code, stdout, stderr } = await invoke("model", ...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain("\n");
  });
});
