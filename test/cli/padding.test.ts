import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { emulate, formatArithmetics, noMask } from "../../src/index.js";
import { npyBytes } from "../io/tensor-files.js";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-padding-"));
afterAll(() => rmSync(folder, { recursive: true }));

const shape = [2, 1, 8, 16] as const;
const values = (seed: number, lengths: readonly number[], padding: number): number[] =>
  Array.from({ length: 256 }, (_, i) =>
    Math.floor(i / 16) % 8 < (lengths[Math.floor(i / 128)] ?? 0) ? Math.sin(seed + i) : padding,
  );

/** A batch of 8 and of 2 keys, of 8 and of 3 queries: what lies past them is `padding`. */
function files(padding: number): readonly string[] {
  return ["q", "k", "v"].flatMap((name, i) => {
    const path = join(folder, `${name}.npy`);
    writeFileSync(path, npyBytes(values(i, name === "q" ? [8, 3] : [8, 2], padding), { shape }));
    return [`--${name}`, path];
  });
}

describe("keys and queries past a batch's length do not exist", () => {
  it.each(["cpu", "wasm"])("whatever their places hold, on %s", async engine => {
    const hashes: string[] = [];
    for (const padding of [0, Number.NaN, Number.POSITIVE_INFINITY, 3e38]) {
      const lengths = ["--kv-lens", "8,2", "--q-lens", "8,3"];
      const { code, stdout } = await invoke(
        "run",
        "--json",
        "--engine",
        engine,
        "--check",
        "full",
        ...lengths,
        ...files(padding),
      );
      expect(code).toBe(0);
      const { output, error } = JSON.parse(stdout) as { output: { sha256: string }; error: { maxAbs: number } };
      expect(error.maxAbs).toBeLessThan(0.02);
      hashes.push(output.sha256);
    }
    expect(new Set(hashes).size).toBe(1);
  });

  it("and those that exist are refused as ever", async () => {
    const { code, stderr } = await invoke(
      "run",
      "--engine",
      "cpu",
      "--kv-lens",
      "8,3",
      "--q-lens",
      "8,3",
      ...files(Number.NaN),
    );
    expect(stderr).toMatch(/^fusemax: k\[1, 0, 2, 0\]: got NaN; expected a finite value/);
    expect(code).toBe(2);
  });

  it("in the library as well", async () => {
    const problem = {
      shape: { batch: 2, heads: 1, kvHeads: 1, queries: 8, keys: 8, headDim: 16, valueDim: 16 },
      mask: { ...noMask, kvLens: [8, 2], qLens: [8, 3] },
      tile: { m0: 4, p0: 4 },
      arithmetic: formatArithmetics.bf16,
      scale: 0.25,
    };
    const [a, b] = await Promise.all(
      [0, Number.NaN].map(padding => {
        const tensor = (seed: number, lengths: readonly number[]) => Float32Array.from(values(seed, lengths, padding));
        return emulate(problem, { q: tensor(0, [8, 3]), k: tensor(1, [8, 2]), v: tensor(2, [8, 2]) });
      }),
    );
    expect(a?.sha256).toBe(b?.sha256);
  });
});

describe("files of [B, S, H, D]", () => {
  const save = (name: string, sizes: readonly number[]): string => {
    const path = join(folder, name);
    writeFileSync(path, npyBytes(Array(sizes.reduce((a, b) => a * b, 1)).fill(0.5), { shape: sizes }));
    return path;
  };
  const run = (q: readonly number[], k: readonly number[]) =>
    invoke(
      "run",
      "--engine",
      "cpu",
      "--check",
      "none",
      "--q",
      save("lq.npy", q),
      "--k",
      save("lk.npy", k),
      "--v",
      save("lv.npy", k),
    );

  it("get a note where heads are far more than queries and keys", async () => {
    const { code, stderr } = await run([1, 16, 4, 8], [1, 16, 4, 8]);
    expect(stderr).toBe(
      "fusemax: the files are read as [B, H, S, D]: 16 heads of 4 queries and 4 keys; if they are [B, S, H, D], take --layout bshd\n",
    );
    expect(code).toBe(0);
  });

  it("get advice where their heads do not fit", async () => {
    const { code, stderr } = await run([1, 1, 32, 8], [1, 64, 8, 8]);
    expect(stderr).toMatch(
      /got 64 heads; expected a divisor of the 1 .*heads.*; --layout bshd reads files that are \[B, S, H, D\]/,
    );
    expect(code).toBe(2);
  });

  it("and decode, with its few queries, gets none", async () => {
    expect(await run([1, 32, 1, 8], [1, 8, 64, 8])).toMatchObject({ code: 0, stderr: "" });
  });
});
