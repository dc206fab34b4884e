import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, describe, expect, it } from "vitest";
import { noMask } from "../../src/attention/mask.js";
import type { InputName } from "../../src/attention/shape.js";
import { alibiSlopes, withAlibi } from "../../src/emulator/alibi.js";
import { generateNormal } from "../../src/emulator/generate.js";
import { readNpy } from "../../src/io/npy.js";
import { readSafetensors } from "../../src/io/safetensors.js";
import { formats } from "../../src/numerics/format.js";
import type { RunResult } from "../../src/report/run-result.js";
import { concat, type Element, elementBytes, npyBytes, safetensorsBytes } from "../io/tensor-files.js";
import { invoke } from "./invoke.js";
import { hashOf, run } from "./run-json.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-run-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const save = (name: string, bytes: Uint8Array): string => {
  writeFileSync(at(name), bytes);
  return at(name);
};

const sizes = [
  "--heads",
  "2",
  "--q-len",
  "5",
  "--kv-len",
  "9",
  "--head-dim",
  "4",
  "--value-dim",
  "3",
  "--array",
  "4x2",
];

describe("the JSON of run", () => {
  it("has the fields of schema fusemax.run/1", async () => {
    const result = await run(...sizes, "--seed", "7", "--check", "full");
    expect(result).toMatchObject({
      schema: "fusemax.run/1",
      workload: {
        model: null,
        batch: 1,
        heads: 2,
        kvHeads: 2,
        queries: 5,
        keys: 9,
        headDim: 4,
        valueDim: 3,
        scale: 0.5,
        seed: 7,
        causal: false,
        window: [-1, -1],
        kvLens: null,
        qLens: null,
      },
      design: "fusemax",
      cascade: "attention-1-pass",
      costOfCascade: null,
      tile: { m0: 4, p0: 2 },
      format: "bf16",
      engine: { name: "cpu", adapter: null },
      output: { shape: [1, 2, 5, 3], sha256: expect.stringMatching(/^[0-9a-f]{64}$/), rowsWithoutKeys: 0 },
      error: {
        checkedRows: 10,
        worst: { b: 0, h: expect.any(Number), p: expect.any(Number), f: expect.any(Number) },
        withInputRounding: { maxAbs: expect.any(Number), rms: expect.any(Number), rmsRelative: expect.any(Number) },
        baseline: { maxAbs: expect.any(Number), rms: expect.any(Number), rmsRelative: expect.any(Number) },
      },
      time: { totalSeconds: expect.any(Number), emulateSeconds: expect.any(Number), gflops: expect.any(Number) },
    });
    expect(result.error?.maxAbs).toBeGreaterThan(0);
    expect(result.error?.maxAbs).toBe(Math.abs((result.error?.worst?.got ?? 0) - (result.error?.worst?.expected ?? 0)));
  });

  it("has the documented defaults", async () => {
    const { workload, tile, format, error } = await run();
    expect(workload).toMatchObject({
      batch: 1,
      heads: 1,
      kvHeads: 1,
      queries: 1024,
      keys: 1024,
      headDim: 64,
      valueDim: 64,
    });
    expect(workload).toMatchObject({ seed: 0, scale: 0.125 });
    expect(tile).toEqual({ m0: 256, p0: 256 });
    expect(format).toBe("bf16");
    expect(error?.checkedRows).toBe(64);
  });

  const t5Note =
    "fusemax: the model adds a relative position bias, one value per head and bucket of distances to its scores, which is left out: --bias FILE gives its values\n";

  // FuseMax section VI.
  it.each([
    ["BERT", 12, 64],
    ["trxl", 16, 64],
    ["T5", 8, 64],
    ["Xlm", 16, 128],
  ])("knows the model %s", async (name, heads, width) => {
    const { stdout, stderr } = await invoke(
      ...["run", "--engine", "cpu", "--json", "--model", name],
      "--seq",
      "2",
      "--check",
      "none",
    );
    const { workload, error } = JSON.parse(stdout) as RunResult;
    // What T5 adds to its scores comes with a file.
    expect(stderr).toBe(name === "T5" ? t5Note : "");
    if (name === "T5") expect(workload.scale).toBe(1);
    expect(workload.model?.toLowerCase()).toMatch(new RegExp(`^${name.toLowerCase()}`));
    expect(workload).toMatchObject({ batch: 1, heads, kvHeads: heads, headDim: width, valueDim: width, queries: 2 });
    expect(error).toBeNull();
  });
});

describe("inputs from files", () => {
  const names = ["q", "k", "v"] as const;
  type Name = (typeof names)[number];
  const shapes: Record<Name, number[]> = { q: [1, 2, 5, 4], k: [1, 2, 9, 4], v: [1, 2, 9, 3] };
  const generated = Object.fromEntries(
    names.map(name => [
      name,
      [
        ...generateNormal(
          3,
          name,
          shapes[name].reduce((a, b) => a * b, 1),
        ),
      ],
    ]),
  ) as Record<Name, number[]>;
  const tile = ["--array", "4x2"];
  const expected = () => hashOf(...sizes, "--seed", "3");
  const npyFiles = (descr: Element, reorder = (values: number[], _: readonly number[]) => values, fortran = false) =>
    names.flatMap(name => {
      const bytes = npyBytes(reorder(generated[name], shapes[name]), { descr, shape: shapes[name], fortran });
      return [`--${name}`, save(`${name}-${descr.replace(/\W/g, "")}-${fortran}.npy`, bytes)];
    });

  it("gives the bits of the same values generated, with seed null", async () => {
    const result = await run(...npyFiles("<f4"), ...tile);
    expect(result.output.sha256).toBe(await expected());
    expect(result.workload).toMatchObject({
      seed: null,
      heads: 2,
      kvHeads: 2,
      queries: 5,
      keys: 9,
      headDim: 4,
      valueDim: 3,
    });
  });

  it("reads float64, Fortran order, .npz and .safetensors alike", async () => {
    const transpose = (values: number[], shape: readonly number[]): number[] => {
      const [a = 1, b = 1, c = 1, d = 1] = shape;
      const out: number[] = [];
      for (let l = 0; l < d; l++) {
        for (let k = 0; k < c; k++) {
          for (let j = 0; j < b; j++) {
            for (let i = 0; i < a; i++) out.push(values[((i * b + j) * c + k) * d + l] ?? Number.NaN);
          }
        }
      }
      return out;
    };
    expect(await hashOf(...npyFiles("<f8"), ...tile)).toBe(await expected());
    expect(await hashOf(...npyFiles("<f4", transpose, true), ...tile)).toBe(await expected());
    const members = names.map(name => [`${name}.npy`, npyBytes(generated[name], { shape: shapes[name] })]);
    const archive = save("qkv.npz", zipSync(Object.fromEntries(members)));
    expect(await hashOf("--input", archive, ...tile)).toBe(await expected());
    const parts = names.map(name => elementBytes("<f4", generated[name]));
    let begin = 0;
    const header = Object.fromEntries(
      names.map((name, i) => {
        const end = begin + (parts[i]?.length ?? 0);
        const entry = { dtype: "F32", shape: shapes[name], data_offsets: [begin, end] };
        begin = end;
        return [name, entry];
      }),
    );
    const tensors = save("qkv.safetensors", safetensorsBytes(header, concat(parts)));
    expect(await hashOf("--input", tensors, ...tile)).toBe(await expected());
  });

  it("rounds a float64 once, directly to the operand", async () => {
    // Just above the middle between two bfloat16: through fp32 it would fall on the middle and round to even, 1.
    const above = 1 + 2 ** -8 + 2 ** -40;
    const one = save("one.npy", npyBytes([1], { shape: [1, 1, 1, 1] }));
    const v = save("above.npy", npyBytes([above], { shape: [1, 1, 1, 1], descr: "<f8" }));
    await run("--q", one, "--k", one, "--v", v, "--output", at("once.npy"));
    expect([...(await (await readNpy(at("once.npy"))).load())]).toEqual([1 + 2 ** -7]);
  });
});

describe("outputs", () => {
  it("writes AV as fp32 to .npy and .safetensors, whose bytes hash to the sha256 of the report", async () => {
    const { output } = await run(...sizes, "--output", at("av.npy"));
    const npy = await readNpy(at("av.npy"));
    expect(npy.shape).toEqual(output.shape);
    const values = await npy.load();
    expect(createHash("sha256").update(new Uint8Array(values.buffer)).digest("hex")).toBe(output.sha256);
    await run(...sizes, "--output", at("av.safetensors"));
    const tensor = (await readSafetensors(at("av.safetensors"))).tensor("av");
    expect(tensor.dtype).toBe("F32");
    expect(tensor.shape).toEqual(output.shape);
    expect(await tensor.load()).toEqual(values);
  });

  it("dumps every intermediate of a ragged tile, key rows first", async () => {
    await run(...sizes, "--causal", "--dump-tile", "0,1,2,1", "--dump", at("tile.safetensors"));
    const file = await readSafetensors(at("tile.safetensors"));
    const shapes = Object.fromEntries(
      file.names.filter(name => name !== "exists").map(name => [name, file.tensor(name).shape]),
    );
    // Key 8 alone in the last tile of 9 by 4; queries 2 and 3.
    const [scores, running, values] = [[1, 2], [2], [3, 2]];
    expect(shapes).toEqual({
      ...{ BQK: scores, SLN: scores, SLNV: values, SPNV: values, RNV: values },
      ...{ LM: running, RM: running, SLD: running, PRM: running, SPD: running, RD: running },
    });
    const header = readFileSync(at("tile.safetensors"), "utf8");
    expect(header).toMatch(/"exists":\{"dtype":"U8","shape":\[1,2\]/);
    // Causal, 5 queries on 9 keys: query 3 sees keys up to 7, so key 8 is masked for both.
    expect([...(await file.tensor("BQK").load())]).toEqual([0, 0]);
  });

  it("exits with 1 when the error is above --max-error, after a full report", async () => {
    const { code, stdout, stderr } = await invoke("run", "--engine", "cpu", ...sizes, "--max-error", "1e-9");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^fusemax: the largest error, \S+, is above --max-error 1e-9\n$/);
    expect(stdout).toMatch(/sha256 {2,}[0-9a-f]{64}/);
    expect((await invoke("run", "--engine", "cpu", ...sizes, "--max-error", "1")).code).toBe(0);
  });

  it("prints help and version on stdout", async () => {
    const help = await invoke("run", "--help");
    expect(help).toMatchObject({ code: 0, stderr: "" });
    for (const option of ["--model", "--kv-lens", "--dump-tile", "--resume", "--json", "Examples:"]) {
      expect(help.stdout).toContain(option);
    }
    expect(await invoke("--version")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe("masks", () => {
  it("says what was asked and counts rows without keys", async () => {
    const args = ["--q-len", "6", "--kv-len", "4", "--head-dim", "2", "--heads", "2", "--causal", "--window", "3,5"];
    const { code, stdout, stderr } = await invoke("run", "--engine", "cpu", "--json", ...args);
    expect(code).toBe(0);
    expect(stderr).toBe("fusemax: 4 queries see no key; their rows are zeros\n");
    const { workload, output } = JSON.parse(stdout) as RunResult;
    expect(workload).toMatchObject({ causal: true, window: [3, 5] });
    expect(output.rowsWithoutKeys).toBe(4);
  });

  it("names one query and one key as one, and the spread of generated scores where there is one", async () => {
    const { stdout } = await invoke("run", "--seq", "1", "--spread", "2", "--check", "none");
    expect(stdout).toContain("batch 1, 1 head, 1 query x 1 key, E = F = 64, scale 0.125, seed 0, spread 2\n");
    const grouped = await invoke("run", "--seq", "8", "--heads", "4", "--kv-heads", "2", "--check", "none");
    expect(grouped.stdout).toContain("batch 1, 4 heads on 2 of K and V, 8 queries x 8 keys");
    expect((await invoke("run", "--seq", "2")).stdout).toContain(
      "1 head, 2 queries x 2 keys, E = F = 64, scale 0.125, seed 0\n",
    );
  });

  it("takes batch and lengths from --kv-lens and --q-lens", async () => {
    const { workload } = await run("--kv-lens", "3,9", "--q-lens", "0,4", "--head-dim", "2");
    expect(workload).toMatchObject({ batch: 2, queries: 4, keys: 9, kvLens: [3, 9], qLens: [0, 4] });
  });

  it("takes a model's heads and mask, which options replace", async () => {
    const args = ["--model", "mistral-7b", "--seq", "12", "--head-dim", "2", "--array", "4x4"];
    const { workload } = await run(...args);
    expect(workload).toMatchObject({ heads: 32, kvHeads: 8, causal: true, window: [4095, 0] });
    expect((await run(...args, "--no-causal", "--window", "-1,-1")).workload).toMatchObject({
      causal: false,
      window: [-1, -1],
    });
    const cross = await run("--model", "WHISPER-large-cross", "--seq", "3", "--check", "none");
    expect(cross.workload).toMatchObject({ queries: 3, keys: 1500, causal: false });
  });

  it("law: a window as long as the sequence is none, and causal is a window with nothing to the right", async () => {
    const plain = await hashOf(...sizes);
    expect(await hashOf(...sizes, "--window", "9,9")).toBe(plain);
    const causal = await hashOf(...sizes, "--causal");
    expect(causal).not.toBe(plain);
    expect(await hashOf(...sizes, "--window", "-1,0")).toBe(causal);
    expect(await hashOf(...sizes, "--causal", "--window", "-1,7")).toBe(causal);
  });
});

describe("--alibi", () => {
  const args = ["--heads", "3", "--seq", "300", "--head-dim", "5", "--array", "32x16"];

  it("is plain attention on queries and keys with a few more elements, which the cost counts", async () => {
    const shape = { batch: 1, heads: 3, kvHeads: 3, queries: 300, keys: 300, headDim: 5, valueDim: 5 };
    const normal = (name: InputName) => generateNormal(0, name, 3 * 300 * 5);
    const inputs = { q: normal("q"), k: normal("k"), v: normal("v") };
    const scale = 1 / Math.sqrt(5);
    const wide = withAlibi(inputs, { shape, mask: noMask }, formats.bf16, scale, alibiSlopes(3));
    for (const name of ["q", "k", "v"] as const) {
      const width = name === "v" ? 5 : 8;
      save(`wide-${name}.npy`, npyBytes([...wide.inputs[name]], { shape: [1, 3, 300, width] }));
    }
    const files = ["--q", at("wide-q.npy"), "--k", at("wide-k.npy"), "--v", at("wide-v.npy")];
    const expected = await run(...files, "--scale", String(scale), "--causal", "--array", "32x16");
    const { output, workload, cost, error } = await run(...args, "--causal", "--alibi");
    expect(output.sha256).toBe(expected.output.sha256);
    expect(cost).toEqual(expected.cost);
    expect(error).toEqual(expected.error);
    expect(workload).toMatchObject({ headDim: 5, alibi: { elements: 3 } });
    expect(expected.workload).toMatchObject({ headDim: 8, alibi: null });
  });

  it("gives the same bits on every engine, and other bits than none", async () => {
    const onWasm = await invoke("run", "--engine", "wasm", "--json", ...args, "--causal", "--alibi");
    const sha256 = (JSON.parse(onWasm.stdout) as RunResult).output.sha256;
    expect(sha256).toBe(await hashOf(...args, "--causal", "--alibi"));
    expect(sha256).not.toBe(await hashOf(...args, "--causal"));
  });
});

describe("--alibi of a batch of several lengths", () => {
  const [heads, keys, queries, width] = [2, 24, 8, 5];
  const lengths = { q: [8, 3], k: [24, 15] } as const;
  const ranks = { q: queries, k: keys, v: keys };
  const values = { q: generateNormal(3, "q", 2 * heads * queries * width) } as Record<InputName, Float32Array>;
  for (const name of ["k", "v"] as const) values[name] = generateNormal(3, name, 2 * heads * keys * width);
  /** What a sequence has of a tensor [2, heads, ranks, width], as a file. */
  const alone = (name: InputName, b: number): string => {
    const length = (name === "q" ? lengths.q : lengths.k)[b] ?? 0;
    const of = (h: number): number => (b * heads + h) * ranks[name] * width;
    const kept = [0, 1].flatMap(h => [...values[name].subarray(of(h), of(h) + length * width)]);
    return save(`alone-${b}-${name}.npy`, npyBytes(kept, { shape: [1, heads, length, width] }));
  };
  const outputs = async (files: (name: InputName) => string, ...args: readonly string[]) => {
    const inputs = (["q", "k", "v"] as const).flatMap(name => [`--${name}`, files(name)]);
    const [av, lse] = [at("ragged-av.npy"), at("ragged-lse.npy")];
    const out = ["--output", av, "--lse", lse];
    expect((await invoke("run", "--engine", "cpu", ...inputs, ...args, "--array", "8x4", ...out)).code).toBe(0);
    return { av: await (await readNpy(av)).load(), lse: await (await readNpy(lse)).load() };
  };

  it.each([
    ["by elements", ["--causal"]],
    ["by elements at the first key", ["--mask", "causal:top-left"]],
    ["by distance", []],
    ["by distance under a soft-cap", ["--causal", "--softcap", "5"]],
  ])("law: %s a sequence has the values that it has alone", async (_, mask) => {
    const args = ["--alibi-slopes", "0.5,0.125", "--format", "fp32", ...mask];
    const whole = (name: InputName): string =>
      save(`ragged-${name}.npy`, npyBytes([...values[name]], { shape: [2, heads, ranks[name], width] }));
    const lens = ["--q-lens", lengths.q.join(","), "--kv-lens", lengths.k.join(",")];
    const all = await outputs(whole, ...args, ...lens);
    for (const b of [0, 1]) {
      const one = await outputs(name => alone(name, b), ...args);
      const rows = lengths.q[b] ?? 0;
      for (let row = 0; row < heads * rows; row += 1) {
        const there = (b * heads + Math.floor(row / rows)) * queries + (row % rows);
        expect(all.lse[there]).toBe(one.lse[row]);
        const [got, own] = [there, row].map(at => at * width) as [number, number];
        expect(all.av.slice(got, got + width)).toEqual(one.av.slice(own, own + width));
      }
    }
  });
});

describe("--resume", () => {
  it("goes on from what the file holds, on any array width, and ends with the same bits", async () => {
    const rows = at("run.rows");
    const expected = await hashOf(...sizes);
    expect(await hashOf(...sizes, "--resume", rows)).toBe(expected);
    const whole = statSync(rows).size;
    writeFileSync(rows, readFileSync(rows).subarray(0, whole - 1));
    const cut = await invoke("run", "--engine", "cpu", "--json", ...sizes, "--resume", rows);
    expect(cut.stderr).toMatch(/run.rows: .* cut short or damaged, computed again/);
    expect((JSON.parse(cut.stdout) as RunResult).output.sha256).toBe(expected);
    const again = await invoke("run", "--engine", "cpu", "--json", ...sizes.slice(0, -1), "4x1", "--resume", rows);
    expect(again.stderr).toBe(`fusemax: going on from ${rows}: 10 of 10 rows are finished\n`);
    const result = JSON.parse(again.stdout) as RunResult;
    expect(result.output.sha256).toBe(expected);
    expect(result.time.resumedRows).toBe(10);
    const other = await invoke("run", "--engine", "cpu", ...sizes, "--seed", "1", "--resume", rows);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/rows of another input \(q differs\); expected rows of this run's input/);
  });
});
