import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { evaluateCascade } from "../../src/einsum/evaluate.js";
import { cascadeNames, loadCascade } from "../../src/io/cascade-files.js";
import { readNpy, writeNpy } from "../../src/io/npy.js";
import { readNpz, writeNpz } from "../../src/io/npz.js";
import { readSafetensors, writeSafetensors } from "../../src/io/safetensors.js";
import { formatNames } from "../../src/numerics/format.js";
import { generatedNormals } from "../../src/numerics/generated-normal.js";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-evaluate-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);

const evaluate = (...args: readonly string[]) => invoke("evaluate", ...args);
async function json(...args: readonly string[]) {
  const { code, stdout, stderr } = await evaluate(...args, "--json");
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
}

/** X [4, 3] and the parameters of a layer norm over its 4. */
const X = Float64Array.of(1, 2, -3, 4, 0, 6, 7, -8, 9, 10, 11, 12);
const G = Float64Array.of(1, 2, 0.5, -1);
const B = Float64Array.of(0, 1, 0, 3);

/** Y[d,p] by the textbook. */
function layerNorm(): number[] {
  const columns = [0, 1, 2].map(p => [0, 1, 2, 3].map(d => X[d * 3 + p] ?? 0));
  return [0, 1, 2, 3].flatMap(d =>
    columns.map(column => {
      const mean = column.reduce((a, b) => a + b, 0) / 4;
      const variance = column.reduce((a, b) => a + (b - mean) ** 2, 0) / 4;
      return (((column[d] ?? 0) - mean) / Math.sqrt(variance + 1e-5)) * (G[d] ?? 0) + (B[d] ?? 0);
    }),
  );
}

describe("fusemax evaluate", () => {
  it("computes layer norm on the tensors of a .npz file", async () => {
    await writeNpz(path("ln.npz"), [
      { name: "X", shape: [4, 3], values: X },
      { name: "g", shape: [4], values: G },
      { name: "B", shape: [4], values: B },
      { name: "unused", shape: [1], values: Float32Array.of(1) },
    ]);
    const result = await json("layer-norm", "--input", path("ln.npz"), "--output", path("y.npy"));
    expect(result).toMatchObject({
      schema: "fusemax.evaluate/1",
      cascade: "layer-norm",
      arithmetic: "float64",
      engine: { name: "interpreter", adapter: null },
      shape: { D: 4, P: 3 },
      inputs: { X: { shape: [4, 3], from: `${path("ln.npz")} member X.npy` } },
      tensors: { Y: { axes: ["d", "p"], shape: [4, 3], type: "F64", infinite: 0 } },
      notes: [],
      output: path("y.npy"),
    });
    const loaded = await (await readNpy(path("y.npy"))).load();
    expect(loaded).toBeInstanceOf(Float64Array);
    const y = Float64Array.from(loaded);
    for (const [i, expected] of layerNorm().entries()) expect(y[i]).toBeCloseTo(expected, 12);
    const { Y } = result.tensors;
    expect(Y.sha256).toBe(createHash("sha256").update(new Uint8Array(y.buffer)).digest("hex"));
    expect([Y.min, Y.max]).toEqual([Math.min(...y), Math.max(...y)]);
    expect(Y.mean).toBeCloseTo(y.reduce((a, b) => a + b, 0) / 12, 12);
    expect(Y.rms).toBeCloseTo(Math.sqrt(y.reduce((a, b) => a + b * b, 0) / 12), 12);
  });

  it("takes tensors one by one, with their axes by name, from each kind of file", async () => {
    await writeNpy(
      path("x.npy"),
      [3, 4],
      Float64Array.from({ length: 12 }, (_, i) => X[(i % 4) * 3 + Math.floor(i / 4)] ?? 0),
    );
    await writeSafetensors(path("g.safetensors"), [{ name: "G", shape: [4], values: G }]);
    await writeNpz(path("b.npz"), [{ name: "B", shape: [4], values: B }]);
    const tensors = [`X[p,d]=${path("x.npy")}`, `G=${path("g.safetensors")}`, `B=${path("b.npz")}`];
    const args = ["layer-norm", ...tensors.flatMap(text => ["--tensor", text]), "--output", path("y.safetensors")];
    await json(...args, "--write", "Y[P,D], mean");
    const file = await readSafetensors(path("y.safetensors"));
    expect([...file.names].sort()).toEqual(["MEAN", "Y"]);
    expect(file.tensor("Y").shape).toEqual([3, 4]);
    const y = await file.tensor("Y").load();
    for (const [i, expected] of layerNorm().entries())
      expect(y[(i % 3) * 4 + Math.floor(i / 3)]).toBeCloseTo(expected, 12);
  });

  it.each(formatNames)("gives in %s what fusemax run gives, the same seed and order of axes given", async format => {
    const axes = ["Q[p,e]", "K[m,e]", "V[m,f]"].flatMap(text => ["--tensor", text]);
    const shape = "P=20,M=96,E=16,F=24,M0=32";
    const args = [...axes, "--seed", "7", "--shape", shape, "--scale", "0.25", "--arithmetic", format];
    const { tensors } = await json("attention-1-pass", ...args, "--write", "AV[p,f]", "--output", path("av.npy"));
    const sizes = ["--q-len", "20", "--kv-len", "96", "--head-dim", "16", "--value-dim", "24", "--array", "32x8"];
    const run = await invoke("run", ...sizes, "--seed", "7", "--format", format, "--engine", "cpu", "--json");
    expect(tensors.AV.sha256).toBe(JSON.parse(run.stdout).output.sha256);
    expect(tensors.AV).toMatchObject({ axes: ["p", "f"], shape: [20, 24], type: "F32" });
    expect((await readNpy(path("av.npy"))).dtype).toBe("F32");
  });

  it("gives on every engine what the interpreter gives", async () => {
    for (const name of ["attention-1-pass", "attention-2-pass", "attention-3-pass"]) {
      const tile = name === "attention-3-pass" ? "" : ",M0=32";
      const args = [
        name,
        "--shape",
        `M=96,P=10,E=8,F=12${tile}`,
        "--scale",
        "0.5",
        "--arithmetic",
        "fp16",
        "--write",
        "AV[p,f]",
      ];
      const golden = await json(...args);
      for (const engine of ["cpu", "wasm"]) {
        const result = await json(...args, "--engine", engine);
        expect(result.engine).toEqual({ name: engine, adapter: null, reason: "asked for" });
        expect(result.tensors).toEqual(golden.tensors);
      }
    }
  });

  it("computes attention of inputs with scales: the interpreter has the engines' bits", async () => {
    const file = path("scaled.yaml");
    const scaled = "{ type: fp8-e4m3, scale: head }";
    const operands = `{ q: ${scaled}, k: ${scaled}, v: ${scaled}, p: { type: bf16 } }`;
    writeFileSync(file, `name: scaled\nsource: a test\noperands: ${operands}\n`);
    const args = ["--shape", "M=96,P=10,E=8,F=12,M0=32", "--arithmetic", file] as const;
    const own = await json("attention-1-pass", ...args);
    expect((await json("attention-1-pass", ...args, "--engine", "wasm")).tensors).toEqual(own.tensors);
    const other = await json("attention-2-pass", ...args);
    expect((await json("attention-2-pass", ...args, "--engine", "wasm")).tensors).toEqual(other.tensors);
    const refused = await evaluate("softmax", "--shape", "M=4", "--arithmetic", file);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toMatch(
      /^fusemax: arithmetic scaled: got scales of q, k, v for softmax; expected attention/,
    );
  });

  it("writes every tensor on request, an iterative one with all its coordinates", async () => {
    const result = await json("variance-welford", "--shape", "K=50", "--write", "all", "--output", path("all.npz"));
    expect(Object.keys(result.tensors).sort()).toEqual(["D", "MEAN", "N", "RMEAN", "RSS", "VAR"]);
    expect(result.tensors.RMEAN).toMatchObject({ axes: ["k"], shape: [51] });
    expect(result.tensors.VAR).toMatchObject({ axes: [], shape: [] });
    const file = await readNpz(path("all.npz"));
    const load = async (name: string) => (await file.tensor(name)).load();
    expect([...(await load("N"))]).toEqual(Array.from({ length: 51 }, (_, i) => i));
    const two = await json("variance-two-pass", "--shape", "K=50");
    expect(result.tensors.VAR.mean).toBeCloseTo(two.tensors.VAR.mean, 12);
    expect((await load("VAR"))[0]).toBe(result.tensors.VAR.mean);
  });

  it("gives two cascades the same inputs, and others for another seed", async () => {
    const shape = ["--shape", "M=64,P=5,E=8,F=8,M0=16"];
    const mean = async (name: string, ...more: readonly string[]): Promise<number> =>
      (await json(name, "--shape", name.includes("3") ? "M=64,P=5,E=8,F=8" : (shape[1] ?? ""), ...more)).tensors.AV
        .mean;
    const three = await mean("attention-3-pass");
    expect(await mean("attention-1-pass")).toBeCloseTo(three, 12);
    expect(await mean("attention-3-pass", "--seed", "0")).toBe(three);
    expect(await mean("attention-3-pass", "--seed", "1")).not.toBeCloseTo(three, 6);
  });

  const lacking = { log: "log-sum-exp", rsqrt: "layer-norm", sigmoid: "sigmoid-attention" };
  it.each(Object.entries(lacking))("has %s in float64 and refuses it in every format", async (fn, name) => {
    const sizes = loadCascade(name)
      .ranks.ranks.map(rank => `${rank.name}=6`)
      .join(",");
    expect(Object.keys((await json(name, "--shape", sizes)).tensors).length).toBeGreaterThan(0);
    for (const format of formatNames) {
      const { code, stdout, stderr } = await evaluate(name, "--shape", sizes, "--arithmetic", format);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(
        new RegExp(`^fusemax: ${name} in ${format} arithmetic: got .*${fn} in .*; take float64\n$`),
      );
    }
  });

  it("runs every cascade of the library", async () => {
    for (const name of cascadeNames()) {
      const { ranks } = loadCascade(name);
      const inner = ranks.ranks.filter(({ parts }) => parts.length > 1).map(() => "M0=3");
      const sizes = ranks.ranks.flatMap(rank => (/\d$/.test(rank.name) ? [] : [`${rank.name}=6`]));
      const { tensors } = await json(name, "--shape", [...sizes, ...inner].join(","));
      for (const tensor of Object.values(tensors)) expect(tensor).toMatchObject({ infinite: 0 });
    }
  });

  it("takes a number for an input without ranks, and prints a table", async () => {
    writeFileSync(path("scaled.cascade"), "inputs: X[m], s\nY[m] = X[m] * s\n");
    await writeNpy(path("v.npy"), [4], Float32Array.of(1, 2, 3, 4));
    const args = [path("scaled.cascade"), "--tensor", `X=${path("v.npy")}`, "--tensor", "s=-0.5"];
    const { code, stdout, stderr } = await evaluate(...args);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n").slice(0, 3)).toEqual([
      "scaled in float64: M=4",
      `inputs: X from ${path("v.npy")}; s from -0.5`,
      "",
    ]);
    expect(stdout).toMatch(/\nY\[m\] +4 +-2 +-0\.5 +-1\.25 +1\.36931 +[0-9a-f]{16}\n$/);
  });

  it("says where 0/0 was taken as 0, and which values are infinite", async () => {
    expect((await json("cascade-3", "--shape", "K=3")).notes).toEqual(["RZ takes 0/0 as 0 at 1 point, first at i=0"]);
    const { notes, tensors } = await json("attention-1-pass", "--shape", "M=8,M0=4,P=2,E=2,F=2", "--write", "RM");
    expect(notes).toEqual(["RM holds 2 infinite values, which min, max, mean and rms leave out"]);
    expect(tensors.RM).toMatchObject({ axes: ["m1", "p"], shape: [3, 2], infinite: 2 });
  });

  it("computes long ones on a thread of their own, to the same bits", async () => {
    const sizes = { M: 256, E: 32, F: 32, P: 400 };
    const { tensors } = await json("attention-3-pass", "--arithmetic", "bf16", "--shape", "M=256,E=32,F=32,P=400");
    const made = (name: string, ...shape: readonly [number, number]) => {
      const normal = generatedNormals(0, name);
      return { shape, data: Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => normal(i)) };
    };
    const inputs = { Q: made("Q", 32, 400), K: made("K", 32, 256), V: made("V", 32, 256) };
    const here = evaluateCascade(loadCascade("attention-3-pass"), inputs, { format: "bf16", shape: sizes });
    const av = Float32Array.from(here.tensors.get("AV")?.data ?? []);
    expect(tensors.AV.sha256).toBe(createHash("sha256").update(new Uint8Array(av.buffer)).digest("hex"));
    writeFileSync(
      path("wide.cascade"),
      "inputs: A[i,j]\nB[i,j] = A[i,j] * A[i,j]\nC[i] = B[i,j] * 1e9\nD[i] = C[i] * C[i] * C[i]\n",
    );
    const far = await evaluate(path("wide.cascade"), "--shape", "I=3K,J=2K", "--arithmetic", "fp32");
    expect(far.code).toBe(2);
    expect(far.stderr).toMatch(/^fusemax: D\[0\] in fp32 arithmetic: got .*; expected magnitudes up to 2\^100\n$/);
  });
});

describe("bad input", () => {
  const refused = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await evaluate(...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^fusemax: [^\n]+\n$/);
    return stderr;
  };
  const three = "attention-3-pass";

  it.each<[string, readonly string[], RegExp]>([
    ["no such cascade", ["nosuch"], /nosuch: no such cascade or file/],
    ["no sizes", [three], /no size of the ranks M, P, E, F; .*M=\.\.\.,P=\.\.\.,E=\.\.\.,F=\.\.\./],
    ["no tile", ["attention-1-pass", "--shape", "M=8,P=1,E=1,F=1"], /no size of the rank M0; .* M0=\.\.\.\n/],
    [
      "a tensor that is not read",
      [three, "--tensor", "X=a.npy"],
      /--tensor: got X, which .* does not have; expected an input: Q, K, V/,
    ],
    ["a tensor that is computed", [three, "--tensor", "AV=a.npy"], /got AV, which attention-3-pass computes itself/],
    ["a tensor twice", [three, "--tensor", "Q=a.npy", "--tensor", "q=b.npy"], /got Q twice/],
    [
      "axes that it does not have",
      [three, "--tensor", "Q[p,z]=a.npy"],
      /the axes Q\[p,z\]; expected those of Q\[e,p\] in some order/,
    ],
    ["an axis twice", [three, "--tensor", "Q[p,p]=a.npy"], /expected those of Q\[e,p\]/],
    ["no file and no axes", [three, "--tensor", "Q"], /--tensor: got "Q"; expected NAME=FILE/],
    ["no file", [three, "--tensor", "Q="], /--tensor: got "Q="; expected NAME=FILE/],
    ["a missing file", [three, "--tensor", "Q=nope.npy", "--seed", "1"], /nope\.npy: no such file/],
    ["a file of no kind", [three, "--input", "a.txt"], /--input: got a\.txt; expected a \.npz or \.safetensors file/],
    ["an unknown tensor to write", [three, "--write", "AV,AW"], /got AW, which .* does not have; .* did you mean A/],
    ["an input to write", [three, "--write", "Q"], /got Q, which attention-3-pass only reads/],
    ["a blank name", [three, "--write", "AV,,QK"], /--write: got nothing/],
    ["a name twice", [three, "--write", "AV,AV"], /--write: got "AV"; expected names of tensors, each once/],
    ["axes to write that it does not have", [three, "--write", "AV[p,m]"], /--write: got the axes AV\[p,m\]/],
    [
      "an ending of no kind",
      [three, "--output", "a.csv"],
      /--output: got a\.csv; expected .*\.npz or \.safetensors or \.npy/,
    ],
    [
      "two tensors in a .npy",
      [three, "--write", "all", "--output", "a.npy"],
      /--output: got 6 tensors for a\.npy; .* --write QK/,
    ],
    ["a shape that is none", [three, "--shape", "M=x"], /--shape: got "M=x"/],
    ["a rank that is not there", [three, "--shape", "M=1,P=1,E=1,F=1,Z=2"], /the rank Z/],
    ["too many elements", [three, "--shape", "M=1G,P=1K,E=1,F=1"], /expected at most 2\^28/],
    [
      "a choice of one pass in another cascade",
      [three, "--arithmetic", "fa4-bf16"],
      /^fusemax: arithmetic fa4-bf16: got exponent: fused for attention-3-pass; expected difference/,
    ],
    [
      "what is not kept of one pass",
      ["attention-1-pass", "--arithmetic", "fa4-bf16", "--write", "RM"],
      /--write: got RM; expected AV, which alone is kept in arithmetic fa4-bf16/,
    ],
    [
      "an arithmetic of no name",
      [three, "--arithmetic", "fp8"],
      /--arithmetic: got "fp8"; expected one of .* others in specs\/arithmetic or a \.yaml file/,
    ],
  ])("%s", async (_what, args, message) => {
    expect(await refused(...args)).toMatch(message);
  });

  it("tensors that do not fit together, or are not all there", async () => {
    await writeNpz(path("qk.npz"), [
      { name: "Q", shape: [4, 6], values: new Float32Array(24) },
      { name: "K", shape: [8, 4], values: new Float32Array(32) },
    ]);
    await writeNpy(path("flat.npy"), [24], new Float32Array(24));
    await writeNpy(path("empty.npy"), [0], new Float32Array(0));
    const input = ["--input", path("qk.npz")];
    expect(await refused(three, ...input)).toMatch(
      /qk\.npz: got the tensors Q, K; expected a tensor for each of V; give --tensor V=FILE, or --seed N/,
    );
    expect(await refused(three, ...input, "--seed", "1", "--shape", "F=2")).toMatch(
      /the input K of attention-3-pass: got 8 coordinates along E; expected 4, as Q has it; the text has K\[e,m\]: name the axes/,
    );
    expect(await refused(three, ...input, "--tensor", "K[m,e]", "--seed", "1")).toMatch(/no size of the rank F/);
    expect((await evaluate(three, ...input, "--tensor", "K[m,e]", "--seed", "1", "--shape", "F=2")).code).toBe(0);
    expect(await refused(three, ...input, "--tensor", "K[m,e]", "--seed", "1", "--shape", "F=2,P=5")).toMatch(
      /the input Q of attention-3-pass: got 6 coordinates along P; expected 5, as the shape has it/,
    );
    expect(await refused(three, "--tensor", `Q=${path("flat.npy")}`, "--seed", "1")).toMatch(
      /the input Q of attention-3-pass: got shape \[24\]; expected 2 ranks: Q\[e,p\]/,
    );
    expect(await refused(three, "--tensor", `Q[p,e]=${path("flat.npy")}`, "--seed", "1")).toMatch(
      /flat\.npy: got shape \[24\]; expected 2 axes/,
    );
    expect(await refused("softmax", "--tensor", `X=${path("empty.npy")}`)).toMatch(
      /got shape \[0\]; expected sizes of at least 1/,
    );
    expect(await refused("softmax", "--tensor", `X=${path("flat.npy")}`, "--seed", "1")).toMatch(
      /--seed: cannot be given with a file for every input/,
    );
    expect(await refused("softmax", "--tensor", `X=${path("flat.npy")}`, "--output", path("flat.npy"))).toMatch(
      /the file of --tensor X; expected a path of its own/,
    );
    expect(readFileSync(path("flat.npy")).length).toBeGreaterThan(96);
  });

  it("values that an arithmetic cannot take, named", async () => {
    await writeNpy(path("nan.npy"), [3], Float32Array.of(1, Number.NaN, 2));
    await writeNpy(path("big.npy"), [3], Float32Array.of(1, 2, 1e20));
    const of = (file: string): string => `X=${path(file)}`;
    expect(await refused("softmax", "--tensor", of("nan.npy"))).toMatch(/X\[1\]: got NaN; expected numbers/);
    expect(await refused("softmax", "--tensor", of("nan.npy"), "--arithmetic", "bf16")).toMatch(
      /X\[1\]: got NaN; expected numbers/,
    );
    expect(await refused("softmax", "--tensor", of("big.npy"), "--arithmetic", "bf16")).toMatch(
      /X\[2\] in bf16 arithmetic: got 100000002004087730000; expected a finite value of magnitude at most 2\^50/,
    );
    writeFileSync(path("log.cascade"), "Y[m] = log(X[m])\nZ = Y[m]\n");
    expect(await refused(path("log.cascade"), "--shape", "M=9", "--output", path("z.npz"))).toMatch(
      /Y\[\d\]: got NaN; expected a number; look for infinities and negative logarithms or roots/,
    );
    expect(existsSync(path("z.npz"))).toBe(false);
  });
});
