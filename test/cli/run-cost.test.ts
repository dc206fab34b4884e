import { describe, expect, it } from "vitest";
import { fromSeed, withValuesInKeys } from "../../src/cli/run/inputs.js";
import { invoke } from "./invoke.js";

interface Cost {
  readonly accounting: string;
  readonly wordBits: number;
  readonly cycles: number;
  readonly busyCycles: number;
  readonly seconds: number;
  readonly frequencyHz: number;
  readonly dramBytes: number;
  readonly energyPj?: number;
  readonly missing: readonly string[];
}
const light = ["run", "--engine", "cpu", "--check", "none"];
const costOf = async (...args: readonly string[]): Promise<Cost> => {
  const { code, stdout } = await invoke(...light, "--json", ...args);
  expect(code).toBe(0);
  return JSON.parse(stdout).cost;
};
const textOf = async (...args: readonly string[]): Promise<string> => (await invoke(...light, ...args)).stdout;

describe("what run says of the cost", () => {
  it("reads DeepSeek's latent once", async () => {
    // 1024 latents of 576; 128 queries of 576 in, 128 rows of 512 out; 2 bytes each.
    const { dramBytes } = await costOf("--model", "deepseek-v3-absorbed", "--q-len", "1", "--kv-len", "1K");
    expect(dramBytes).toBe(1_458_176);
    expect(dramBytes).toBe(2 * (1024 * 576 + 128 * (576 + 512)));
  });

  it("generates a latent's values as the first part of its keys", async () => {
    const shape = { batch: 2, heads: 4, kvHeads: 2, queries: 3, keys: 7, headDim: 5, valueDim: 3 };
    const pieces = withValuesInKeys(fromSeed(shape, 1, 1), shape);
    const valuesOf = async (name: "k" | "v"): Promise<readonly number[]> => {
      const values: number[] = [];
      for await (const piece of pieces(name)) values.push(...piece);
      return values;
    };
    const keys = await valuesOf("k");
    expect(keys).toHaveLength(2 * 2 * 7 * 5);
    expect(await valuesOf("v")).toEqual(keys.filter((_, i) => i % 5 < 3));
    const asked = ["--model", "deepseek-v3-absorbed", "--heads", "2", "--q-len", "1", "--kv-len", "9"];
    expect(JSON.parse((await invoke(...light, "--json", ...asked)).stdout).workload.valuesInKeys).toBe(true);
  });

  it("gives one meaning to cycles: the time's", async () => {
    for (const args of [
      ["--seq", "256"],
      ["--seq", "700", "--array", "64x32"],
      ["--q-len", "1", "--kv-len", "2K"],
    ]) {
      const { cycles, busyCycles, seconds, frequencyHz } = await costOf(...args);
      expect(cycles / (seconds * frequencyHz)).toBeCloseTo(1, 12);
      expect(busyCycles).toBeLessThanOrEqual(cycles * (1 + 1e-12));
    }
    // DRAM's 131,072 bytes take longer than the tile's 202 cycles.
    const text = await textOf("--seq", "256");
    expect(text).toContain("cycles    287; 202 of computation\n");
    expect(text).toContain("time      305.2 ns at 940 MHz and 400 GiB/s\n");
  });

  it("counts bytes of the format's words, and says which they are", async () => {
    const [bf16, fp32] = [await costOf("--seq", "300"), await costOf("--seq", "300", "--format", "fp32")];
    expect([bf16.wordBits, fp32.wordBits]).toEqual([16, 32]);
    expect(fp32.dramBytes).toBe(2 * bf16.dramBytes);
    expect(await textOf("--seq", "300", "--format", "fp32")).toContain(
      "words     32 bits of Q, K, V, P, sums, output\n",
    );
  });

  it("leaves out an energy that nobody knows, and names it", async () => {
    const [bf16, fp32] = [await costOf("--seq", "64"), await costOf("--seq", "64", "--format", "fp32")];
    expect([bf16.missing, bf16.energyPj !== undefined]).toEqual([[], true]);
    expect([fp32.missing, "energyPj" in fp32]).toEqual([["energyPj"], false]);
    expect(await textOf("--seq", "64", "--format", "fp32")).toMatch(
      /energy {4}not known: the technology has no mac of fp32, .*registers of 32 bits/,
    );
  });

  it("charges 16 bits by the published accounting, whatever the format, and says so", async () => {
    const args = ["--seq", "300", "--accounting", "published"];
    const [bf16, fp32] = [await costOf(...args), await costOf(...args, "--format", "fp32")];
    expect(fp32).toEqual(bf16);
    expect(await textOf(...args, "--format", "fp32")).toContain("16 bits, whatever the format: fp32 has 32");
  });

  it("counts as published what is the paper's, else corrected, and says so first", async () => {
    for (const [args, accounting] of [
      [[], "published"],
      [["--array", "256x256"], "published"],
      [["--format", "fp16-strict"], "published"],
      [["--array", "64x64"], "corrected"],
      [["--format", "fp32"], "corrected"],
      [["--array", "64x64", "--accounting", "published"], "published"],
    ] as const) {
      expect((await costOf("--seq", "100", ...args)).accounting).toBe(accounting);
      expect((await textOf("--seq", "100", ...args)).split("\n")[0]).toBe(
        `FuseMax attention, emulated bit for bit; accounting: ${accounting}`,
      );
    }
    expect((await costOf("--seq", "100", "--correct", "divider")).accounting).toBe("corrected");
  });

  it("says which kind of a model's layers it is", async () => {
    const args = ["--model", "gemma-2-9b", "--heads", "2", "--kv-heads", "1", "--seq", "20"];
    expect(JSON.parse((await invoke(...light, "--json", ...args)).stdout).workload.layers).toBe("local");
    expect(await textOf(...args)).toContain("gemma-2-9b, local layers: ");
  });
});

describe("words of another width in fusemax model", () => {
  it("have bytes, and neither energy nor area from a technology that lacks them", async () => {
    const asked = ["--design", "fusemax", "--seq", "1K", "--set", "architecture.wordBits=8"];
    const [result] = JSON.parse((await invoke("model", ...asked, "--json")).stdout).results;
    const [whole] = JSON.parse((await invoke("model", "--design", "fusemax", "--seq", "1K", "--json")).stdout).results;
    expect([result.wordBits, result.missing]).toEqual([8, ["energyPj", "areaUm2"]]);
    expect(result.trafficBytes).toBe(whole.trafficBytes / 2);
    expect(["energyPj", "areaUm2"].filter(name => name in result)).toEqual([]);
    expect(Object.values(result.einsums).some(einsum => "energyPj" in (einsum as object))).toBe(false);
    const { stdout } = await invoke("model", ...asked);
    expect(stdout).toContain("fusemax: bytes are those of 8-bit words; the technology has energy and area for others.");
    expect(stdout).not.toContain("Energy by component");
    const swept = JSON.parse((await invoke("sweep", "--set", "architecture.wordBits=8,16", "--json")).stdout).points;
    expect(swept.map((point: object) => "energyPj" in point)).toEqual([false, true]);
  });
});
