import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, describe, expect, it } from "vitest";
import { readNpy } from "../../src/io/npy.js";
import { readSafetensors } from "../../src/io/safetensors.js";
import type { RunResult } from "../../src/report/run-result.js";
import { concat, type Element, elementBytes, npyBytes, safetensorsBytes } from "../io/tensor-files.js";
import { invoke } from "./invoke.js";

const folder = mkdtempSync(join(tmpdir(), "fusemax-layouts-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const save = (name: string, bytes: Uint8Array | string): string => {
  writeFileSync(at(name), bytes);
  return at(name);
};

type Sizes = readonly [number, number, number, number];
const sizes = { q: [2, 4, 3, 8], k: [2, 2, 5, 8], v: [2, 2, 5, 6], av: [2, 4, 3, 6] } as const;
const names = ["q", "k", "v"] as const;
type Name = (typeof names)[number];

/** A value for each coordinate, of few bits: it is the same in every type. */
const valueAt = (name: Name, b: number, h: number, s: number, d: number): number =>
  (((names.indexOf(name) * 7 + b * 31 + h * 17 + s * 5 + d * 3) % 29) - 14) / 8;

const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

/** The values of a tensor in the order of a layout, by its coordinates. */
function valuesIn(name: Name, layout: "bhsd" | "bshd", [B, H, S, D]: Sizes = sizes[name]): number[] {
  return range(B).flatMap(b =>
    layout === "bhsd"
      ? range(H).flatMap(h => range(S).flatMap(s => range(D).map(d => valueAt(name, b, h, s, d))))
      : range(S).flatMap(s => range(H).flatMap(h => range(D).map(d => valueAt(name, b, h, s, d)))),
  );
}

async function run(...args: readonly string[]): Promise<RunResult & { readonly note: string }> {
  const { code, stdout, stderr } = await invoke("run", "--engine", "cpu", "--json", "--check", "none", ...args);
  expect({ code, stderr: stderr.replace(/^fusemax: the files are read as .*\n$/, "") }).toEqual({
    code: 0,
    stderr: "",
  });
  return { ...(JSON.parse(stdout) as RunResult), note: stderr };
}

const files = (
  tag: string,
  shapeOf: (sizes: Sizes) => readonly number[],
  layout: "bhsd" | "bshd",
  of: Readonly<Record<Name, Sizes>> = sizes,
  descr: Element = "<f4",
): readonly string[] =>
  names.flatMap(name => [
    `--${name}`,
    save(`${name}-${tag}.npy`, npyBytes(valuesIn(name, layout, of[name]), { shape: shapeOf(of[name]), descr })),
  ]);

const plain = files("plain", ([b, h, s, d]) => [b, h, s, d], "bhsd");
const heads = ["--heads", "4", "--kv-heads", "2"];

describe("law: the layout of the files changes no bit of the output", () => {
  it.each([
    ["bshd", ([b, h, s, d]: Sizes) => [b, s, h, d], []],
    ["bsd", ([b, h, s, d]: Sizes) => [b, s, h * d], heads],
  ] as const)("%s, whose output has that layout too", async (layout, shapeOf, more) => {
    const expected = await run(...plain, "--output", at("av.npy"));
    const given = files(layout, shapeOf, "bshd");
    const { output, workload } = await run(...given, "--layout", layout, ...more, "--output", at(`${layout}.npy`));
    expect(output.sha256).toBe(expected.output.sha256);
    expect(workload).toEqual(expected.workload);
    const [a, b] = await Promise.all([readNpy(at("av.npy")), readNpy(at(`${layout}.npy`))]);
    expect(b.shape).toEqual(shapeOf(sizes.av));
    const [bhsd, other] = [await a.load(), await b.load()];
    const [, H, S, D] = sizes.av;
    for (let i = 0; i < bhsd.length; i += 1) {
      const [b, h, s, d] = [Math.floor(i / (H * S * D)), Math.floor(i / (S * D)) % H, Math.floor(i / D) % S, i % D];
      expect(other[((b * S + s) * H + h) * D + d]).toBe(bhsd[i]);
    }
    await run(...plain, "--output-layout", layout, "--output", at("turned.npy"));
    expect(readFileSync(at("turned.npy"))).toEqual(readFileSync(at(`${layout}.npy`)));
  });

  it("nor does a type that holds the same values", async () => {
    const expected = await run(...plain);
    const given = files("f8", ([b, h, s, d]) => [b, s, h, d], "bshd", sizes, "<f8");
    expect((await run(...given, "--layout", "bshd")).output.sha256).toBe(expected.output.sha256);
  });
});

describe("files of fewer ranks", () => {
  const one = { q: [1, 1, 3, 8], k: [1, 1, 5, 8], v: [1, 1, 5, 6] } as const;
  const grouped = { q: [1, 4, 3, 8], k: [1, 2, 5, 8], v: [1, 2, 5, 6] } as const;
  const equal = { q: [1, 2, 3, 8], k: [1, 2, 5, 8], v: [1, 2, 5, 6] } as const;

  it.each([
    ["[S, D]", one, ([, , s, d]: Sizes) => [s, d], "bhsd", [], [3, 6]],
    ["[S, D] as bshd", one, ([, , s, d]: Sizes) => [s, d], "bshd", ["--layout", "bshd"], [3, 6]],
    ["[H, S, D]", grouped, ([, h, s, d]: Sizes) => [h, s, d], "bhsd", [], [4, 3, 6]],
    ["[S, H, D]", grouped, ([, h, s, d]: Sizes) => [s, h, d], "bshd", ["--layout", "bshd"], [3, 4, 6]],
    ["[S, H x D]", grouped, ([, h, s, d]: Sizes) => [s, h * d], "bshd", ["--layout", "bsd", ...heads], [3, 24]],
  ] as const)("%s are those of one batch, or head", async (tag, of, shapeOf, layout, more, shape) => {
    const expected = await run(...files("ranks", ([b, h, s, d]) => [b, h, s, d], "bhsd", of));
    const name = `fewer-${tag.replace(/\W/g, "")}`;
    const got = await run(...files(name, shapeOf, layout, of), ...more, "--output", at(`${name}-av.npy`));
    expect(got.output.sha256).toBe(expected.output.sha256);
    expect(got.note).toBe("");
    expect((await readNpy(at(`${name}-av.npy`))).shape).toEqual(shape);
  });

  it("get a note where three ranks may be a batch", async () => {
    const { note } = await run(...files("equal", ([, h, s, d]) => [h, s, d], "bhsd", equal));
    expect(note).toBe(
      "fusemax: the files are read as [H, S, D]: 2 heads of 3 queries and 5 keys; if they are [B, S, H x D], take --layout bsd and --heads\n",
    );
  });
});

/** A .safetensors file of F32 tensors of zeros. */
function zeros(path: string, tensors: readonly (readonly [name: string, shape: readonly number[]])[]): string {
  let end = 0;
  const header = tensors.map(([name, shape]) => {
    const begin = end;
    end += 4 * shape.reduce((a, b) => a * b, 1);
    return [name, { dtype: "F32", shape, data_offsets: [begin, end] }] as const;
  });
  return save(path, safetensorsBytes(Object.fromEntries(header), new Uint8Array(end)));
}

describe("tensors by their names", () => {
  const npy = (name: Name) => new Uint8Array(readFileSync(at(`${name}-plain.npy`)));
  const archive = (path: string, q: string, k: string, v: string, more: Record<string, Uint8Array> = {}) =>
    save(path, zipSync({ [`${q}.npy`]: npy("q"), [`${k}.npy`]: npy("k"), [`${v}.npy`]: npy("v"), ...more }));

  it.each([
    ["query, key, value", "query", "key", "value"],
    ["capitals", "Q", "K", "V"],
    ["one layer", "layers.3.q", "layers.3.k", "layers.3.v"],
    ["states", "attn/query_states", "attn/key_states", "attn/value_states"],
  ])("%s are found where there is one reading", async (tag, q, k, v) => {
    const expected = (await run(...plain)).output.sha256;
    const path = archive(`${tag}.npz`, q, k, v, { "rest.npy": npy("q") });
    expect((await run("--input", path)).output.sha256).toBe(expected);
  });

  it("--names picks, all or those that differ", async () => {
    const expected = (await run(...plain)).output.sha256;
    const path = archive("named.npz", "first", "second", "third", { "q.npy": npy("k") });
    expect((await run("--input", path, "--names", "q=first,k=second,v=third")).output.sha256).toBe(expected);
    const other = archive("some.npz", "first", "k", "v");
    expect((await run("--input", other, "--names", "q=first")).output.sha256).toBe(expected);
  });

  it("an index's shards are followed", async () => {
    const expected = (await run(...plain)).output.sha256;
    const shard = (name: Name) => {
      const values = elementBytes("<f4", valuesIn(name, "bhsd"));
      const header = { [`h.0.${name}`]: { dtype: "F32", shape: sizes[name], data_offsets: [0, values.length] } };
      save(`shard-${name}.safetensors`, safetensorsBytes(header, values));
      return [`h.0.${name}`, `shard-${name}.safetensors`];
    };
    const index = save(
      "model.safetensors.index.json",
      JSON.stringify({ metadata: { total_size: 0 }, weight_map: Object.fromEntries(names.map(shard)) }),
    );
    expect((await run("--input", index)).output.sha256).toBe(expected);
  });

  it("unsigned integers are taken for what --dtype says", async () => {
    const expected = (await run(...plain)).output.sha256;
    const codes = names.flatMap(name => {
      const bits = new Uint16Array(new Uint8Array(elementBytes("|V2", valuesIn(name, "bhsd"))).buffer);
      return [`--${name}`, save(`${name}-u2.npy`, npyBytes([...bits], { shape: sizes[name], descr: "<u2" }))];
    });
    expect((await run(...codes, "--dtype", "q=bf16,k=bf16,v=bf16")).output.sha256).toBe(expected);
    const parts = names.map(name => elementBytes("|V2", valuesIn(name, "bhsd")));
    let end = 0;
    const entries = parts.map((part, i) => {
      const begin = end;
      end += part.length;
      const name = names[i] as Name;
      return [name, { dtype: "U16", shape: sizes[name], data_offsets: [begin, end] }];
    });
    const path = save("u16.safetensors", safetensorsBytes(Object.fromEntries(entries), concat(parts)));
    expect((await run("--input", path, "--dtype", "q=bf16,k=bf16,v=bf16")).output.sha256).toBe(expected);
    expect((await readSafetensors(path)).names).toEqual(["q", "k", "v"]);
  });
});

describe("what cannot be read is refused in a line", () => {
  const layers = range(12).flatMap(layer => names.map(name => [`layers.${layer}.${name}`, [1, 1, 2, 4]] as const));
  const twelve = zeros("twelve.safetensors", layers);
  const others = zeros(
    "others.safetensors",
    range(40).map(i => [`w${i}`, [1]] as const),
  );
  const index = (path: string, content: unknown) => save(`${path}.safetensors.index.json`, JSON.stringify(content));
  const u2 = save("codes.npy", npyBytes(range(96), { shape: [2, 4, 3, 4], descr: "<u2" }));
  const kv = plain.slice(2);

  it.each([
    [
      ["--input", twelve],
      /got q, k and v under layers\.0\., .*layers\.9\. and 2 more; expected one of them; take --names q=layers\.0\.q,k=/,
    ],
    [["--input", others], /got the tensors w0, .*w9 and 30 more; expected a tensor named q, and one named k, and/],
    [
      ["--input", others, "--names", "q=w0,k=w1,v=wx"],
      /got the tensors w0, .* and 30 more; expected a tensor named wx, which --names gives for v/,
    ],
    [["--input", others, "--names", "q"], /--names: got "q"; expected q=NAME with one of q, k, v before the =/],
    [["--input", others, "--names", "q=w0,q=w1"], /--names: got q twice; expected each tensor once/],
    [[...plain, "--names", "q=a"], /--names: needs --input FILE/],
    [["--q", u2, ...kv], /codes\.npy: got values of type <u2; .*it may hold bfloat16: --dtype q=bf16 reads it so/],
    [["--q", u2, ...kv, "--dtype", "q=f8_e4m3"], /got values of type <u2, to be read as F8_E4M3; expected .*\(u1\)/],
    [[...plain, "--dtype", "q=bf16"], /q-plain\.npy: got values of type <f4, to be read as BF16; expected unsigned/],
    [["--q", u2, ...kv, "--dtype", "q=int4"], /--dtype: got "int4" for q; expected one of bf16, fp16, f8_e4m3/],
    [["--dtype", "q=bf16"], /--dtype: needs input files/],
    [[...plain, "--layout", "bsd", ...heads], /q-plain\.npy: got shape \[2, 4, 3, 8\]; expected \[B, S, H x D\]/],
    [[...plain, "--layout", "hsd"], /--layout: got "hsd"; expected one of bhsd, bshd, bsd/],
    [
      [...files("flat", ([b, h, s, d]) => [b, s, h * d], "bshd"), "--layout", "bsd"],
      /--layout bsd: no number of heads; expected --heads/,
    ],
    [
      [...files("flat", ([b, h, s, d]) => [b, s, h * d], "bshd"), "--layout", "bsd", "--heads", "5"],
      /q-flat\.npy: got shape \[2, 3, 32\]; expected a last size that 5 heads divide/,
    ],
    [
      [...files("flat", ([b, h, s, d]) => [b, s, h * d], "bshd"), "--heads", "4"],
      /q-flat\.npy: got shape \[2, 3, 32\]; expected \[H, S, D\] with the 4 heads of --heads; --layout bsd reads/,
    ],
    [["--input", index("list", [])], /list\.safetensors\.index\.json: got its content: .*; expected the index of/],
    [
      ["--input", index("away", { weight_map: { q: "../q.safetensors" } })],
      /got weight_map\.q: not a \.safetensors file of the index's own folder; expected the index of a sharded model/,
    ],
    [
      ["--input", index("gone", { weight_map: { q: "a.safetensors", k: "a.safetensors", v: "a.safetensors" } })],
      /a\.safetensors: no such file or folder/,
    ],
    [["--input", save("no.safetensors.index.json", "{")], /no\.safetensors\.index\.json: is not JSON/],
  ])("run %j", async (args, message) => {
    const { code, stdout, stderr } = await invoke("run", "--engine", "cpu", ...args);
    expect(stderr).toMatch(/^fusemax: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});

describe("what lies beside q, k and v", () => {
  const parts = (
    more: readonly (readonly [name: string, dtype: string, shape: readonly number[], bytes: Uint8Array])[],
  ) => {
    const own = names.map(
      name => [`a.${name}`, "F32", sizes[name], elementBytes("<f4", valuesIn(name, "bhsd"))] as const,
    );
    let end = 0;
    const entries = [...own, ...more].map(([name, dtype, shape, bytes]) => {
      const begin = end;
      end += bytes.length;
      return [name, { dtype, shape, data_offsets: [begin, end] }] as const;
    });
    const bytes = [...own, ...more].map(([, , , one]) => one);
    return safetensorsBytes(Object.fromEntries(entries), concat(bytes));
  };
  const plainArgs = ["--engine", "cpu", "--json", "--check", "none"];

  it("is taken with a line, under the same prefix alone", async () => {
    const scale = ["a.scale", "F64", [1], elementBytes("<f8", [0.5])] as const;
    const path = save("beside.safetensors", parts([scale, ["sink", "F32", [4], elementBytes("<f4", [1, 1, 1, 1])]]));
    const { stdout, stderr } = await invoke("run", ...plainArgs, "--input", path);
    const expected = await run(...plain, "--scale", "0.5");
    expect((JSON.parse(stdout) as RunResult).output.sha256).toBe(expected.output.sha256);
    expect(stderr).toBe("fusemax: the file's scale beside q, k and v is taken\n");
  });

  it.each([
    [["a.scale", "F64", [2], elementBytes("<f8", [1, 2])], /a\.scale: got shape \[2\]; expected one number/],
    [["a.sink", "F32", [3], elementBytes("<f4", [1, 2, 3])], /a\.sink: got 3 logits; expected 4, one for each query/],
    [
      ["a.mask", "BOOL", [3, 6], new Uint8Array(18)],
      /a\.mask: got shape \[3, 6\]; expected one that broadcasts to the scores .*\[2, 4, 3, 5\]/,
    ],
    [["a.mask", "F32", [3, 5], new Uint8Array(60)], /a\.mask: got values of type F32; expected truth values/],
  ] as const)("%j is refused in a line where it does not fit", async (tensor, message) => {
    const path = save("unfit.safetensors", parts([tensor]));
    const { code, stderr } = await invoke("run", ...plainArgs, "--input", path);
    expect(stderr).toMatch(/^fusemax: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});
